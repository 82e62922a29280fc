"""A sparsity reached at once."""

from __future__ import annotations

from prunectl.catalog.rounds import Rounds


class OneShot(Rounds):
    """The network is scored once, and everything goes at once. Every sparsity shares the scores."""

    name = "one-shot"
    summary = "at once"

    def targets(self, sparsity: float) -> list[float]:
        """The sparsity itself."""
        return [sparsity]
