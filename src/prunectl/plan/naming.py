"""What the steps of a plan are for, in words: the arm, the sparsity and the seed that need each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from prunectl.base.text import percent, plural
from prunectl.plan.graph import Plan, Trial
from prunectl.plan.steps import Ablate, Collapse, Key, Prune, PruneRounds, Score, Sensitivity, Step, Train


@dataclass(frozen=True, kw_only=True, slots=True)
class Purpose:
    """The first trial that needs a step, and how many others do."""

    trial: Trial
    arms: int
    sparsities: int


def purposes(plan: Plan) -> Mapping[Key, Purpose]:
    """What each step is for. A step that no trial needs is missing."""
    first: dict[Key, Trial] = {}
    arms: dict[Key, set[int]] = {}
    sparsities: dict[Key, set[float]] = {}
    for trial in plan.trials:
        own = [key for key in (trial.state, trial.mask, trial.collapse, *trial.measures) if key is not None]
        for key in plan.closure(own):
            first.setdefault(key, trial)
            arms.setdefault(key, set()).add(id(trial.placed))
            sparsities.setdefault(key, set()).add(trial.sparsity)
    return {
        key: Purpose(trial=trial, arms=len(arms[key]), sparsities=len(sparsities[key])) for key, trial in first.items()
    }


class Titles:
    """The steps of a plan in a few words each."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._purposes: Mapping[Key, Purpose] | None = None

    def __getitem__(self, key: Key) -> str:
        """'train snip · shuffle, 90 %, seed 1', 'train dense, seed 1, to step 200'."""
        if self._purposes is None:
            self._purposes = purposes(self.plan)
        step = self.plan.steps[key]
        purpose = self._purposes.get(key)
        verb = _verb(step)
        nobody = "" if verb.endswith(" dense") else " dense"
        return f"{verb}{nobody if purpose is None else _whose(step, purpose)}, seed {step.seed}{_span(step)}"


def _verb(step: Step) -> str:
    if isinstance(step, Score):
        return f"score {step.criterion.label()}"
    if isinstance(step, Collapse):
        return f"critical compression of {step.criterion.label()}"
    if isinstance(step, Train):
        dense = step.mask is None and step.during is None
        return "train dense" if dense else "train"
    if isinstance(step, Ablate):
        return step.ablation.label()
    if isinstance(step, Sensitivity):
        return f"each layer alone without {percent(step.rate)} of it"
    return "prune" if isinstance(step, Prune | PruneRounds) else step.kind


def _whose(step: Step, purpose: Purpose) -> str:
    """The arm and the sparsity; of a step that several share, how many."""
    arm = purpose.trial.arm.label
    if isinstance(step, Score | Collapse) or (isinstance(step, Train) and step.mask is None and step.during is None):
        return ""
    if purpose.arms > 1:
        shared = f" for {plural(purpose.arms, 'arm')}"
        return shared if purpose.sparsities > 1 else f"{shared}, {percent(purpose.trial.sparsity)}"
    return f" {arm}" if purpose.sparsities > 1 else f" {arm}, {percent(purpose.trial.sparsity)}"


def _span(step: Step) -> str:
    """From where to where a training goes that is one of several parts."""
    if not isinstance(step, Train) or (step.first_step == 0 and step.to_step == step.recipe.steps):
        return ""
    return f", steps {step.first_step} to {step.to_step}"
