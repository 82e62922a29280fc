"""A plan with the steps that prune each layer of the dense network alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from prunectl.base.errors import StudyError
from prunectl.catalog.criterion import Criterion
from prunectl.catalog.structure import Structure
from prunectl.catalog.wording import shown
from prunectl.plan.graph import Plan, StepSet
from prunectl.plan.steps import Data, Key, Measure, Score, Sensitivity, Train


@dataclass(frozen=True, kw_only=True)
class Alone:
    """The plan, and where its answers are."""

    plan: Plan
    by_rate: dict[float, Key]
    """The step of each rate, in ascending order."""
    dense: Key
    """What was measured of the dense network."""
    criterion: Criterion
    structure: Structure
    seed: int


def alone(plan: Plan, rates: Sequence[float], criterion: Criterion | None = None) -> Alone:
    """The plan of a study with a step for each rate, on the dense network of its first seed.

    Criterion and structure are those of the first arm that prunes, unless a criterion is given. Raises StudyError
    for a criterion that cannot score a network once.
    """
    first = next(trial for trial in plan.trials if trial.arm.criterion.prunes)  # a study has an arm that prunes
    criterion = criterion or first.arm.criterion
    if reason := _refusal(criterion, first.arm.structure):
        raise StudyError(reason, hint="choose another with --criterion")
    measured = plan.steps[first.baseline_measure]
    assert isinstance(measured, Measure)
    steps = StepSet(plan.steps)
    scores = steps.add(
        Score(
            network=measured.network, data=_train_data(plan, first.baseline) if criterion.needs_data else None,
            criterion=criterion, exclude=measured.exclude, seed=first.seed, state=first.baseline, mask=None,
        )
    )  # fmt: skip
    by_rate = {
        rate: steps.add(
            Sensitivity(
                network=measured.network, data=measured.data, structure=first.arm.structure, rate=rate,
                seed=first.seed, state=first.baseline, scores=scores, metrics=measured.metrics,
            )
        )
        for rate in sorted(set(rates))
    }  # fmt: skip
    asked = frozenset([*by_rate.values(), first.baseline_measure])
    return Alone(
        plan=replace(plan, steps=steps.steps, asked=asked), by_rate=by_rate, dense=first.baseline_measure,
        criterion=criterion, structure=first.arm.structure, seed=first.seed,
    )  # fmt: skip


def _refusal(criterion: Criterion, structure: Structure) -> str | None:
    """Why layers cannot be pruned alone by a criterion, or None if they can."""
    if criterion.updates_weights():
        return f"{shown(criterion.name)} changes the weights that stay: layers cannot be pruned alone by it"
    if criterion.structures is not None and structure.name not in criterion.structures:
        return f"{shown(criterion.name)} does not score structure = {shown(structure.name)}, that of the first arm"
    return None


def _train_data(plan: Plan, state: Key) -> Data:
    """The training images of the network's training, as scoring steps have them."""
    step = plan.steps[state]
    assert isinstance(step, Train)
    return replace(step.data, test_limit=None)
