"""Which module does which kind of step."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

import torch

from prunectl.base.rng import seeded
from prunectl.plan.steps import STEPS, Step
from prunectl.work import held
from prunectl.work.context import Context, Inputs

KINDS: Mapping[str, str] = {step.kind: f"prunectl.work.{step.kind.replace('-', '_')}" for step in STEPS}
"""Kind of step → the module that does it."""


def perform(step: Step, inputs: Inputs, out: Path, context: Context) -> None:
    """Do a step: leave its files in the empty directory `out`.

    Whatever code of third parties draws from the global generators is decided by the seed and the kind of step. A step
    that a GPU has too little memory for is done once more without the data that earlier steps have left there.
    """
    try:
        _perform(step, inputs, out, context)
    except torch.OutOfMemoryError:
        if any(out.iterdir()) or not held.release(context.device):
            raise
    else:
        return
    # Only here, when nothing that the step had allocated is held by its traceback any more.
    while held.release(context.device):
        pass
    _perform(step, inputs, out, context)


def _perform(step: Step, inputs: Inputs, out: Path, context: Context) -> None:
    module = import_module(KINDS[step.kind])
    with seeded(step.seed, step.kind):
        module.perform(step, inputs, out, context)
