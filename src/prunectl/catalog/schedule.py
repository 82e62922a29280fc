"""What every learning-rate schedule declares: the rate over a training, as a factor."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Any, Self

from pydantic import Field

from prunectl.catalog.entry import Entry
from prunectl.catalog.required import required


@dataclass(frozen=True)
class InUnits:
    """Marks a parameter (a number or a list of them) that counts in the recipe's unit: epochs, or steps."""


class Schedule(Entry):
    """An entry of the schedules."""

    warmup: Annotated[
        int, InUnits(), Field(ge=0, le=1_000_000_000, description="the rate rises from 0 for this long")
    ] = 0

    @required
    def factor(self, step: int, steps: int) -> float:
        """What the learning rate is multiplied by in the step that follows `step` finished ones, 0 ≤ step < steps.

        Warmup apart; lengths are in steps (see `in_steps`).
        """
        raise NotImplementedError

    def preimage(self) -> dict[str, Any]:
        """A warmup begins at 0 since its second version; where there is none, nothing has changed."""
        return super().preimage() | ({"warmup_version": 2} if self.warmup else {})

    def warm(self, step: int) -> float:
        """The factor of the warmup: 0 for the first step, rising in a line to 1 (open_lth, Frankle et al. 2021)."""
        return min(1.0, step / self.warmup) if self.warmup else 1.0

    def problems(self, length: int) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """What does not fit into a training of `length` units, each with its place in the table."""
        if self.warmup >= length:
            yield ("warmup",), f"a warmup of {self.warmup} leaves nothing of a training of {length}"

    def in_steps(self, unit: int) -> Self:
        """The same schedule with everything that counts in units counted in steps, `unit` of them each."""
        return self.stretched(Fraction(unit))

    def stretched(self, factor: Fraction) -> Self:
        """The same schedule with everything that it counts multiplied by a factor, to the nearest whole number."""
        values = {
            key: _times(getattr(self, key), factor) if InUnits() in field.metadata else getattr(self, key)
            for key, field in type(self).model_fields.items()
        }
        # Constructed, not copied: a copy takes along the pre-image that was cached in other units.
        return type(self).model_construct(**values)


def _times(value: Any, factor: Fraction) -> Any:
    if isinstance(value, tuple):
        return tuple(round(item * factor) for item in value)
    return None if value is None else round(value * factor)
