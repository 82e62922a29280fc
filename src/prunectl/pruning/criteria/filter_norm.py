"""Norms of filters (Li et al. 2017)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from prunectl.catalog.criterion import Criterion, Subject
from prunectl.catalog.members import Members

if TYPE_CHECKING:
    from prunectl.catalog.criterion import Scores


class FilterNorm(Criterion):
    """The norm of the filter that makes a channel, summed or averaged over the members of its group."""

    structures = ("channels",)
    usual_scope = "layerwise"
    repeatable = True

    order: ClassVar[int]
    """The p of the p-norm."""

    members: Members = "sum"

    def score(self, subject: Subject) -> Scores:
        """No data, no gradient."""
        from prunectl.pruning.engines.channel_groups import Groups

        norms = {name: weight.detach().flatten(1).norm(self.order, dim=1) for name, weight in subject.weights.items()}
        groups = Groups.of(subject)
        return groups.scores(groups.joined(norms, self.members))


class L1Norm(FilterNorm):
    """score = Σ |w| of the filter that makes a channel (Li et al. 2017, Section 3.1), layer by layer."""

    name = "l1-norm"
    summary = "Σ |w| of the filter: channels with small filters go, layer by layer"
    paper = "Li et al. (2017), Section 3.1"
    order = 1


class L2Norm(FilterNorm):
    """score = √(Σ w²) of the filter that makes a channel (Li et al. 2017, Section 4.5), layer by layer."""

    name = "l2-norm"
    summary = "√Σ w² of the filter: channels with small filters go, layer by layer"
    paper = "Li et al. (2017), Section 4.5"
    order = 2
