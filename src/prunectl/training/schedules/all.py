from __future__ import annotations

from typing import Annotated

from pydantic import Field

from prunectl.catalog.schedule import InUnits, Schedule


class Constant(Schedule):
    name = "constant"
    summary = "c"


class Cosine(Schedule):
    name = "cosine"
    summary = "c"


class Linear(Schedule):
    name = "linear"
    summary = "c"


class Step(Schedule):
    name = "step"
    summary = "c"
    milestones: Annotated[tuple[int, ...], InUnits(), Field(min_length=1)]
    gamma: float = 0.1
