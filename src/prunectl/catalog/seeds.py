"""Seeds that are added until the claims of a study are settled: at which numbers of seeds claims are judged.

Lan and DeMets (1983), Biometrika 70: an error of 5 % that is spent in parts over looks that are fixed beforehand. The
bound holds by Boole's inequality whatever the dependence between the looks: the shares add up to the whole error.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from prunectl.base.errors import Problem
from prunectl.catalog.section import Section
from prunectl.catalog.wording import shown

ALPHA = 0.05
"""The two-sided error of a verdict on a single case."""

SPENT: Mapping[int, float] = {3: 0.005, 4: 0.005, 6: 0.007, 8: 0.008}
"""The share of ALPHA that a look before the last takes, by its number of seeds."""

FIRST, LAST = 3, 12
"""The least number of seeds that has an interval, and the greatest number for which looks are defined."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """A number of seeds at which claims are judged, and the two-sided error that this look may take."""

    seeds: int
    alpha: float


class UntilSettled(Section):
    """seeds = { at_least, until = "settled", at_most }: seeds from 1 on, more for the arms of claims that are open."""

    model_config = ConfigDict(json_schema_extra={"x-words": 'a table { at_least = N, until = "settled", at_most = N }'})

    at_least: Annotated[int, Field(ge=FIRST, le=LAST)] = Field(
        default=FIRST, description="the number of seeds that every arm has, after which claims are judged first"
    )
    until: Literal["settled"] = Field(description="when no more seeds are added: when the claims are settled")
    at_most: Annotated[int, Field(ge=FIRST, le=LAST)] = Field(
        default=LAST, description="the number of seeds of the last look, after which a claim stays open"
    )

    @classmethod
    def rules(cls, table: Mapping[str, Any]) -> Iterator[Problem]:
        """There is a first look that can settle something, and a last one for which an error is defined."""
        least, most = table.get("at_least", FIRST), table.get("at_most", LAST)
        if type(least) is not int or type(most) is not int:
            return
        if least < FIRST:
            message = f"must be at least {FIRST}, not {shown(least)}: fewer seeds have no interval, and settle nothing"
            yield Problem(path=("at_least",), message=message)
        if most > LAST:
            looks = ", ".join(map(str, (*SPENT, LAST)))
            message = f"must be at most {LAST}, not {shown(most)}: claims are judged after {looks} seeds"
            yield Problem(path=("at_most",), message=message, hint="give a count of seeds for more than that")
        elif most < least:
            key, other = ("at_most", "at_least") if "at_most" in table else ("at_least", "at_most")
            relation = f"at least {least} (at_least)" if key == "at_most" else f"at most {most} (at_most)"
            message = (
                f"must be {relation}, not {shown(table[key])}: {other} comes {'first' if key == 'at_most' else 'last'}"
            )
            yield Problem(path=(key,), message=message)

    @property
    def looks(self) -> tuple[Look, ...]:
        """When claims are judged, and at which error: the last look takes what the others leave of ALPHA.

        A first look between the fixed ones takes the share of the one before it.
        """
        early = sorted({self.at_least, *(seeds for seeds in SPENT if seeds > self.at_least)})
        early = [seeds for seeds in early if seeds < self.at_most]
        shares = [SPENT[max(known for known in SPENT if known <= seeds)] for seeds in early]
        taken = [Look(seeds=seeds, alpha=alpha) for seeds, alpha in zip(early, shares, strict=True)]
        return (*taken, Look(seeds=self.at_most, alpha=round(ALPHA - sum(shares), 9)))
