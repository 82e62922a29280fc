"""What of a [[prune]] table does not go together: scopes, structures, rounds and ablations, as the entries declare."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from itertools import product

from prunectl.base.errors import Problem, PrunectlError
from prunectl.catalog.ablation import Ablation
from prunectl.catalog.criterion import Criterion
from prunectl.catalog.lookup import entry_type, names, read_entry
from prunectl.catalog.retraining import Budget, Retraining
from prunectl.catalog.scope import Scope
from prunectl.catalog.structure import Structure
from prunectl.catalog.values import Length
from prunectl.catalog.wording import listing, shown
from prunectl.study.arms import budget_label, scopes_of
from prunectl.study.schema import PruneSection, SweepSection, TrainSection


def scopes(section: PruneSection) -> Iterator[Problem]:
    """A criterion may be defined for some scopes only, and a structure may refuse some."""
    for place, scope in enumerate(section.scope or ()):
        for structure in section.structure:
            if reason := structure.refusal(scope):
                yield Problem(path=("scope", place), message=reason, hint=_fitting(structure))
    for place, criterion in enumerate(section.criterion):
        for number, scope in enumerate(section.scope or ()):
            if criterion.scopes is not None and scope.name not in criterion.scopes:
                message = f"{shown(criterion.name)} cannot be spread by {shown(scope.name)}"
                yield Problem(path=("scope", number), message=message, hint=f"it goes with {listing(criterion.scopes)}")
        if section.scope is None:
            yield from _own_scope(criterion, place, section)


def _own_scope(criterion: Criterion, place: int, section: PruneSection) -> Iterator[Problem]:
    """A structure may refuse the scope that a criterion has where none is given."""
    for structure, scope in product(section.structure, scopes_of(section, criterion)):
        if (reason := structure.refusal(scope)) and _goes_with(criterion, structure):
            message = f"the scope of {shown(criterion.name)} is {shown(scope.name)} unless given: {reason}"
            yield Problem(path=("criterion", place), message=message, hint=_fitting(structure))


def _fitting(structure: Structure) -> str:
    return f"structure {shown(structure.name)} goes with {listing(_scopes_of(structure))}"


def criteria(section: PruneSection) -> Iterator[Problem]:
    """A criterion may be defined for some structures only."""
    for place, criterion in enumerate(section.criterion):
        for structure in section.structure:
            if not _goes_with(criterion, structure):
                fitting = " or ".join(f"structure = {shown(name)}" for name in criterion.structures or ())
                message = f"{shown(criterion.name)} does not score structure = {shown(structure.name)}"
                hint = f"give it a [[prune]] table of its own with {fitting}"
                yield Problem(path=("criterion", place), message=message, hint=hint)


def _goes_with(criterion: Criterion, structure: Structure) -> bool:
    return criterion.structures is None or structure.name in criterion.structures


def _scopes_of(structure: Structure) -> Iterator[str]:
    """The names of the scopes that a structure goes with, at their default parameters."""
    for name in names("scopes"):
        with contextlib.suppress(PrunectlError):  # a broken plug-in, or one with parameters that must be given
            if structure.refusal(read_entry("scopes", name, Scope)) is None:
                yield name


def structures(section: PruneSection, sweep: SweepSection | None) -> Iterator[Problem]:
    """A structure may have few sparsities: of the sweep, and of the rounds on the way to them."""
    if sweep is None:
        return
    yield from _fixed_of_all(section, sweep)
    scopes = [scope for criterion in section.criterion for scope in scopes_of(section, criterion)]
    for place, structure in enumerate(section.structure):
        scope = next((scope for scope in scopes if structure.refusal(scope) is None), None)
        if structure.any_sparsity or scope is None:
            continue
        reasons = (structure.refusal(scope, sparsity) for sparsity in _reached(section, sweep))
        if reason := next(filter(None, reasons), None):
            hint = 'with rounds that pass through others, write rounds = "one-shot"'
            yield Problem(path=("structure", place), message=reason, hint=hint)


def _fixed_of_all(section: PruneSection, sweep: SweepSection) -> Iterator[Problem]:
    """A structure that has few sparsities has them of what it prunes."""
    for place, structure in enumerate(section.structure):
        if sweep.of == "all" and not structure.any_sparsity:
            message = f'the sparsities of {structure.label()} are fractions of the prunable weights, not of = "all"'
            yield Problem(path=("structure", place), message=message, hint="leave `of` out of [sweep]")


def _reached(section: PruneSection, sweep: SweepSection) -> Iterator[float]:
    """Every sparsity at which some arm of the table has a mask, those between the sweep's included."""
    ways = product(section.criterion, section.rounds or (None,))
    for way, own in [(asked or criterion.own_rounds(), criterion.own_rounds()) for criterion, asked in ways]:
        reached = 0.0
        for sparsity in filter(None, sweep.asked):
            for level in (*way.levels(reached, sparsity), sparsity):
                yield from (own if way.retrains else way).targets(level)
            reached = sparsity


def redrawn(section: PruneSection, train: TrainSection | None) -> Iterator[Problem]:
    """Weights that are drawn again take the whole recipe, from its start."""
    for place, ablation in enumerate(section.ablation):
        if ablation.changes != "weights":
            continue
        hint = f"give {shown(ablation.name)} a [[prune]] table of its own with {_listed_redrawn()}"
        for retrain in section.retrain if "end" in section.at else ():
            if not retrain.redrawn:
                yield Problem(path=("ablation", place), message=redrawn_refusal(ablation, retrain), hint=hint)
        for number, budget in enumerate(section.budget or ()):
            if _shorter(budget, train):
                message = redrawn_too_short(ablation, budget_label(budget))
                yield Problem(path=("budget", number), message=message, hint="leave it out, or make it longer")


def _shorter(budget: Budget, train: TrainSection | None) -> bool:
    """Whether a budget is less than the recipe, as far as both are given in the same unit."""
    if isinstance(budget, float):
        return budget < 1
    if not isinstance(budget, Length):
        return False
    pairs = [(getattr(budget, unit), getattr(train, unit, None)) for unit in ("epochs", "steps")]
    return any(asked is not None and whole is not None and asked < whole for asked, whole in pairs)


def redrawn_refusal(ablation: Ablation, retrain: Retraining) -> str:
    """Why weights that are drawn again do not go with a retraining at the end."""
    why = "is no training from the start" if retrain.trains else "would leave them untrained"
    return f"{shown(ablation.name)} draws the weights again, and retrain = {shown(retrain.name)} {why}"


def redrawn_too_short(ablation: Ablation, budget: str) -> str:
    """Why weights that are drawn again do not go with a budget below the recipe."""
    return f"{shown(ablation.name)} trains the weights that it draws with the whole recipe, and {budget} is less"


def _listed_redrawn() -> str:
    """The retrainings that go with weights drawn again, as a study file writes them."""
    fitting = []
    for name in names("retrainings"):
        with contextlib.suppress(PrunectlError):  # a broken plug-in
            fitting += [name] if entry_type("retrainings", name, Retraining).redrawn else []
    return " or ".join(f"retrain = {shown(name)}" for name in fitting)


def ablations(section: PruneSection) -> Iterator[Problem]:
    """An ablation may refuse a structure."""
    for place, ablation in enumerate(section.ablation):
        for reason in filter(None, map(ablation.refusal, section.structure)):
            yield Problem(path=("ablation", place), message=reason)
