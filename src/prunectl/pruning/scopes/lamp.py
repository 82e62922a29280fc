"""LAMP's layer sparsities (Lee et al. 2021), for any criterion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from prunectl.catalog.scope import Groups, Scope, Shapes, removed

if TYPE_CHECKING:
    from torch import Tensor


class LampAllocation(Scope):
    """Each layer loses as many weights as the LAMP criterion would take from it; the criterion decides which ones.

    Lee et al. (2021), Section 3: with `magnitude` this is `lamp` in a global scope. It looks at the weights that the
    criterion scores. Layers that tie at the cut share what is to go in proportion to their ties.
    """

    name = "lamp"
    summary = "as much of each layer as ranking LAMP scores globally would take"
    paper = "Lee et al. (2021), Section 3"
    needs_weights = True

    def groups(
        self, shapes: Shapes, sparsity: float, gone: Mapping[str, int], weights: Mapping[str, Tensor] | None = None
    ) -> Groups:
        """A group per layer."""
        from prunectl.pruning.engines.allocation import apportion
        from prunectl.pruning.engines.lamp_scores import lamp_scores, lowest_per_layer

        if weights is None:
            raise ValueError("the lamp scope needs the weights")
        scores = [lamp_scores(weights[name]) for name in shapes]
        more = removed(shapes, sparsity) - sum(gone.values())
        if more == 0:
            return [((name,), gone.get(name, 0)) for name in shapes]
        below, tied = lowest_per_layer(scores, more)
        share = (more - sum(below)) / max(sum(tied), 1)
        counts = apportion(
            [under + share * ties for under, ties in zip(below, tied, strict=True)],
            more,
            low=below,
            high=[under + ties for under, ties in zip(below, tied, strict=True)],
        )
        return [((name,), gone.get(name, 0) + count) for name, count in zip(shapes, counts, strict=True)]
