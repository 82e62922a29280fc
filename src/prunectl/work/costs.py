"""What a network costs to run, counted once in a process for all masks of it.

A network whose operations depend on the values of its weights is code of a third party; its worker does one step only.
"""

from __future__ import annotations

from collections.abc import Collection

from torch import nn

from prunectl.models.flops import Flops, flops_of
from prunectl.plan.steps import Network
from prunectl.work.recent import Recent

MOST = 4
"""Networks that are kept, by seed: how a network is wired may be drawn."""

_COUNTED: Recent[tuple[Network, int, tuple[str, ...]], Flops] = Recent(MOST)


def costs_of(declared: Network, seed: int, network: nn.Module, weights: Collection[str]) -> Flops:
    """FLOPs of one image, and the share of each of these weights. Raises what `flops_of` raises."""
    names = tuple(weights)  # in this order they are added up
    return _COUNTED.get_or_make((declared, seed, names), lambda: flops_of(network, declared.shape, weights))
