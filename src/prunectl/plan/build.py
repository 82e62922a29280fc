"""Study → Plan. What is shared follows from construction: a step has only the fields that change its result."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from prunectl.catalog.criterion import Criterion
from prunectl.catalog.dataset import Content
from prunectl.catalog.metric import Metric
from prunectl.catalog.recipe import Recipe
from prunectl.catalog.rounds import Rounds
from prunectl.catalog.scope import Scope
from prunectl.catalog.tables import working
from prunectl.plan.graph import Arm, Plan, StepSet, Trial, follow_ups
from prunectl.plan.resolve import arms_of, data_of, network_of, recipe_of
from prunectl.plan.steps import (
    Data,
    Init,
    Key,
    Measure,
    Network,
    Prune,
    PruneByWeights,
    PruneChannels,
    PruneChannelsRounds,
    PruneRounds,
    Recalibrate,
    Score,
    Shuffle,
    ShuffleChannels,
    Train,
)
from prunectl.study.schema import Study

SAME = 1e-9
"""Two sparsities nearer than this are one level."""


def build(study: Study, content: Content) -> Plan:
    """The plan of a study on a data set of the given content."""
    house = _Site(
        steps=StepSet(),
        network=network_of(study, content),
        data=data_of(study, content),
        recipe=recipe_of(study, content),
        exclude=study.prunable.exclude,
        metrics=tuple(metric() for metric in working("metrics", Metric)),
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
    metrics: tuple[Metric, ...]
    """All of the catalogue: a new metric is a new measurement, and no new training."""

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
        return self.steps.add(
            Measure(
                network=self.network,
                data=data,
                exclude=self.exclude,
                state=state,
                mask=mask,
                metrics=self.metrics,
            )
        )


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
        for level in _levels_between(arm, reached, sparsity):
            state, before = _next_level(site, arm, seed, level, state, before)
        plain = _mask(site, arm, seed, sparsity, state, before)
        mask = plain
        if arm.ablation == "shuffle":
            kind = ShuffleChannels if arm.structure == "channels" else Shuffle
            mask = site.steps.add(kind(network=site.network, seed=seed, mask=plain))
        trained = _retrained(site, arm, seed, state, mask)
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
            measure_before=site.measure(_origin(site, arm, seed, state), mask) if arm.retrain != "none" else None,
        )
        if arm.rounds is None:
            state, before = _next_level(site, arm, seed, sparsity, state, before)
            reached = sparsity


def _levels_between(arm: Arm, reached: float, target: float) -> Iterator[float]:
    """The levels on the way from one sparsity to the next, each removing the arm's rate of what is left."""
    if arm.rate is None:
        return
    while (following := 1 - (1 - reached) * (1 - arm.rate)) < target - SAME:
        yield following
        reached = following


def _next_level(site: _Site, arm: Arm, seed: int, sparsity: float, state: Key, before: Key | None) -> tuple[Key, Key]:
    """What the following level of an iterative arm starts from: its network and mask.

    They are as the criterion left them: shuffling and drawing anew are leaves of the chain.
    """
    chain = replace(arm, ablation="none") if arm.ablation in ("shuffle", "reinit") else arm
    plain = _mask(site, arm, seed, sparsity, state, before)
    return _retrained(site, chain, seed, state, plain), plain


def _mask(site: _Site, arm: Arm, seed: int, sparsity: float, state: Key, before: Key | None) -> Key:
    """The mask of a network: from scores that every sparsity shares, or in rounds towards this one."""
    data = None
    if isinstance(arm.criterion, Criterion) and arm.criterion.needs_data:
        data = replace(site.data, test_limit=None)
    invert = arm.ablation == "invert"
    own = arm.criterion.rounds if isinstance(arm.criterion, Criterion) else Rounds()
    rounds = arm.rounds or own  # iterative: each level prunes as the criterion is defined
    if rounds.kind == "one-shot":
        scores = site.steps.add(
            Score(
                network=site.network, data=data, criterion=arm.criterion, exclude=site.exclude, seed=seed,
                state=state, mask=before,
            )
        )  # fmt: skip
        if isinstance(arm.scope, Scope) and arm.scope.needs_weights:
            return site.steps.add(
                PruneByWeights(
                    network=site.network, scope=arm.scope, sparsity=sparsity, invert=invert, seed=seed, scores=scores,
                    before=before, state=state,
                )
            )  # fmt: skip
        return site.steps.add(
            (PruneChannels if arm.structure == "channels" else Prune)(
                network=site.network, scope=arm.scope, sparsity=sparsity, invert=invert, seed=seed, scores=scores,
                before=before,
            )
        )  # fmt: skip
    return site.steps.add(
        (PruneChannelsRounds if arm.structure == "channels" else PruneRounds)(
            network=site.network, data=data, criterion=arm.criterion, exclude=site.exclude, scope=arm.scope,
            sparsity=sparsity, rounds=rounds, invert=invert, seed=seed, state=state, before=before,
        )
    )  # fmt: skip


def _origin(site: _Site, arm: Arm, seed: int, state: Key) -> Key:
    """The weights that the mask is laid on: the pruned network's own, unless they are drawn anew."""
    return site.init(seed, "reinit") if arm.ablation == "reinit" else state


def _retrained(site: _Site, arm: Arm, seed: int, state: Key, mask: Key) -> Key:
    """What follows pruning (METHODS.md, 'When, and what follows')."""
    origin = _origin(site, arm, seed, state)
    fresh = arm.ablation == "reinit"
    end = site.recipe.steps
    if arm.at_step < end:
        first = 0 if arm.restart else arm.at_step
        kept = not fresh and not arm.restart and arm.at_step > 0
        return site.train(arm.recipe, seed, origin, mask, kept=kept, first_step=first, to_step=end)
    if arm.retrain == "none":
        return origin
    if arm.retrain == "recalibrate":
        data = replace(site.data, test_limit=None)
        return site.steps.add(Recalibrate(network=site.network, data=data, state=origin, mask=mask))
    if arm.retrain == "weight-rewind":
        rewound = origin if fresh else site.dense(seed, arm.from_step)
        kept = not fresh and arm.from_step > 0
    else:
        rewound, kept = origin, False
    if arm.from_step == arm.recipe.steps:
        return rewound  # rewound to the end: the weights as they are
    return site.train(arm.recipe, seed, rewound, mask, kept=kept, first_step=arm.from_step, to_step=arm.recipe.steps)
