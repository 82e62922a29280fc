"""Study → Plan. What is shared follows from construction: a step has only the fields that change its result."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Literal

from prunectl.catalog.dataset import Content
from prunectl.catalog.lookup import working
from prunectl.catalog.metric import Metric, Part
from prunectl.catalog.recipe import Recipe
from prunectl.catalog.retraining import After
from prunectl.catalog.rounds import Rounds
from prunectl.catalog.scope import Scope
from prunectl.catalog.tables import METRICS
from prunectl.catalog.values import Denominator
from prunectl.plan.graph import Placed, Plan, StepSet, Trial
from prunectl.plan.resolve import arms_of, data_of, dense_of, network_of
from prunectl.plan.steps import (
    Ablate,
    Collapse,
    Data,
    During,
    Init,
    Key,
    Loaded,
    Measure,
    Network,
    Prune,
    PruneRounds,
    Recalibrate,
    Score,
    Train,
)
from prunectl.study.schema import Study


def build(
    study: Study,
    content: Content,
    weights: Mapping[str, str] = MappingProxyType({}),
    granted: Mapping[str, int] = MappingProxyType({}),
) -> Plan:
    """The plan of a study on a data set of the given content.

    `weights` holds the digest of each file of weights that the study names, by the name that the study gives it.
    `granted` holds the number of seeds of arms, by label, in a study that adds seeds until its claims are settled.
    """
    steps = StepSet()
    dense = dense_of(study, content)
    data = data_of(study, content)
    train_data, test_data = replace(data, test_limit=None), data.of_tests()
    arms = arms_of(study, dense)
    metrics = [metric() for metric in working("metrics", Metric) if not metric.swept]
    used = {placed.arm.init: network_of(study, content, placed.arm.init, weights) for placed in arms}
    trials: list[Trial] = []
    for placed in arms:
        site = _Site(
            steps=steps,
            network=used[placed.arm.init],
            data=data,
            train_data=train_data,
            test_data=test_data,
            recipe=dense.recipe,
            exclude=study.prunable.exclude,
            of=study.sweep.of,
            metrics=tuple(metric for metric in metrics if metric.name in METRICS and metric.part == "test"),
            apart=tuple(_apart(metrics, study.data.measured)),
            validation_data=replace(data, train_limit=None, test_limit=None),
            rounds=placed.arm.rounds_of_a_mask,
            scope=placed.arm.scope.settled(),
            collapses=study.report.collapse and placed.arm.collapses,
        )
        for seed in study.sweep.seeds_of(granted.get(placed.arm.label, 0)):
            chain = _Chain(site, placed, seed)
            trials += chain.trials(study.sweep.asked) if placed.arm.criterion.prunes else [chain.control()]
    return Plan(steps=steps.steps, trials=tuple(trials), follows=steps.follow_ups())


def _apart(metrics: Iterable[Metric], measured: frozenset[Part]) -> Iterator[Metric]:
    """The metrics that have a step each: plug-ins' and those on other parts of the data, as far as these are measured.

    So neither a plug-in nor another part of the data renames what is measured already.
    """
    for metric in metrics:
        if metric.part in measured and (metric.name not in METRICS or metric.part != "test"):
            yield metric


@dataclass(frozen=True, kw_only=True, slots=True)
class _Site:
    """What all trials of an arm share, and the steps so far. A record is made once: each is rendered once for keys."""

    steps: StepSet
    network: Network
    data: Data
    train_data: Data
    test_data: Data
    recipe: Recipe
    exclude: tuple[str, ...]
    of: Denominator
    metrics: tuple[Metric, ...]
    apart: tuple[Metric, ...]  # plug-ins', and those on other parts of the data
    validation_data: Data
    rounds: Rounds  # those in which one mask is made
    scope: Scope
    collapses: bool  # whether the critical compression is asked for
    _several: dict[float, bool] = field(default_factory=dict)

    def init(self, seed: int, draw: Literal["init", "reinit"] = "init") -> Key:
        alike = isinstance(self.network.init, Loaded)  # the same weights for every seed: one artefact
        return self.steps.add(Init(network=self.network, seed=0 if alike else seed, draw=draw))

    def dense(self, seed: int, step: int) -> Key:
        """The state of the dense training after `step` steps."""
        start = self.init(seed)
        return start if step == 0 else self.train(After(recipe=self.recipe), seed, start, None, to_step=step)

    def train(
        self, after: After, seed: int, start: Key, mask: Key | None,
        *, to_step: int | None = None, during: During | None = None,
    ) -> Key:  # fmt: skip
        """One training as `after` has it, by default to the end of its recipe."""
        recipe = after.recipe
        assert recipe is not None
        return self.steps.add(
            Train(
                network=self.network,
                data=self.data,
                recipe=recipe,
                seed=seed,
                start=start,
                mask=mask,
                optimizer="kept" if after.keeps else "fresh",
                first_step=after.first,
                to_step=recipe.steps if to_step is None else to_step,
                stretch=after.stretch,
                during=during,
            )
        )

    def measure(self, seed: int, state: Key, mask: Key | None, metric: Metric | None = None) -> Key:
        """On the test images, or of one metric on its part of the data: turning it on measures nothing else again."""
        part: Part = "test" if metric is None else metric.part
        data = {"test": self.test_data, "validation": self.validation_data, "train": self.train_data}
        return self.steps.add(
            Measure(
                network=self.network,
                data=data[part],
                part=part,
                metrics=self.metrics if metric is None else (metric,),
                exclude=self.exclude,
                seed=seed,
                state=state,
                mask=mask,
            )
        )

    def in_rounds(self, sparsity: float) -> bool:
        """Whether a mask of this sparsity is made in several rounds."""
        if sparsity not in self._several:
            self._several[sparsity] = len(self.rounds.targets(sparsity)) > 1
        return self._several[sparsity]


class _Chain:
    """One arm with one seed: its levels, each pruned from the network and the mask that the one before has left."""

    def __init__(self, site: _Site, placed: Placed, seed: int) -> None:
        self.site, self.placed, self.arm, self.seed = site, placed, placed.arm, seed
        self.baseline = site.dense(seed, site.recipe.steps)
        self.state = site.dense(seed, placed.at_step)
        self.before: Key | None = None
        self.scores: Key | None = None
        """Of the present network, once they are needed."""
        self.collapse: Key | None = None
        """The critical compression, if it is asked for."""
        self.baseline_measure = site.measure(seed, self.baseline, None)

    def control(self) -> Trial:
        """The dense network, retrained: a trial of sparsity 0 that is not the baseline."""
        after = self.placed.after
        start = self.baseline if after.weights is None else self.site.dense(self.seed, after.weights)
        return self._trial(0.0, None, None, self._trained(after, start, None))

    def trials(self, sparsities: tuple[float, ...]) -> Iterator[Trial]:
        """For each level: score, prune, ablate, retrain, measure."""
        reached = 0.0
        self.collapse = self._collapse() if self.site.collapses and any(sparsities) else None
        for sparsity in sparsities:
            if sparsity == 0:
                yield self._trial(sparsity, None, None, self.baseline)
                continue
            if self.placed.during is not None:
                state = self._train_during(self.placed.during, sparsity)
                yield self._trial(sparsity, state, state, state)
                continue
            for level in self.arm.rounds.levels(reached, sparsity):
                self._descend(level)
            plain = self._prune(sparsity)
            mask = self._ablate(plain)
            yield self._trial(sparsity, plain, mask, self._retrain(mask, ablated=True))
            if self.arm.rounds.retrains:
                self._descend(sparsity)
                reached = sparsity

    def _train_during(self, rounds: Rounds, sparsity: float) -> Key:
        """The training that prunes on the way: it leaves a state and its mask."""
        site, arm = self.site, self.arm
        during = During(
            rounds=rounds, criterion=arm.criterion, scope=site.scope, structure=arm.structure, exclude=site.exclude,
            sparsity=sparsity, invert=arm.inverted, of=site.of,
        )  # fmt: skip
        return site.train(self.placed.after, self.seed, self.state, None, during=during)

    def _descend(self, sparsity: float) -> None:
        """Go on from this level: its network and mask as the criterion left them, ablations being leaves."""
        mask = self._prune(sparsity)
        self.state, self.before = self._retrain(mask, ablated=False), mask
        self.scores = None

    def _prune(self, sparsity: float) -> Key:
        """The mask of a level: from scores that every sparsity shares, or in rounds towards this one."""
        site, arm = self.site, self.arm
        scope = site.scope
        data = site.train_data if arm.criterion.needs_data else None
        if site.in_rounds(sparsity) or arm.criterion.updates_weights():
            return site.steps.add(
                PruneRounds(
                    network=site.network, data=data, criterion=arm.criterion, exclude=site.exclude, scope=scope,
                    structure=arm.structure, sparsity=sparsity, rounds=site.rounds, invert=arm.inverted, seed=self.seed,
                    state=self.state, before=self.before, of=site.of,
                )
            )  # fmt: skip
        return site.steps.add(
            Prune(
                network=site.network, scope=scope, structure=arm.structure, sparsity=sparsity, invert=arm.inverted,
                seed=self.seed, scores=self._scored(), before=self.before,
                state=self.state if scope.needs_weights else None, of=site.of,
            )
        )  # fmt: skip

    def _scored(self) -> Key:
        """The scores of the present network, which every sparsity shares."""
        site, arm = self.site, self.arm
        self.scores = self.scores or site.steps.add(
            Score(
                network=site.network, data=site.train_data if arm.criterion.needs_data else None,
                criterion=arm.criterion, exclude=site.exclude, seed=self.seed, state=self.state, mask=self.before,
            )
        )  # fmt: skip
        return self.scores

    def _collapse(self) -> Key:
        """The critical compression of the network as it is first pruned: from shared scores, or in rounds."""
        site, arm = self.site, self.arm
        shared = not (arm.in_rounds or arm.criterion.updates_weights())
        return site.steps.add(
            Collapse(
                network=site.network, criterion=arm.criterion, exclude=site.exclude, structure=arm.structure,
                data=site.train_data if arm.criterion.needs_data and not shared else None, scope=site.scope,
                rounds=site.rounds, invert=arm.inverted, seed=self.seed, scores=self._scored() if shared else None,
                state=None if shared and not site.scope.needs_weights else self.state,
            )
        )  # fmt: skip

    def _ablate(self, mask: Key) -> Key:
        if self.arm.ablation.changes != "mask":
            return mask
        return self.site.steps.add(
            Ablate(
                network=self.site.network, ablation=self.arm.ablation, structure=self.arm.structure, seed=self.seed,
                mask=mask,
            )
        )  # fmt: skip

    def _retrain(self, mask: Key, *, ablated: bool) -> Key:
        """What follows pruning (docs/methods.md, "When, and what follows")."""
        site, after = self.site, self.placed.after
        if not ablated and self.placed.between is not None:
            after = self.placed.between
        start = self._origin(mask, ablated=ablated) if after.weights is None else site.dense(self.seed, after.weights)
        if after.recalibrates:
            return site.steps.add(
                Recalibrate(network=site.network, data=site.train_data, seed=self.seed, state=start, mask=mask)
            )
        return self._trained(after, start, mask)

    def _trained(self, after: After, start: Key, mask: Key | None) -> Key:
        """The state after a training, repeated as asked for: each begins with what the one before has left."""
        if after.recipe is None or after.steps == 0:
            return start
        for _ in range(after.repeat):
            start = self.site.train(after, self.seed, start, mask)
        return start

    @property
    def _redraws(self) -> bool:
        return self.arm.ablation.changes == "weights"

    def _origin(self, mask: Key, *, ablated: bool) -> Key:
        """The weights that the mask is put on: the pruned network's own, unless they are drawn again.

        Where pruning changes the weights that stay, the artefact of the mask has them. They belong to that mask: one
        that is permuted is put on the weights as they were.
        """
        if ablated and self._redraws:
            return self.site.init(self.seed, "reinit")
        permuted = ablated and self.arm.ablation.changes == "mask"
        return mask if self.arm.criterion.updates_weights() and not permuted else self.state

    def _trial(self, sparsity: float, plain: Key | None, mask: Key | None, state: Key) -> Trial:
        site = self.site
        before = None
        if mask is not None and self.placed.retrained:
            before = site.measure(self.seed, self._origin(mask, ablated=True), mask)
        return Trial(
            placed=self.placed,
            sparsity=sparsity,
            seed=self.seed,
            baseline=self.baseline,
            baseline_measure=self.baseline_measure,
            plain_mask=plain,
            mask=mask,
            state=state,
            measure=site.measure(self.seed, state, mask),
            measure_before=before,
            measured_apart=tuple(site.measure(self.seed, state, mask, metric) for metric in site.apart),
            collapse=self.collapse if sparsity > 0 else None,
        )
