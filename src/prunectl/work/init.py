"""Draw a network's weights, or load them."""

from __future__ import annotations

from pathlib import Path

from prunectl.plan.steps import Init, Loaded
from prunectl.store import layout
from prunectl.training.state import network_tensors
from prunectl.work.context import Context, Inputs
from prunectl.work.networks import drawn, loaded
from prunectl.work.tensors import write_tensors


def perform(step: Init, inputs: Inputs, out: Path, context: Context) -> None:
    """Leaves a state without optimizer. Raises WeightsError for a file that has changed since the study was read."""
    init = step.network.init
    if isinstance(init, Loaded):
        network = loaded(step.network, step.seed, context.weights[init.digest])
    else:
        network = drawn(step.network, step.seed, step.draw)
    write_tensors(out / layout.STATE, network_tensors(network))
