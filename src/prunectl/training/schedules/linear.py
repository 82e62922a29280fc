"""A rate that falls in a line."""

from __future__ import annotations

from prunectl.catalog.schedule import Schedule


class Linear(Schedule):
    """From 1 to 0 in a line."""

    name = "linear"
    summary = "the rate falls in a line to 0"

    def factor(self, step: int, steps: int) -> float:
        """1 − step / steps."""
        return 1 - step / steps
