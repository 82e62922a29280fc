"""Axes that several charts have. Every tick of a fraction is written as the texts of a page are: '67.23 %'."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import altair as alt
import polars as pl

from prunectl.base.text import percent
from prunectl.report.charts import ticks

SPARSITY = "sparsity (fraction of the weights removed)"
REMAINING = "compression · weights remaining (log scale)"
BETWEEN = (0.6, 0.85)
"""The least and the greatest share of the distance between two sparsities that is free between their marks."""
MARK_PX = 10
"""The distance of marks next to each other, where there is room."""


def accuracy(title: str, numbers: Sequence[float], field: str = "center:Q") -> alt.Y:
    """A y axis from a little below the lowest to a little above the highest of some accuracies, at most 1."""
    low, high = min(numbers), max(numbers)
    room = 0.06 * max(high - low, 0.005)
    domain = [max(0.0, low - room), min(1.0, high + room)] if high <= 1 else [low - room, high + room]
    return alt.Y(
        field, title=title, scale=alt.Scale(domain=domain, zero=False, nice=False),
        axis=alt.Axis(format=ticks.accuracy(high - low), tickCount=6),
    )  # fmt: skip


def own_accuracy(title: str, spans: Iterable[float], field: str = "center:Q") -> alt.Y:
    """The y axis of panels that have their own scales, which reach over the spans. Its ticks have as many decimals as
    the narrowest panel needs.
    """
    span = min((each for each in spans if each > 0), default=0.0)
    return alt.Y(
        field, title=title, scale=alt.Scale(zero=False, nice=False, padding=8),
        axis=alt.Axis(format=ticks.accuracy(span), tickCount=5, minExtent=38),
    )  # fmt: skip


def numbers(frame: pl.DataFrame, columns: Sequence[str] = ("center", "low", "high")) -> list[float]:
    """All numbers of some columns, for the domain of an axis."""
    single = frame["seeds"].explode().drop_nulls().to_list() if "seeds" in frame.columns else []
    return [float(value) for name in columns for value in frame[name].drop_nulls()] + single


def domain_of(axis: alt.Y) -> tuple[float, float]:
    """The domain of an axis made by `accuracy`."""
    low, high = axis["scale"]["domain"]
    return float(low), float(high)


def along(y: alt.Y, field: str) -> alt.Y:
    """The same axis for another field of the same chart."""
    return alt.Y(field, scale=y["scale"], title=y["title"])


def across(axis: alt.Y | alt.X, field: str | None = None) -> alt.X:
    """The same axis along the bottom, for its own field or another one."""
    shown = {} if axis["axis"] is alt.Undefined else {"axis": axis["axis"]}
    return alt.X(axis["shorthand"] if field is None else field, scale=axis["scale"], title=axis["title"], **shown)


def sparsity(values: Sequence[float], title: str | None = SPARSITY, width: float = ticks.NARROWEST_PX) -> alt.X:
    """A linear axis of sparsities."""
    low, high = min(values), max(values)
    room = 0.03 * max(high - low, 0.02)
    shown = _ticks(values)
    return alt.X(
        "sparsity:Q", title=title, scale=alt.Scale(domain=[low - room, high + room], nice=False),
        axis=ticks.labelled(shown, ticks.percentages(shown), lambda value: (value - low) / (high - low or 1), width),
    )  # fmt: skip


def _ticks(values: Sequence[float]) -> list[float]:
    """A tick for each sparsity if there are at most eight; else tenths."""
    unique = sorted(set(values))
    if len(unique) <= 8:
        return unique
    return [tenth / 10 for tenth in range(11) if unique[0] - 0.03 <= tenth / 10 <= unique[-1] + 0.03]


def remaining(values: Sequence[float], title: str | None = REMAINING, width: float = ticks.NARROWEST_PX) -> alt.X:
    """A log axis of compression, each tick with the share of weights remaining, as the papers draw it."""
    unique = sorted(set(values))
    shown = unique if len(unique) <= 9 else [2.0**power for power in range(14) if 2**power <= unique[-1] * 1.01]
    factor = max(1.05, (unique[-1] / unique[0]) ** 0.04)
    span = math.log(unique[-1] / unique[0]) or 1.0
    return alt.X(
        "compression:Q", title=title,
        scale=alt.Scale(type="log", base=2, domain=[unique[0] / factor, unique[-1] * factor], nice=False),
        axis=ticks.labelled(
            shown, [[f"{tick:.3g}×", percent(float(f"{1 / tick:.3g}"))] for tick in shown],
            lambda value: math.log(value / unique[0]) / span, width,
        ),
    )  # fmt: skip


def even_sparsities(
    frame: pl.DataFrame, *, width: float = ticks.NARROWEST_PX, marks: int = 1, title: str | None = "sparsity"
) -> alt.X:
    """An axis with the same distance between neighbouring sparsities, for a frame made by `with_sparsity_text`.

    With several `marks` next to each other at each sparsity, they are near its tick, and far from those of the next
    one: it is clear to which sparsity a mark belongs.
    """
    names = [percent(value) for value in sorted(frame["sparsity"].unique())]
    axis = ticks.in_bands(names, [[name] for name in names], width)
    scale = alt.Undefined if marks == 1 else _in_groups(1 - marks * MARK_PX * len(names) / (1.5 * width))
    return alt.X("at_sparsity:N", sort=names, title=title, axis=axis, scale=scale)


def _in_groups(free: float) -> alt.Scale:
    between = min(max(free, BETWEEN[0]), BETWEEN[1])
    return alt.Scale(paddingInner=between, paddingOuter=between / 2)


def next_to_each_other(field: str, names: Sequence[str]) -> alt.XOffset:
    """The places of marks in their group, on an axis of `even_sparsities` that has as many."""
    return alt.XOffset(f"{field}:N", sort=list(names), scale=alt.Scale(domain=list(names), paddingOuter=0))


def with_sparsity_text(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with a column `at_sparsity`: the sparsity in percent, as a text."""
    return frame.with_columns(at_sparsity=pl.col("sparsity").map_elements(percent, return_dtype=pl.String))
