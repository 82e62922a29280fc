"""Scores of whole channels: one value for a group of channels that live and die together, given to all its weights.

The structure "channels" ranks a group by the mean score of the weights that make it, which is then that value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from prunectl.base.batch_norm import is_batch_norm
from prunectl.catalog.criterion import Subject
from prunectl.catalog.members import Members
from prunectl.pruning.engines.channel_graph import ChannelSets, channels_of


@dataclass(frozen=True, kw_only=True, eq=False)
class Groups:
    """The groups of channels of a network that is scored."""

    subject: Subject
    channels: ChannelSets

    @classmethod
    def of(cls, subject: Subject) -> Groups:
        """Raises MethodError for a network whose channels cannot be followed."""
        return cls(subject=subject, channels=channels_of(subject.network, subject.shape))

    def norms(self) -> Iterator[tuple[str, nn.Parameter, nn.Parameter]]:
        """The BatchNorms that scale channels: the name of γ, γ and β."""
        for layer, norm in self.subject.network.named_modules():
            if is_batch_norm(norm) and norm.affine and f"{layer}.weight" in self.channels.entries:
                yield f"{layer}.weight", norm.weight, norm.bias

    def joined(self, values: Mapping[str, Tensor], members: Members) -> Tensor:
        """(groups,) float64, on the CPU: values of each channel of layers or BatchNorms, by parameter name.

        What is gone already counts as no member; 0 for a group without any.
        """
        totals, counts = (torch.zeros(self.channels.count, dtype=torch.float64) for _ in range(2))
        for name, given in values.items():
            groups = self.channels.rows[name] if name in self.channels.rows else self.channels.entries[name]
            alive = self._alive(name, len(groups))
            totals.index_add_(0, groups, torch.where(alive, given.detach().cpu().double(), 0.0))
            counts.index_add_(0, groups, alive.double())
        return totals / counts.clamp(min=1) if members == "mean" else totals

    def _alive(self, name: str, count: int) -> Tensor:
        if name in self.subject.masks:
            return self.subject.masks[name].flatten(1).any(1)
        return torch.ones(count, dtype=torch.bool)

    def scores(self, values: Tensor) -> dict[str, Tensor]:
        """The scores of all weights: those that make a channel have the value (groups,) of its group."""
        return {
            name: values[self.channels.rows[name]]
            .to(weight.dtype)
            .view(-1, *(1,) * (weight.dim() - 1))
            .expand(weight.shape)
            for name, weight in self.subject.weights.items()
        }
