"""[sweep] levels: sparsities that repeated prunings by one rate pass through."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import Field

from prunectl.base.errors import Problem
from prunectl.catalog.section import Section
from prunectl.catalog.values import Rate


class LevelsSection(Section):
    """levels: `count` prunings, each by the fraction `rate` of what is left; level k is 1 − (1 − rate)^k."""

    rate: Rate = Field(description="the fraction of what is left that each level removes")
    count: Annotated[int, Field(ge=1, le=100)] = Field(description="how many levels follow the dense one")

    @classmethod
    def rules(cls, table: Mapping[str, Any]) -> Iterator[Problem]:
        """The last level leaves something."""
        rate, count = table.get("rate"), table.get("count")
        if isinstance(rate, float) and 0 < rate < 1 and type(count) is int and 1 <= count <= 100:
            levels = levels_of(rate, count)
            if len(set(levels)) < len(levels) or levels[-1] >= 1:
                message = f"{count} levels of rate {rate} leave nothing; give fewer"
                yield Problem(path=("count",), message=message)


def levels_of(rate: float, count: int) -> tuple[float, ...]:
    """The sparsities, with the dense network's."""
    return tuple(1 - (1 - rate) ** level for level in range(count + 1))
