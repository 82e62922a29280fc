"""What of a [[prune]] table does not go together: scopes, structures, rounds and ablations, as the entries declare."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from itertools import product

from prunectl.base.errors import Problem, PrunectlError
from prunectl.catalog.scope import Scope
from prunectl.catalog.structure import Structure
from prunectl.catalog.tables import names, read_entry
from prunectl.catalog.wording import listing, shown
from prunectl.study.schema import PruneSection, SweepSection


def scopes(section: PruneSection) -> Iterator[Problem]:
    """A criterion may be defined for some scopes only, and a structure may refuse some."""
    for place, scope in enumerate(section.scope):
        for structure in section.structure:
            if reason := structure.refusal(scope):
                hint = f"structure {shown(structure.name)} goes with {listing(_scopes_of(structure))}"
                yield Problem(path=("scope", place), message=reason, hint=hint)
    for criterion in section.criterion:
        fitting = criterion.scopes
        for place, scope in enumerate(section.scope):
            if fitting is not None and scope.name not in fitting:
                message = f"{shown(criterion.name)} cannot be spread by {shown(scope.name)}"
                yield Problem(path=("scope", place), message=message, hint=f"it goes with {listing(fitting)}")


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
    for place, structure in enumerate(section.structure):
        scope = next((scope for scope in section.scope if structure.refusal(scope) is None), None)
        if structure.any_sparsity or scope is None:
            continue
        reasons = (structure.refusal(scope, sparsity) for sparsity in _reached(section, sweep))
        if reason := next(filter(None, reasons), None):
            hint = 'with rounds that pass through others, write rounds = "one-shot"'
            yield Problem(path=("structure", place), message=reason, hint=hint)


def _reached(section: PruneSection, sweep: SweepSection) -> Iterator[float]:
    """Every sparsity at which some arm of the table has a mask, those between the sweep's included."""
    ways = product(section.criterion, section.rounds or (None,))
    for way, own in [(asked or criterion.own_rounds(), criterion.own_rounds()) for criterion, asked in ways]:
        reached = 0.0
        for sparsity in filter(None, sweep.asked):
            for level in (*way.levels(reached, sparsity), sparsity):
                yield from (own if way.retrains else way).targets(level)
            reached = sparsity


def ablations(section: PruneSection) -> Iterator[Problem]:
    """An ablation may refuse a structure."""
    for place, ablation in enumerate(section.ablation):
        for reason in filter(None, map(ablation.refusal, section.structure)):
            yield Problem(path=("ablation", place), message=reason)
