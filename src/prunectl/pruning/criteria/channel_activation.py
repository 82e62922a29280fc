"""The mean activation of channels (Molchanov et al. 2017)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prunectl.catalog.criterion import BatchNormCriterion, Subject
from prunectl.catalog.members import Members

if TYPE_CHECKING:
    from prunectl.catalog.criterion import Scores


class ChannelActivation(BatchNormCriterion):
    """score = mean |output| of the channel over images and places (Molchanov et al. 2017, Section 2.2).

    The output is that of the first activation function that the layer's output reaches, behind BatchNorm and behind
    a residual sum, as for `activation`. Summed or averaged over the layers of a group, and ranked layer by layer.
    """

    name = "channel-activation"
    summary = "mean |output| of the channel after its activation function: quiet channels go, layer by layer"
    paper = "Molchanov et al. (2017), Section 2.2"
    needs_labels = False
    structures = ("channels",)
    usual_scope = "layerwise"
    repeatable = True

    members: Members = "sum"

    def score(self, subject: Subject) -> Scores:
        """One forward pass per batch."""
        import torch

        from prunectl.pruning.engines.activations import mean_activations
        from prunectl.pruning.engines.channel_groups import Groups
        from prunectl.pruning.prunable import layers_by_weight

        layers = layers_by_weight(subject.network, subject.weights)
        means = [mean_activations(subject.network, layers, images, absolute=True) for images, _ in subject.batches]
        groups = Groups.of(subject)
        outputs = {name: torch.stack([batch[name] for batch in means]).mean(0) for name in subject.weights}
        return groups.scores(groups.joined(outputs, self.members))
