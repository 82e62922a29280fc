"""The matching sparsities of a study, shaded: where magnitude pruning after training is as accurate as the dense
network (Frankle et al. 2021, section 1).
"""

from __future__ import annotations

from dataclasses import dataclass

import altair as alt

from prunectl.base.text import percent
from prunectl.report import palette
from prunectl.results.matched import after_training, of_arms
from prunectl.results.table import Results


@dataclass(frozen=True, kw_only=True)
class Shading:
    """Up to which sparsity an arm of magnitude pruning after training matches; None: at none of the sweep."""

    arm: str
    sparsity: float | None

    @classmethod
    def of(cls, results: Results) -> Shading | None:
        """The matching sparsities of a study; None without magnitude pruning after training that is retrained."""
        found = of_arms(results.trials, results.study.report.matching_margin, results.task)
        furthest = after_training(results.arms, {arm: matching for arm, matching in found.items() if matching.known})
        return None if furthest is None else cls(arm=furthest[0], sparsity=furthest[1].estimate)

    @property
    def caption(self) -> str:
        """What is shaded, as a sentence."""
        if self.sparsity is None:
            return f"No sparsity is matching: {self.arm} is below the dense network at the lowest."
        upto = percent(self.sparsity)
        return f"Shaded: the matching sparsities, up to {upto}, at which {self.arm} matches the dense network."

    def band(self, x: alt.X, along: str) -> list[alt.Chart]:
        """A pale band from the left end of an axis of sparsity or compression; nothing where none is matching.

        It is drawn once in each panel: aggregating leaves one row of the data around it.
        """
        if self.sparsity is None:
            return []
        end = self.sparsity if along == "sparsity" else 1 / (1 - self.sparsity)
        begin, _ = x["scale"]["domain"]
        mark = alt.Chart().transform_aggregate(lines="count()").mark_rect(color=palette.NOTE, opacity=0.1, clip=True)
        drawn: alt.Chart = mark.encode(
            x=alt.XDatum(begin, scale=x["scale"], title=x["title"], axis=x["axis"]), x2=alt.X2Datum(end)
        )
        return [drawn]
