"""Study → Plan. What is shared follows from construction: a step has only the fields that change its result."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from prunectl.catalog.dataset import Content
from prunectl.catalog.recipe import Recipe
from prunectl.plan.graph import Arm, Plan, StepSet, Trial, follow_ups
from prunectl.plan.resolve import arms_of, data_of, network_of, recipe_of
from prunectl.plan.steps import (
    Ablate,
    Data,
    Init,
    Key,
    Measure,
    Network,
    Prune,
    PruneRounds,
    Recalibrate,
    Score,
    Train,
)
from prunectl.study.schema import Study


def build(study: Study, content: Content) -> Plan:
    """The plan of a study on a data set of the given content."""
    house = _Site(
        steps=StepSet(),
        network=network_of(study, content),
        data=data_of(study, content),
        recipe=recipe_of(study, content),
        exclude=study.prunable.exclude,
    )
    sparsities = study.sweep.asked
    trials = tuple(
        trial
        for arm in arms_of(study, content)
        for seed in study.sweep.seeds
        for trial in _trials(house, arm, seed, sparsities)
    )
    steps = house.steps.steps
    return Plan(
        steps=steps,
        trials=trials,
        follows=follow_ups(steps),
        dense_steps=house.recipe.steps,
        seeds=len(study.sweep.seeds),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Site:
    """What all arms of a study have in common, and the steps so far."""

    steps: StepSet
    network: Network
    data: Data
    recipe: Recipe
    exclude: tuple[str, ...]

    def init(self, seed: int, draw: Literal["init", "reinit"] = "init") -> Key:
        return self.steps.add(Init(network=self.network, seed=seed, draw=draw))

    def dense(self, seed: int, step: int) -> Key:
        """The state of the dense training after `step` steps."""
        start = self.init(seed)
        return (
            start if step == 0 else self.train(self.recipe, seed, start, None, kept=False, first_step=0, to_step=step)
        )

    def train(
        self, recipe: Recipe, seed: int, start: Key, mask: Key | None, *, kept: bool, first_step: int, to_step: int
    ) -> Key:
        return self.steps.add(
            Train(
                network=self.network,
                data=self.data,
                recipe=recipe,
                seed=seed,
                start=start,
                mask=mask,
                optimizer="kept" if kept else "fresh",
                first_step=first_step,
                to_step=to_step,
            )
        )

    def measure(self, state: Key, mask: Key | None) -> Key:
        data = replace(self.data, train_limit=None)
        return self.steps.add(Measure(network=self.network, data=data, exclude=self.exclude, state=state, mask=mask))


def _trials(site: _Site, arm: Arm, seed: int, sparsities: tuple[float, ...]) -> Iterator[Trial]:
    baseline = site.dense(seed, site.recipe.steps)
    dense = site.measure(baseline, None)
    state: Key = site.dense(seed, arm.at_step)
    before: Key | None = None
    reached = 0.0
    for sparsity in sparsities:
        if sparsity == 0:
            yield Trial(
                arm=arm, sparsity=0.0, seed=seed, baseline=baseline, baseline_measure=dense, plain_mask=None,
                mask=None, state=baseline, measure=dense, measure_before=None,
            )  # fmt: skip
            continue
        for level in arm.rounds.levels(reached, sparsity):
            state, before = _next_level(site, arm, seed, level, state, before)
        plain = _mask(site, arm, seed, sparsity, state, before)
        mask = plain
        if arm.ablation.changes == "mask":
            mask = site.steps.add(
                Ablate(network=site.network, structure=arm.structure, ablation=arm.ablation, seed=seed, mask=plain)
            )
        redrawn = arm.ablation.changes == "weights"
        trained = _retrained(site, arm, seed, state, mask, redrawn=redrawn)
        origin = site.init(seed, "reinit") if redrawn else state
        yield Trial(
            arm=arm,
            sparsity=sparsity,
            seed=seed,
            baseline=baseline,
            baseline_measure=dense,
            plain_mask=plain,
            mask=mask,
            state=trained,
            measure=site.measure(trained, mask),
            measure_before=site.measure(origin, mask) if arm.retrain != "none" else None,
        )
        if arm.rounds.retrains:
            state, before = _next_level(site, arm, seed, sparsity, state, before)
            reached = sparsity


def _next_level(site: _Site, arm: Arm, seed: int, sparsity: float, state: Key, before: Key | None) -> tuple[Key, Key]:
    """What the following level of an iterative arm starts from: its network and mask.

    They are as the criterion left them: only an ablation of the ranking is passed on.
    """
    plain = _mask(site, arm, seed, sparsity, state, before)
    return _retrained(site, arm, seed, state, plain, redrawn=False), plain


def _mask(site: _Site, arm: Arm, seed: int, sparsity: float, state: Key, before: Key | None) -> Key:
    """The mask of a network: from scores that every sparsity shares, or in rounds towards this one."""
    data = replace(site.data, test_limit=None) if arm.criterion.needs_data else None
    invert = arm.ablation.changes == "ranking"
    scope = arm.scope.settled()
    rounds = arm.criterion.own_rounds() if arm.rounds.retrains else arm.rounds
    if len(rounds.targets(sparsity)) == 1:
        scores = site.steps.add(
            Score(
                network=site.network, data=data, criterion=arm.criterion, exclude=site.exclude, seed=seed,
                state=state, mask=before,
            )
        )  # fmt: skip
        return site.steps.add(
            Prune(
                network=site.network, structure=arm.structure, scope=scope, sparsity=sparsity, invert=invert,
                seed=seed, scores=scores, before=before, state=state if scope.needs_weights else None,
            )
        )  # fmt: skip
    return site.steps.add(
        PruneRounds(
            network=site.network, data=data, criterion=arm.criterion, exclude=site.exclude, structure=arm.structure,
            scope=scope, sparsity=sparsity, rounds=rounds, invert=invert, seed=seed, state=state, before=before,
        )
    )  # fmt: skip


def _retrained(site: _Site, arm: Arm, seed: int, state: Key, mask: Key, *, redrawn: bool) -> Key:
    """What follows pruning. `redrawn`: the mask is laid on weights that are drawn again, not on the pruned network."""
    origin = site.init(seed, "reinit") if redrawn else state
    end = site.recipe.steps
    if arm.at_step < end:
        first = 0 if arm.restart else arm.at_step
        kept = not redrawn and not arm.restart and arm.at_step > 0
        return site.train(arm.recipe, seed, origin, mask, kept=kept, first_step=first, to_step=end)
    if arm.retrain == "none":
        return origin
    if arm.retrain == "recalibrate":
        data = replace(site.data, test_limit=None)
        return site.steps.add(Recalibrate(network=site.network, data=data, state=origin, mask=mask))
    if arm.retrain == "weight-rewind":
        rewound = origin if redrawn else site.dense(seed, arm.from_step)
        kept = not redrawn and arm.from_step > 0
    else:
        rewound, kept = origin, False
    if arm.from_step == arm.recipe.steps:
        return rewound  # rewound to the end: the weights as they are
    return site.train(arm.recipe, seed, rewound, mask, kept=kept, first_step=arm.from_step, to_step=arm.recipe.steps)
