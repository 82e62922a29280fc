"""No ablation."""

from __future__ import annotations

from prunectl.catalog.ablation import Ablation


class Unmodified(Ablation):
    """Mask, weights and ranking as the method gives them."""

    name = "none"
    summary = "nothing: mask, weights and ranking as they are"
    changes = "nothing"
    noun = "no ablation"
    verb = "unmodified"
