"""How many weights go with each set of channels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from prunectl.pruning.engines.channel_graph import ChannelSets


@dataclass(frozen=True, kw_only=True, eq=False)
class Sizes:
    """How many rows and columns of each layer each set has. Scored layers come first, in the order of the scores.

    For example, three linear layers of 2 → 3 → 3 → 2 units, all scored. Their ten sets are two inputs (0, 1), the
    units of the first layer (2, 3, 4), those of the second (5, 6, 7), and two outputs (8, 9):

        rows     first layer   0 0 1 1 1 0 0 0 0 0      columns  first layer   1 1 0 0 0 0 0 0 0 0
                 second        0 0 0 0 0 1 1 1 0 0               second        0 0 1 1 1 0 0 0 0 0
                 third         0 0 0 0 0 0 0 0 1 1               third         0 0 0 0 0 1 1 1 0 0

    and `area` is 1, 1, 1. There are 6 + 9 + 6 = 21 weights.

    - `left` of the sets 3, 6, 2 in this order is 21, 16, 12, 8: set 3 takes a row of 2 and a column of 3 along, set 6
      then a row of 2 and a column of 2, set 2 a row of 2 and a column of 2.
    - `last` of the order 3, 6, 2, 5, 4, 7 is true for 4 and for 7: with them the first and the second layer would
      have nothing left, so they stay.
    - `most` is 5: what set 3 takes from the whole network.
    """

    layers: tuple[str, ...]
    rows: Tensor
    """(layers, sets)."""
    columns: Tensor
    """(scored, sets); all zero for a grouped convolution."""
    area: Tensor
    """(scored,) weights for each row and column: the size of a kernel."""

    @classmethod
    def of(cls, weights: Mapping[str, Tensor], channels: ChannelSets) -> Sizes:
        """The sizes of a network's sets, `weights` being the scored ones."""
        none = torch.zeros(0, dtype=torch.long)
        layers = (*weights, *(name for name in channels.rows if name not in weights))
        rows = [torch.bincount(channels.rows[name], minlength=channels.count) for name in layers]
        columns = [torch.bincount(channels.columns.get(name, none), minlength=channels.count) for name in weights]
        area = [
            weight.numel() // (len(channels.rows[name]) * len(channels.columns.get(name, (0,))))
            for name, weight in weights.items()
        ]
        return cls(layers=layers, rows=torch.stack(rows), columns=torch.stack(columns), area=torch.tensor(area))

    def groups(self) -> Tensor:
        """(sets,) a number for each combination of layers that sets have rows in."""
        groups: Tensor = torch.unique(self.rows > 0, dim=1, return_inverse=True)[1]
        return groups

    def last(self, order: Tensor) -> Tensor:
        """(n,) bool: which of these sets, in the order in which they go, are the last of a layer."""
        last = torch.zeros(len(order), dtype=torch.bool)
        for present in self.rows[:, order] > 0:
            last[present.nonzero().flatten()[-1:]] = True
        return last

    def left(self, keep: Tensor, order: Tensor) -> Tensor:
        """(n + 1,) how many scored weights are left after none, one, two, ... of the sets in this order."""
        total = torch.zeros(len(order) + 1, dtype=torch.long)
        for rows, columns, area in zip(self.rows, self.columns, self.area, strict=False):
            lost = [torch.cat([torch.zeros(1, dtype=torch.long), sizes[order].cumsum(0)]) for sizes in (rows, columns)]
            inputs = columns[keep].sum() if bool(columns.any()) else torch.tensor(1)
            total += (rows[keep].sum() - lost[0]) * (inputs - lost[1]) * area
        return total

    def most(self) -> int:
        """The most weights that a single set takes along from the whole network."""
        rows, columns = self.rows[: len(self.area)], self.columns
        outputs, inputs = rows.sum(1, keepdim=True), columns.sum(1, keepdim=True).clamp(min=1)
        return int(((outputs * inputs - (outputs - rows) * (inputs - columns)) * self.area[:, None]).sum(0).max())
