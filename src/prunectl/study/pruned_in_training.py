"""What does not go with rounds that prune during training, as the entries declare."""

from __future__ import annotations

from collections.abc import Iterator

from prunectl.base.errors import Problem
from prunectl.catalog.rounds import Rounds
from prunectl.catalog.wording import listing, shown
from prunectl.study.schema import PruneSection, SweepSection


def during(section: PruneSection, sweep: SweepSection | None) -> Iterator[Problem]:
    """Everything in a [[prune]] table that its rounds during training leave no room for."""
    for place, way in enumerate(section.rounds or ()):
        if way.during:
            yield from _around(section, way)
            yield from _choices(section, way)
            yield from _sparsities(way, place, sweep)


def _around(section: PruneSection, way: Rounds) -> Iterator[Problem]:
    """The rounds determine the moments, and nothing follows the training."""
    name = shown(way.name)
    if "at" in section.model_fields_set:
        message = f"rounds {name} prune during the training, at moments of their own"
        others = len(section.rounds or ()) > 1
        hint = f"give {name} a [[prune]] table of its own without at" if others else "leave at out"
        yield Problem(path=("at",), message=message, hint=hint)
    for place, retrain in enumerate(section.retrain):
        if retrain.trains or not retrain.early:
            message = f"rounds {name} prune during the training: nothing is retrained after it"
            hint = f'leave retrain out for {name}: the default is "none"'
            yield Problem(path=("retrain", place), message=message, hint=hint)


def _choices(section: PruneSection, way: Rounds) -> Iterator[Problem]:
    name = shown(way.name)
    for place, criterion in enumerate(section.criterion):
        if way.criteria is not None and criterion.name not in way.criteria:
            message = f"rounds {name} have a rule of their own for what goes, not {shown(criterion.name)}"
            yield Problem(path=("criterion", place), message=message, hint=f"they go with {listing(way.criteria)}")
        elif criterion.updates_weights():
            message = f"{criterion.label()} changes the weights that stay, and the training goes on with its own"
            yield Problem(path=("criterion", place), message=message, hint="write update = false in its table")
    for place, structure in enumerate(section.structure):
        if way.grows and not structure.any_mask:
            message = f"rounds {name} drop and grow single weights, which {shown(structure.name)} does not allow"
            yield Problem(path=("structure", place), message=message, hint="leave structure out")
        elif not structure.any_sparsity:
            message = f"rounds {name} pass through sparsities that {structure.label()} cannot have"
            yield Problem(path=("structure", place), message=message, hint='write rounds = "one-shot"')
    for place, ablation in enumerate(section.ablation):
        if reason := _no_ablation(way, ablation.changes):
            message = f"{shown(ablation.name)} does not go with rounds {name}: {reason}"
            yield Problem(path=("ablation", place), message=message, hint=f"leave ablation out for {name}")


def _no_ablation(way: Rounds, changes: str) -> str | None:
    """Why masks of rounds during training cannot be ablated so; None if they can."""
    if changes == "nothing":
        return None
    if way.grows:
        return "weights and masks are trained together, and no ranking decides which masks result"
    if changes == "ranking":
        return None
    changed = "another mask" if changes == "mask" else "other weights"
    return f"the weights were trained under the masks on the way, so that {changed} would need another training"


def _sparsities(way: Rounds, place: int, sweep: SweepSection | None) -> Iterator[Problem]:
    for sparsity in sweep.asked if sweep is not None else ():
        if sparsity > 0 and (reason := way.unreachable(sparsity)) is not None:
            key, message = reason
            yield Problem(path=("rounds", place, key), message=message, hint="choose a lower one, or another sweep")
            return
