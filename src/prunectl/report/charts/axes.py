"""Axes that several charts have. Every tick of a fraction is written as the texts of a page are: '67.23 %'."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence

import altair as alt
import polars as pl

from prunectl.base.text import percent

NARROWEST_PX = 230
"""The width of a frame for which the labels of ticks are placed: that on a phone, or of a panel."""
LEVELS = 3
"""The number of rows in which labels of ticks may be."""
BLANK = "\u200b"
"""An empty line of a label: Vega cuts spaces off, and browsers leave out a line without a character."""
LETTER_PX = 6.0
"""About how wide a letter of a tick's label is."""


def accuracy(title: str, numbers: Sequence[float], field: str = "center:Q") -> alt.Y:
    """A y axis from a little below the lowest to a little above the highest of some accuracies, at most 1."""
    low, high = min(numbers), max(numbers)
    room = 0.06 * max(high - low, 0.005)
    domain = [max(0.0, low - room), min(1.0, high + room)] if high <= 1 else [low - room, high + room]
    digits = 0 if high - low > 0.06 else 1 if high - low > 0.006 else 2
    return alt.Y(
        field, title=title, scale=alt.Scale(domain=domain, zero=False, nice=False),
        axis=alt.Axis(labelExpr=in_percent(f".{digits}f"), tickCount=6),
    )  # fmt: skip


def in_percent(format: str = ".4~r") -> str:
    """The expression of the label of a tick that is a fraction; `format` is that of the number before ' %'."""
    return f"format(datum.value * 100, '{format}') + ' %'"


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


def sparsity(values: Sequence[float], title: str = "sparsity (fraction of the weights removed)") -> alt.X:
    """A linear axis of sparsities."""
    low, high = min(values), max(values)
    room = 0.03 * max(high - low, 0.02)
    ticks = _ticks(values)
    return alt.X(
        "sparsity:Q", title=title, scale=alt.Scale(domain=[low - room, high + room], nice=False),
        axis=labelled(ticks, [[percent(tick)] for tick in ticks], lambda value: (value - low) / (high - low or 1)),
    )  # fmt: skip


def _ticks(values: Sequence[float]) -> list[float]:
    """A tick for each sparsity if there are at most eight; else tenths."""
    unique = sorted(set(values))
    if len(unique) <= 8:
        return unique
    return [tenth / 10 for tenth in range(11) if unique[0] - 0.03 <= tenth / 10 <= unique[-1] + 0.03]


def remaining(values: Sequence[float]) -> alt.X:
    """A log axis of compression, each tick with the share of weights remaining, as the papers draw it."""
    unique = sorted(set(values))
    ticks = unique if len(unique) <= 9 else [2.0**power for power in range(14) if 2**power <= unique[-1] * 1.01]
    factor = max(1.05, (unique[-1] / unique[0]) ** 0.04)
    span = math.log(unique[-1] / unique[0]) or 1.0
    return alt.X(
        "compression:Q", title="compression · weights remaining (log scale)",
        scale=alt.Scale(type="log", base=2, domain=[unique[0] / factor, unique[-1] * factor], nice=False),
        axis=labelled(
            ticks, [[f"{tick:.3g}×", percent(float(f"{1 / tick:.3g}"))] for tick in ticks],
            lambda value: math.log(value / unique[0]) / span,
        ),
    )  # fmt: skip


def labelled(ticks: Sequence[float], texts: Sequence[Sequence[str]], place: Callable[[float], float]) -> alt.Axis:
    """An axis with these ticks and the text of each, of one or more lines.

    `place` is 0 at its left end and 1 at its right. Texts that would touch go below each other; a text that touches
    another even so is left out, its tick is not.
    """
    free = [-math.inf] * LEVELS  # the pixel up to which each level is taken
    labels: list[list[str]] = []
    for tick, text in zip(ticks, texts, strict=True):
        middle, half = place(tick) * NARROWEST_PX, LETTER_PX * max(map(len, text)) / 2
        level = next((at for at, end in enumerate(free) if middle - half >= end), None)
        labels.append([] if level is None else [BLANK] * (level * len(text)) + list(text))
        if level is not None:
            free[level] = middle + half + 4
    expression = f"{json.dumps(labels, ensure_ascii=False)}[indexof({json.dumps(list(ticks))}, datum.value)]"
    return alt.Axis(values=list(ticks), grid=False, labelOverlap=False, labelExpr=expression)


def even_sparsities(frame: pl.DataFrame, angle: int = 0) -> alt.X:
    """An axis with the same distance between neighbouring sparsities, for a frame made by `with_sparsity_text`."""
    ticks = [percent(value) for value in sorted(frame["sparsity"].unique())]
    axis = alt.Axis(labelAngle=angle, labelOverlap=True)
    return alt.X("at_sparsity:N", sort=ticks, title="sparsity", axis=axis)


def with_sparsity_text(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with a column `at_sparsity`: the sparsity in percent, as a text."""
    return frame.with_columns(at_sparsity=pl.col("sparsity").map_elements(percent, return_dtype=pl.String))
