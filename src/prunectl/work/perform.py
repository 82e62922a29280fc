"""Which module does which kind of step."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

from prunectl.plan.steps import Step
from prunectl.work.context import Context, Inputs

KINDS: Mapping[str, str] = {
    "init": "prunectl.work.init",
    "train": "prunectl.work.train",
    "score": "prunectl.work.score",
    "prune": "prunectl.work.prune",
    "prune-rounds": "prunectl.work.prune_rounds",
    "prune-by-weights": "prunectl.work.prune",
    "prune-channels": "prunectl.work.prune",
    "prune-channels-rounds": "prunectl.work.prune_rounds",
    "shuffle": "prunectl.work.shuffle",
    "shuffle-channels": "prunectl.work.shuffle",
    "recalibrate": "prunectl.work.recalibrate",
    "measure": "prunectl.work.measure",
}


def perform(step: Step, inputs: Inputs, out: Path, context: Context) -> None:
    """Do a step: leave its files in the empty directory `out`."""
    import_module(KINDS[step.kind]).perform(step, inputs, out, context)
