"""Taylor expansion of the loss in gates on channels (Molchanov et al. 2019)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from prunectl.catalog.criterion import BatchNormCriterion, Subject

if TYPE_CHECKING:
    from torch import Tensor, nn

    from prunectl.catalog.criterion import Batch, Scores
    from prunectl.pruning.engines.channel_groups import Groups


class Taylor(BatchNormCriterion):
    """score = (∂L/∂z)² at z = 1, z a gate that multiplies a channel (Molchanov et al. 2019, eq. 8), in one ranking.

    `gate = "output"`: z multiplies the channel after its BatchNorm, so that ∂L/∂z = γ · ∂L/∂γ + β · ∂L/∂β; one gate
    for a group, summed over its BatchNorms before it is squared. `gate = "weights"`: Σ (∂L/∂w · w)² over the weights
    that make the group; the square of their sum would be 0 before a BatchNorm in training mode. Squared for each
    batch, then averaged.
    """

    name = "taylor"
    summary = "(∂L/∂z)² of a gate z on the channel: channels that the loss does not feel go"
    paper = "Molchanov et al. (2019), eq. 8"
    structures = ("channels",)
    repeatable = True

    gate: Annotated[
        Literal["output", "weights"],
        Field(description="one gate on the channel after its BatchNorm, or one on each weight of its filters"),
    ] = "output"

    def check(self, network: nn.Module, weights: Mapping[str, Tensor], shape: tuple[int, int, int]) -> Iterator[str]:
        """A gate on the output of a BatchNorm needs one."""
        from prunectl.pruning.engines.channel_norms import without_batch_norm

        if self.gate == "output":
            for reason in without_batch_norm(self.label(), network, weights, shape):
                yield f'{reason}; gate = "weights" needs no BatchNorm'

    def score(self, subject: Subject) -> Scores:
        """One forward and one backward pass per batch."""
        import torch

        from prunectl.pruning.engines.channel_groups import Groups

        groups = Groups.of(subject)
        squares = self._of_output if self.gate == "output" else self._of_weights
        values = torch.stack([squares(subject, batch, groups) for batch in subject.batches])
        return groups.scores(values.mean(0))

    @staticmethod
    def _of_output(subject: Subject, batch: Batch, groups: Groups) -> Tensor:
        """(groups,) the squared derivative of one batch's loss in the gate of each group."""
        from prunectl.pruning.engines.gradients import gradients_of

        norms = list(groups.norms())
        parameters = [parameter for _, *pair in norms for parameter in pair]
        slopes = gradients_of(subject, batch, parameters)
        terms = [(slope * parameter).detach() for slope, parameter in zip(slopes, parameters, strict=True)]
        sums = {name: terms[2 * place] + terms[2 * place + 1] for place, (name, *_) in enumerate(norms)}
        return groups.joined(sums, "sum").square()

    @staticmethod
    def _of_weights(subject: Subject, batch: Batch, groups: Groups) -> Tensor:
        """(groups,) the sum of squares over the weights that make each group."""
        from prunectl.pruning.engines.gradients import loss_gradients

        gradients = loss_gradients(subject, batch)
        sums = {
            name: (gradient * subject.weights[name].detach()).flatten(1).double().square().sum(1)
            for name, gradient in gradients.items()
        }
        return groups.joined(sums, "sum")
