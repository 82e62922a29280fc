"""Axes that several charts have."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import polars as pl

from prunectl.base.text import percent


def accuracy(title: str, numbers: Sequence[float], field: str = "center:Q") -> alt.Y:
    """A y axis from a little below the lowest to a little above the highest of some accuracies, at most 1."""
    low, high = min(numbers), max(numbers)
    room = 0.06 * max(high - low, 0.005)
    domain = [max(0.0, low - room), min(1.0, high + room)] if high <= 1 else [low - room, high + room]
    digits = 0 if high - low > 0.06 else 1 if high - low > 0.006 else 2
    return alt.Y(
        field, title=title, scale=alt.Scale(domain=domain, zero=False, nice=False),
        axis=alt.Axis(format=f".{digits}%", tickCount=6),
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


def sparsity(values: Sequence[float]) -> alt.X:
    """A linear axis of sparsities."""
    low, high = min(values), max(values)
    room = 0.03 * max(high - low, 0.02)
    return alt.X(
        "sparsity:Q", title="sparsity (fraction of the weights removed)",
        scale=alt.Scale(domain=[low - room, high + room], nice=False),
        axis=alt.Axis(format=".3~%", grid=False, values=_ticks(values), labelOverlap="greedy"),
    )  # fmt: skip


def _ticks(values: Sequence[float]) -> list[float]:
    """A tick for each sparsity if there are at most eight; else tenths."""
    unique = sorted(set(values))
    return unique if len(unique) <= 8 else [tenth / 10 for tenth in range(11)]


def remaining(values: Sequence[float]) -> alt.X:
    """A log axis of compression, each tick with the share of weights remaining, as the papers draw it."""
    unique = sorted(set(values))
    ticks = unique if len(unique) <= 9 else [2**power for power in range(14) if 2**power <= unique[-1] * 1.01]
    factor = max(1.05, (unique[-1] / unique[0]) ** 0.04)
    return alt.X(
        "compression:Q", title="compression · weights remaining (log scale)",
        scale=alt.Scale(type="log", base=2, domain=[unique[0] / factor, unique[-1] * factor], nice=False),
        axis=alt.Axis(
            values=ticks, grid=False, labelOverlap="greedy",
            labelExpr="[format(datum.value, '.3~r') + '×', format(1 / datum.value, '.2~p')]",
        ),
    )  # fmt: skip


def even_sparsities(frame: pl.DataFrame, angle: int = 0) -> alt.X:
    """An axis with the same distance between neighbouring sparsities, for a frame made by `with_sparsity_text`."""
    ticks = [percent(value) for value in sorted(frame["sparsity"].unique())]
    axis = alt.Axis(labelAngle=angle, labelOverlap=True)
    return alt.X("at_sparsity:N", sort=ticks, title="sparsity", axis=axis)


def with_sparsity_text(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with a column `at_sparsity`: the sparsity in percent, as a text."""
    return frame.with_columns(at_sparsity=pl.col("sparsity").map_elements(percent, return_dtype=pl.String))
