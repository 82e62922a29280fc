"""Whole channels of convolutions and rows of linear layers (Li et al. 2017; Renda et al. 2020)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from prunectl.base.errors import MethodError
from prunectl.catalog.scope import Scope
from prunectl.catalog.structure import Structure, Units
from prunectl.catalog.wording import shown

if TYPE_CHECKING:
    from torch import Tensor, nn


class Channels(Structure):
    """Channels that depend on each other go together, with everything that reads or scales them.

    They are ranked by the mean score of the weights that make them. The number of weights gone is the nearest to
    round(sparsity · n) that whole channels allow, and the best channel of every layer stays.
    """

    name = "channels"
    summary = "whole channels, as near to the sparsity as they allow; the network can be made smaller"
    exact = False

    def refusal(self, scope: Scope, sparsity: float | None = None) -> str | None:
        """A scope must declare how it ranks channels, and a floor is a number of single weights."""
        if scope.least():
            return f"scope {scope.label()} keeps single weights of every layer, and whole channels go: leave floor out"
        return f"{shown(scope.name)} spreads single weights, not channels" if scope.channels is None else None

    def check(self, network: nn.Module, weights: Mapping[str, Tensor], shape: tuple[int, int, int]) -> Iterator[str]:
        """The graph of channels must be known, and some channel must be free to go."""
        from prunectl.pruning.engines.channel_graph import channels_of
        from prunectl.pruning.engines.channel_masks import problems

        try:
            channels = channels_of(network, shape)
        except MethodError as error:
            yield str(error)
        else:
            yield from problems(weights, channels)

    def units(self, network: nn.Module, shape: tuple[int, int, int]) -> Units:
        """The sets of channels that live and die together. Raises MethodError for a graph that is not known."""
        from prunectl.pruning.engines.channel_graph import channels_of
        from prunectl.pruning.engines.channel_masks import WholeChannels

        return WholeChannels(channels_of(network, shape))
