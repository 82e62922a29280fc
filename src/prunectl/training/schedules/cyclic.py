"""A rate that rises and falls in cycles: Smith (2017)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from prunectl.base.errors import Problem
from prunectl.catalog.schedule import InUnits, Schedule
from prunectl.catalog.values import Count, Fraction, Rate


class Cyclic(Schedule):
    """The rate rises in a line from its lowest to `lr` and falls back, again and again: Smith (2017), Section 3.

    The paper's stepsize is `half_cycle`; its base_lr is `lowest` · lr, its max_lr is lr. "triangular2" halves the
    distance between the two with each cycle, "exp_range" multiplies it by `gamma` with each optimizer step.
    """

    name = "cyclic"
    summary = "the rate rises and falls in cycles of two `half_cycle`s, between `lowest` times itself and itself"

    half_cycle: Annotated[Count, InUnits(), Field(description="how long the rate rises, and how long it falls")]
    lowest: Annotated[Fraction, Field(description="the lowest rate, as a fraction of the highest")] = 0.25
    mode: Annotated[
        Literal["triangular", "triangular2", "exp_range"],
        Field(description="whether cycles stay as high, halve with each cycle or shrink by gamma with each step"),
    ] = "triangular"
    gamma: Annotated[Rate | None, Field(description="the factor of each optimizer step, for exp_range")] = None

    @classmethod
    def rules(cls, table: Mapping[str, Any]) -> Iterator[Problem]:
        """`gamma` is for the mode that shrinks by it, which needs it."""
        mode = table.get("mode", "triangular")
        if mode == "exp_range" and "gamma" not in table:
            yield Problem(path=("gamma",), message='missing: mode = "exp_range" needs it')
        if mode in ("triangular", "triangular2") and "gamma" in table:
            yield Problem(path=("gamma",), message=f'is for mode = "exp_range", not for "{mode}"')

    def factor(self, step: int, steps: int) -> float:
        """lowest + (1 − lowest) · height of the triangle · what the mode leaves of it."""
        cycle, place = divmod(step, 2 * self.half_cycle)
        height = 1 - abs(place / self.half_cycle - 1)
        left = {"triangular": 1.0, "triangular2": 0.5**cycle, "exp_range": (self.gamma or 1.0) ** step}[self.mode]
        return self.lowest + (1 - self.lowest) * height * left

    def problems(self, length: int) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """The highest rate is reached."""
        if self.half_cycle >= length:
            message = f"a half cycle of {self.half_cycle} does not reach the highest rate in a training of {length}"
            yield ("half_cycle",), message
        yield from super().problems(length)
