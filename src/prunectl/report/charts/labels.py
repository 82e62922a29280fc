"""The names of lines at their right ends, instead of a legend."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import altair as alt
import polars as pl

from prunectl.base.text import shortened
from prunectl.report import palette
from prunectl.report.charts import axes, pieces
from prunectl.report.charts.chart import Name, Sheet
from prunectl.report.charts.look import MOST_VARIANTS, SHOWN, Look
from prunectl.report.charts.pieces import HEIGHT, with_series

MOST_LABELS = 7
"""With more lines than this, a chart has a legend."""
FULL, LONGEST, LINES = 19, 26, 4
"""Of a label: the length up to which parts share a line, the longest line, the number of lines."""
LABEL_PX = 13
"""The height of one line of text."""


def fit(frame: pl.DataFrame, look: Look) -> bool:
    """Whether the lines carry their names: if they are few. `look` is that of the frame."""
    return len(look.variants) <= MOST_VARIANTS and with_series(frame)["series"].n_unique() <= MOST_LABELS


def end_labels(
    sheet: Sheet, frame: pl.DataFrame, x: str, look: Look, y: alt.Y, height: int = HEIGHT, dense: float | None = None
) -> list[Any]:
    """The name of each line at its right end, moved apart where lines end close together; that of the baseline too.

    A frame without rows gives only that of the baseline.
    """
    last = _last(frame, x)
    low, high = axes.domain_of(y)
    names = [broken(name) for name in last["series"]]
    ends = [*last["center"], *([] if dense is None else [dense])]
    sizes = [LABEL_PX * (1 + name.count("\n")) for name in names] + [LABEL_PX] * (len(ends) - len(names))
    placed = apart([(high - end) / (high - low) * height for end in ends], sizes, height)
    rows = [
        {"hue": hue, "name": name, "place": place - LABEL_PX / 2 * name.count("\n")}  # of the first line
        for hue, name, place in zip(last["hue"], names, placed, strict=False)
    ]
    marks = []
    if rows:
        mark = _texts(sheet, rows, "bold").transform_filter(SHOWN)
        marks.append(mark.encode(text="name:N", color=look.colour(False)))
    if dense is not None:
        baseline = _texts(sheet, [{"dense": pieces.dense_text(dense), "place": placed[-1]}], "normal")
        marks.append(baseline.encode(text="dense:N", color=alt.value(palette.NOTE)))
    return marks


def _texts(sheet: Sheet, rows: list[dict[str, Any]], weight: Literal["bold", "normal"]) -> alt.Chart:
    """Texts to the right of the frame. Zoomed lines are cut at the frame; these are outside of it, and never cut."""
    drawn: alt.Chart = alt.Chart(sheet.values(rows)).mark_text(
        align="left", baseline="middle", dx=9, fontSize=11, fontWeight=weight, clip=False, lineBreak="\n"
    )  # fmt: skip
    return drawn.encode(x=alt.value("width"), y=alt.Y("place:Q", scale=None, axis=None))


def _last(frame: pl.DataFrame, x: str) -> pl.DataFrame:
    """The last point of each line."""
    return with_series(frame).sort(x, maintain_order=True).unique("series", keep="last", maintain_order=True)


def listed(
    frame: pl.DataFrame, x: str, look: Look, *, dashed: bool = True, marked: bool = True, dense: float | None = None
) -> tuple[Name, ...]:
    """The names of the lines for narrow screens, which have no room for labels, and the number of the baseline."""
    rows = _last(frame, x).select("series", "hue", "variant").iter_rows()
    dashes = look.dashes if dashed and len(look.dashes) > 1 else {}
    shapes = look.shapes if marked else {}
    baseline = [] if dense is None else [
        Name(text=pieces.dense_text(dense), colour=palette.NOTE, dash=pieces.DENSE_DASH)
    ]  # fmt: skip
    return (
        *(
            Name(text=text, colour=look.colours[hue], dash=dashes.get(variant, [1, 0]), shape=shapes.get(hue, ""))
            for text, hue, variant in rows
        ),
        *baseline,
    )


def broken(name: str) -> str:
    """A long name in up to four lines of at most 26 characters, broken between its parts."""
    parts = re.split(r"( · |, )", name)  # part, mark, part, ...
    lines = [parts[0]]
    for mark, part in zip(parts[1::2], parts[2::2], strict=True):
        together = lines[-1] + mark + part
        lines[-1:] = [together] if len(together) <= FULL else [lines[-1], part]
    if len(lines) > LINES:
        lines = [*lines[: LINES - 1], f"{lines[LINES - 1]} …"]
    return "\n".join(shortened(line, LONGEST) for line in lines)


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
