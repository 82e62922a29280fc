"""Scales of BatchNorm: network slimming (Liu et al. 2017)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from prunectl.catalog.criterion import Criterion, Subject
from prunectl.catalog.members import Members

if TYPE_CHECKING:
    from torch import Tensor, nn

    from prunectl.catalog.criterion import Scores


class BnScale(Criterion):
    """score = |γ| of the BatchNorm after the layer that makes a channel (Liu et al. 2017, Section 3), in one ranking.

    The paper trains with an L1 penalty on γ before: `[train] bn_l1`. Where several BatchNorms scale the channels of
    a group, their |γ| are averaged, or summed.
    """

    name = "bn-scale"
    summary = "|γ| of the BatchNorm after the layer: channels that it scales down go"
    paper = "Liu et al. (2017), Section 3"
    structures = ("channels",)
    repeatable = True

    members: Members = "mean"

    def check(self, network: nn.Module, weights: Mapping[str, Tensor], shape: tuple[int, int, int]) -> Iterator[str]:
        """Every channel that may go needs a BatchNorm."""
        from prunectl.pruning.engines.channel_norms import without_batch_norm

        yield from without_batch_norm(self.label(), network, weights, shape)

    def score(self, subject: Subject) -> Scores:
        """No data, no gradient."""
        from prunectl.pruning.engines.channel_groups import Groups

        groups = Groups.of(subject)
        scales = {name: weight.detach().abs() for name, weight, _ in groups.norms()}
        return groups.scores(groups.joined(scales, self.members))
