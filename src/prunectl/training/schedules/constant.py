"""A rate that stays."""

from __future__ import annotations

from prunectl.catalog.schedule import Schedule


class Constant(Schedule):
    """The same rate throughout."""

    name = "constant"
    summary = "the rate stays"

    def factor(self, step: int, steps: int) -> float:
        """1."""
        return 1.0
