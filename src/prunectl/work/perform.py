"""Which module does which kind of step."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

from prunectl.plan.steps import STEPS, Step
from prunectl.work.context import Context, Inputs

KINDS: Mapping[str, str] = {step.kind: f"prunectl.work.{step.kind.replace('-', '_')}" for step in STEPS}
"""Kind of step → the module that does it."""


def perform(step: Step, inputs: Inputs, out: Path, context: Context) -> None:
    """Do a step: leave its files in the empty directory `out`."""
    import_module(KINDS[step.kind]).perform(step, inputs, out, context)
