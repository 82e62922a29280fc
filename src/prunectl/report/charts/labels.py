"""The names of lines at their right ends, instead of a legend."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import altair as alt
import polars as pl

from prunectl.base.text import shortened
from prunectl.report.charts import axes
from prunectl.report.charts.chart import Sheet
from prunectl.report.charts.look import MOST_VARIANTS, SHOWN, Look
from prunectl.report.charts.pieces import HEIGHT, with_series

MOST_LABELS = 7
"""With more lines than this, a chart has a legend."""
LABEL_PX = 13
"""The height of one line of text."""


def fit(frame: pl.DataFrame, look: Look) -> bool:
    """Whether the lines carry their names: if they are few. `look` is that of the frame."""
    return len(look.variants) <= MOST_VARIANTS and with_series(frame)["series"].n_unique() <= MOST_LABELS


def end_labels(sheet: Sheet, frame: pl.DataFrame, x: str, look: Look, y: alt.Y, height: int = HEIGHT) -> Any:
    """The name of each line at its right end, moved apart where lines end close together."""
    last = with_series(frame).sort(x, maintain_order=True).unique("series", keep="last", maintain_order=True)
    low, high = axes.domain_of(y)
    names = [broken(name) for name in last["series"]]
    wanted = ((high - last["center"]) / (high - low) * height).to_list()
    placed = apart(wanted, [LABEL_PX * (1 + name.count("\n")) for name in names], height)
    rows = [
        {"hue": hue, "name": name, "place": place - LABEL_PX / 2 * name.count("\n")}  # of the first line
        for hue, name, place in zip(last["hue"], names, placed, strict=True)
    ]
    # Zoomed lines are cut at the frame of the chart. Their names are outside of it, so they are never cut.
    mark = alt.Chart(sheet.values(rows)).transform_filter(SHOWN).mark_text(
        align="left", baseline="middle", dx=9, fontSize=11, fontWeight="bold", clip=False, lineBreak="\n"
    )  # fmt: skip
    place = alt.Y("place:Q", scale=None, axis=None)
    return mark.encode(x=alt.value("width"), y=place, text="name:N", color=look.colour(False))


def broken(name: str) -> str:
    """A long name in up to four lines of at most 26 characters."""
    lines = name.split("\n") if len(name) <= 16 else name.replace(", ", ",\n").replace(" · ", " ·\n").split("\n")
    return "\n".join(shortened(line, 26) for line in lines[:4])


def width_px(frame: pl.DataFrame, look: Look) -> int:
    """About how wide the labels are; 0 where there are none."""
    return names_px(with_series(frame)["series"]) if fit(frame, look) else 0


def names_px(names: Iterable[str]) -> int:
    """About how wide names are as labels."""
    longest = max(len(line) for name in names for line in broken(name).split("\n"))
    return 12 + round(6.6 * longest)


def height_px(names: Iterable[str]) -> int:
    """How high names are as labels, below each other."""
    return sum(LABEL_PX * (1 + broken(name).count("\n")) for name in names)


def apart(wanted: Sequence[float], sizes: Sequence[float], height: float) -> list[float]:
    """The middles of labels of the given sizes: as near to the wanted ones as possible without covering each other,
    and within the height if they fit.
    """
    order = sorted(range(len(wanted)), key=lambda index: wanted[index])
    placed: dict[int, float] = {}
    free = -float("inf")
    for index in order:
        placed[index] = max(wanted[index], free + sizes[index] / 2)
        free = placed[index] + sizes[index] / 2
    free = max(height, sum(sizes))
    for index in reversed(order):
        placed[index] = min(placed[index], free - sizes[index] / 2)
        free = placed[index] - sizes[index] / 2
    return [placed[index] for index in range(len(wanted))]
