"""A rate that falls as a cosine."""

from __future__ import annotations

import math

from prunectl.catalog.schedule import Schedule


class Cosine(Schedule):
    """From 1 to 0 along half a period of a cosine: Loshchilov and Hutter (2017), eq. 5, without restarts."""

    name = "cosine"
    summary = "the rate falls as a cosine to 0"

    def factor(self, step: int, steps: int) -> float:
        """(1 + cos(π · step / steps)) / 2."""
        return (1 + math.cos(math.pi * step / steps)) / 2
