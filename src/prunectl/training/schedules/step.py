"""A rate that falls at milestones."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated

from pydantic import AfterValidator, Field

from prunectl.base.errors import Problem
from prunectl.catalog.problems import line, refused
from prunectl.catalog.schedule import InUnits, Schedule
from prunectl.catalog.values import Count, Rate


def _ascending(milestones: tuple[int, ...]) -> tuple[int, ...]:
    lines = [
        line(Problem(path=(place,), message=f"milestones must ascend; {later} follows {earlier}"), milestones)
        for place, (earlier, later) in enumerate(pairwise(milestones), start=1)
        if later <= earlier
    ]
    if lines:
        raise refused(lines)
    return milestones


class Step(Schedule):
    """The rate is multiplied by `gamma` at each milestone."""

    name = "step"
    summary = "the rate is multiplied by `gamma` at each of the `milestones`"

    milestones: Annotated[
        tuple[Count, ...],
        InUnits(),
        Field(min_length=1, description="where the rate falls, ascending"),
        AfterValidator(_ascending),
    ]
    gamma: Annotated[Rate, Field(description="the factor at each milestone")] = 0.1

    def factor(self, step: int, steps: int) -> float:
        """gamma to the power of the number of milestones that `step` has reached."""
        return self.gamma ** sum(step >= milestone for milestone in self.milestones)

    def problems(self, length: int) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """Milestones lie before the end."""
        for place, milestone in enumerate(self.milestones):
            if milestone >= length:
                message = f"milestone {milestone} is not before the end of the training at {length}"
                yield ("milestones", place), message
        yield from super().problems(length)
