"""FPGM: filter pruning via geometric median (He et al. 2019)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prunectl.catalog.criterion import Criterion, Subject

if TYPE_CHECKING:
    from torch import Tensor

    from prunectl.catalog.criterion import Scores


class Fpgm(Criterion):
    """score = Σ over the other filters of its layer of the Euclidean distance to them (He et al. 2019, eq. 4).

    Filters near the geometric median of their layer, which the others can replace, have the lowest sums. All filters
    are scored at once; those that are gone already take no part. Sums of the convolutions of a group are added.
    """

    name = "fpgm"
    summary = "Σ of distances to the other filters of the layer: filters that others can replace go, layer by layer"
    paper = "He et al. (2019), eq. 4"
    structures = ("channels",)
    usual_scope = "layerwise"
    repeatable = True

    def score(self, subject: Subject) -> Scores:
        """One matrix of distances per layer, no data."""
        from prunectl.pruning.engines.channel_groups import Groups

        groups = Groups.of(subject)
        sums = {name: _distances(weight, subject.masks[name]) for name, weight in subject.weights.items()}
        return groups.scores(groups.joined(sums, "sum"))


def _distances(weight: Tensor, mask: Tensor) -> Tensor:
    """(outputs,) the sum of distances of each filter to those that are left; 0 for one that is gone."""
    import torch

    alive = mask.flatten(1).any(1).to(weight.device)
    filters = weight.detach().flatten(1)[alive].double()
    sums = torch.zeros(len(weight), dtype=torch.float64, device=weight.device)
    sums[alive] = torch.cdist(filters, filters, compute_mode="donot_use_mm_for_euclid_dist").sum(1)
    return sums
