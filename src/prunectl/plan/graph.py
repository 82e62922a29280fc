"""A plan: the steps by key, parents first, and the trials that they are for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType

from prunectl.base.keys import Texts, digest
from prunectl.catalog.retraining import After
from prunectl.catalog.rounds import Rounds
from prunectl.plan.stage import APART, Stage
from prunectl.plan.steps import Key, Step, Train, parent_keys, preimage, run_of
from prunectl.study.arms import Arm


@dataclass(frozen=True, kw_only=True, slots=True)
class Placed:
    """An arm with its moments in steps of the dense training, and what follows pruning."""

    arm: Arm
    at_step: int
    after: After  # of a trial, as its ablation leaves it
    dense_steps: int
    between: After | None = None  # of the level that later ones start from, where that is something else
    during: Rounds | None = None  # the arm's rounds with everything counted in steps, if they prune during training

    @property
    def at_end(self) -> bool:
        """Whether a trained network is pruned."""
        return self.at_step == self.dense_steps

    @property
    def retrained(self) -> bool:
        """Whether something is done to a trained network after it was pruned."""
        return self.at_end and (self.after.recipe is not None or self.after.recalibrates)

    @property
    def share(self) -> float | None:
        """The time that retraining takes as a share of the dense training; None without, or if the mask decides it."""
        planned = self.at_end and self.after.recipe is not None and self.after.stretch is None
        return self.after.steps / self.dense_steps if planned else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Trial:
    """An arm at one sparsity with one seed, and its artefacts."""

    placed: Placed
    sparsity: float
    seed: int
    baseline: Key  # the dense network's state, and what was measured of it
    baseline_measure: Key
    plain_mask: Key | None  # as the criterion and scope give it; the training itself, where that prunes
    mask: Key | None  # after the ablation; None for the baseline itself
    state: Key
    measure: Key
    measure_before: Key | None  # just after pruning, if a trained network was pruned and is retrained
    measured_apart: tuple[Key, ...]  # plug-ins' metrics and other parts of the data, one each: nothing else is renamed
    collapse: Key | None = None  # the critical compression of its criterion, where the study asks for it
    latency: Key | None = None  # how long its network takes, where `prunectl latency` has asked for it

    @property
    def arm(self) -> Arm:
        """What was chosen."""
        return self.placed.arm

    @property
    def measures(self) -> tuple[Key, ...]:
        """Every measurement of this trial, the baseline's apart."""
        return (self.measure, *((self.measure_before,) if self.measure_before else ()), *self.measured_apart)


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """`follows` names the earlier state of the same training that a training step best resumes from.

    `asked` are steps that no trial needs and a command asks for, as `prunectl latency` does.
    """

    steps: Mapping[Key, Step]
    trials: tuple[Trial, ...]
    follows: Mapping[Key, Key]
    asked: frozenset[Key] = frozenset()

    @property
    def arms(self) -> dict[str, Placed]:
        """The arms by label, in the order of the study file."""
        placed = {id(trial.placed): trial.placed for trial in self.trials}  # an arm's trials share it
        return {each.arm.label: each for each in placed.values()}

    def targets(self, stage: Stage) -> set[Key]:
        """What must be there for the study to be done up to a stage."""
        if stage in APART:
            return set(self.asked)
        wanted: set[Key] = set()
        for trial in self.trials:
            if stage in ("train", "retrain"):
                wanted |= {trial.baseline, trial.baseline_measure}
            if stage != "train" and trial.plain_mask:
                wanted.add(trial.plain_mask)
            if stage != "train" and trial.collapse:
                wanted.add(trial.collapse)
            if stage in ("ablate", "retrain") and trial.mask:
                wanted.add(trial.mask)
            if stage == "retrain":
                wanted |= {trial.state, *trial.measures}
        return wanted

    def closure(self, targets: Iterable[Key]) -> set[Key]:
        """The targets and everything that they rest on."""
        found: set[Key] = set()
        stack = list(targets)
        while stack:
            key = stack.pop()
            if key not in found:
                found.add(key)
                stack.extend(parent_keys(self.steps[key]))
        return found


class StepSet:
    """Steps by key while a plan is built; adding one twice is adding it once."""

    def __init__(self, steps: Mapping[Key, Step] = MappingProxyType({})) -> None:
        self.steps = dict(steps)
        self._texts = Texts()
        """Of the networks, data sets, recipes and entries that steps share."""

    def add(self, step: Step) -> Key:
        """The step's key; the step is in the set from now on."""
        key = Key(digest(preimage(step, self._texts)))
        self.steps.setdefault(key, step)
        return key

    def follow_ups(self) -> dict[Key, Key]:
        """For each training step the latest earlier state of the same training, if there is one."""
        alike: dict[tuple[object, ...], list[tuple[Key, Train]]] = {}
        for key, step in self.steps.items():
            if isinstance(step, Train):
                alike.setdefault((step.start, step.mask, step.seed), []).append((key, step))
        runs: dict[str, list[tuple[int, Key]]] = {}
        for group in alike.values():
            if len(group) > 1:  # most trainings are alone with their mask
                for key, step in group:
                    runs.setdefault(run_of(step, self._texts), []).append((step.to_step, key))
        edges: dict[Key, Key] = {}
        for run in runs.values():
            run.sort()
            edges |= {later: earlier for (_, earlier), (_, later) in pairwise(run)}
        return edges
