"""A plan: the steps by key, parents first, and the trials that they are for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

from prunectl.catalog.ablation import Ablation
from prunectl.catalog.criterion import Criterion
from prunectl.catalog.recipe import Recipe
from prunectl.catalog.rounds import Rounds
from prunectl.catalog.scope import Scope
from prunectl.catalog.structure import Structure
from prunectl.plan.stage import Stage
from prunectl.plan.steps import Key, Step, Train, key_of, parents


@dataclass(frozen=True, kw_only=True, slots=True)
class Arm:
    """One fully chosen combination. Steps are those of the dense training; `label`s are the table's."""

    criterion: Criterion
    scope: Scope
    structure: Structure
    at_step: int
    at_label: str
    rounds: Rounds
    ablation: Ablation
    retrain: str
    retrain_label: str
    from_step: int  # where in the recipe retraining begins; rewound weights are those of that step
    recipe: Recipe  # of what follows pruning
    restart: bool

    def columns(self) -> dict[str, str]:
        """What the table says of the arm, by column."""
        return {
            "criterion": self.criterion.label(),
            "scope": self.scope.label(),
            "structure": self.structure.label(),
            "at": self.at_label,
            "rounds": self.rounds.label(),
            "ablation": self.ablation.label(),
            "retrain": self.retrain_label,
        }

    @property
    def label(self) -> str:
        """The arm in one short text; what every study has as its default is not said."""
        parts = [self.criterion.label(), f"at {self.at_label}"]
        parts += [self.scope.label()] if self.scope.name != "global" else []
        parts += [self.structure.label()] if self.structure.label() != "weights" else []
        parts += [self.rounds.label()] if self.rounds != self.criterion.own_rounds() else []
        parts += [self.retrain_label] if self.retrain != "none" else []
        parts += [self.ablation.label()] if self.ablation.changes != "nothing" else []
        return " · ".join(parts)


@dataclass(frozen=True, kw_only=True, slots=True)
class Trial:
    """An arm at one sparsity with one seed, and the artefacts that tell of it."""

    arm: Arm
    sparsity: float
    seed: int
    baseline: Key  # the dense network's state, and what was measured of it
    baseline_measure: Key
    plain_mask: Key | None  # as the criterion and scope give it
    mask: Key | None  # after the ablation; None for the baseline itself
    state: Key
    measure: Key
    measure_before: Key | None  # just after pruning, if training follows a trained network's pruning


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """`follows` says from which earlier state of the same training a training step is best taken up."""

    steps: Mapping[Key, Step]
    trials: tuple[Trial, ...]
    follows: Mapping[Key, Key]
    dense_steps: int  # of one dense training
    seeds: int

    def targets(self, stage: Stage) -> set[Key]:
        """What must be there for the study to be done up to a stage."""
        wanted: set[Key] = set()
        for trial in self.trials:
            if stage in ("train", "retrain"):
                wanted |= {trial.baseline, trial.baseline_measure}
            if stage != "train" and trial.plain_mask:
                wanted.add(trial.plain_mask)
            if stage in ("ablate", "retrain") and trial.mask:
                wanted.add(trial.mask)
            if stage == "retrain":
                wanted |= {trial.state, trial.measure}
                wanted |= {trial.measure_before} if trial.measure_before else set()
        return wanted

    def closure(self, targets: Iterable[Key]) -> set[Key]:
        """The targets and everything that they rest on."""
        found: set[Key] = set()
        stack = list(targets)
        while stack:
            key = stack.pop()
            if key not in found:
                found.add(key)
                stack.extend(parents(self.steps[key]).values())
        return found


def follow_ups(steps: Mapping[Key, Step]) -> dict[Key, Key]:
    """For each training step the latest earlier state of the same training, if the plan has one."""
    runs: dict[Train, list[tuple[int, Key]]] = {}
    for key, step in steps.items():
        if isinstance(step, Train):
            runs.setdefault(replace(step, to_step=0), []).append((step.to_step, key))
    edges: dict[Key, Key] = {}
    for run in runs.values():
        run.sort()
        edges |= {later: earlier for (_, earlier), (_, later) in pairwise(run)}
    return edges


class StepSet:
    """Steps by key while a plan is built; adding one twice is adding it once."""

    def __init__(self) -> None:
        self.steps: dict[Key, Step] = {}
        self._keys: dict[Step, Key] = {}

    def add(self, step: Step) -> Key:
        """The step's key; the step is in the set from now on."""
        key = self._keys.get(step)
        if key is None:
            key = self._keys[step] = key_of(step)
            self.steps[key] = step
        return key
