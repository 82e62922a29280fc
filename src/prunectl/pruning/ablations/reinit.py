"""The same mask on other weights."""

from __future__ import annotations

from prunectl.catalog.ablation import Ablation


class Reinit(Ablation):
    """The mask stays, and the weights are drawn again from the same distribution (Frankle et al. 2021, Section 5)."""

    name = "reinit"
    summary = "the weights are drawn again, the mask stays"
    changes = "weights"
    noun = "reinitializing"
    verb = "reinitialized"
