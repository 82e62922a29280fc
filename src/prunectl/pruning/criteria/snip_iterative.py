"""Iterative SNIP (de Jorge et al. 2021; Frankle et al. 2021)."""

from __future__ import annotations

from prunectl.pruning.criteria.snip import Snip


class SnipIterative(Snip):
    """SNIP's score in 100 rounds, density keep^(k/100) after round k, each on the same batches.

    Frankle et al. (2021), Appendix; de Jorge et al. (2021), Section 4 ("Iterative SNIP"). Pruned weights stay pruned.
    """

    name = "snip-iterative"
    summary = "|w · ∂L/∂w| scored again in each of 100 rounds, density falling exponentially"
    paper = "de Jorge et al. (2021), Section 4; Frankle et al. (2021)"
    rounds = {"name": "exponential", "count": 100}
