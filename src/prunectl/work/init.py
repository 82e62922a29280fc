"""Draw a network's weights."""

from __future__ import annotations

from pathlib import Path

from prunectl.base.rng import generator
from prunectl.plan.steps import Init
from prunectl.store import layout
from prunectl.training.state import network_tensors
from prunectl.work.context import Context, Inputs
from prunectl.work.networks import drawn
from prunectl.work.tensors import write_tensors


def perform(step: Init, inputs: Inputs, out: Path, context: Context) -> None:
    """Leaves a state without optimizer."""
    network = drawn(step.network, step.seed, generator(step.seed, step.draw))
    write_tensors(out / layout.STATE, network_tensors(network))
