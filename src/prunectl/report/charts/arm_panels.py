"""Panels by arm, as the charts of a comparison have them: their data, their scales, their tooltips."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import Any

import altair as alt
import polars as pl

from prunectl.base.text import distinct, visible
from prunectl.report.charts import axes, pieces, ticks
from prunectl.report.charts.chart import Sheet, spec_of
from prunectl.report.charts.look import Look
from prunectl.results.statistics import bootstrap_words

PANELS = 24
"""Maximum number of panels. The tables of the page list all arms."""
UNEVEN = 5.0
"""Each panel has its own scale if the widest panel's range is more than this many times the median panel's."""
LONGEST = 80
"""Characters of the title of a panel."""
WIDTH, HEIGHT, PANEL_PX = 225, 170, 290
SPACING = pieces.SPACING | {"row": 82}
"""Where panels are aligned by their frames: sparsities close together have their labels below each other."""

OWN_SCALE = " Each panel has its own scale."
NUMBERS = ("mean", "low", "high", "difference", "published", "ours")
COLUMNS: dict[str, Any] = {
    **dict.fromkeys(("hue", "arm"), pl.String),
    **dict.fromkeys(("sparsity", *NUMBERS), pl.Float64),
    "n": pl.Int64,
    "seeds": pl.List(pl.Float64),
}


def frame(rows: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    """Rows as a frame ordered by sparsity. What a row does not have is null."""
    return axes.with_sparsity_text(pl.DataFrame(list(rows), schema=COLUMNS)).sort("sparsity", maintain_order=True)


def titles(arms: Iterable[str]) -> dict[str, str]:
    """The title of each arm's panel; no two are the same, or the lines of two arms would be drawn as one."""
    return {arm: visible(title) for arm, title in distinct(arms, LONGEST).items()}


def uneven(ranges: Iterable[float]) -> bool:
    """Whether one panel's range would flatten the others'."""
    spans = list(ranges)
    return max(spans) > UNEVEN * max(median(spans), 1e-9)


def ranges(drawn: pl.DataFrame, columns: Sequence[str]) -> Iterable[float]:
    """The range of the numbers in each panel."""
    for part in drawn.partition_by("arm"):
        numbers = axes.numbers(part, columns)
        yield max(numbers) - min(numbers)


def accuracy(drawn: pl.DataFrame, field: str, columns: Sequence[str], own: bool) -> alt.Y:
    """The axis of a field: one scale of accuracies that has room for all of the columns, or each panel its own."""
    if not own:
        return axes.accuracy("top-1 accuracy", axes.numbers(drawn, columns), field=f"{field}:Q")
    return axes.own_accuracy("top-1 accuracy", ranges(drawn, columns), f"{field}:Q")


def sparsity(drawn: pl.DataFrame) -> alt.X:
    """The axis of sparsities, linear as in the report. Its title is that of all panels."""
    return axes.sparsity(drawn["sparsity"].to_list(), title=None)


def tooltip(interval: str, names: Sequence[alt.Tooltip] = (), **titles: str) -> list[alt.Tooltip]:
    """The tooltip of accuracies: `titles` gives each field its title."""
    return [
        alt.Tooltip("arm:N"), *names, alt.Tooltip("at_sparsity:N", title="sparsity"),
        *(alt.Tooltip(f"{field}:Q", title=title, format=ticks.ACCURACY) for field, title in titles.items()),
        alt.Tooltip("low:Q", title=f"{interval} from", format=ticks.ACCURACY),
        alt.Tooltip("high:Q", title="to", format=ticks.ACCURACY), alt.Tooltip("n:Q", title="seeds"),
    ]  # fmt: skip


def spread(drawn: pl.DataFrame) -> str:
    """What the points and lines of accuracies show, after the words for the points."""
    least = drawn.filter(pl.col("low").is_not_null())["n"].min()
    if not isinstance(least, int):
        few = {0: ".", 1: ": one seed."}
        return few.get(max(drawn["n"]), " (small dots); two seeds have no interval.")
    return f" (small dots), lines the {bootstrap_words(least, 'mean')}."


def spec(layers: Sequence[Any], drawn: pl.DataFrame, arms: Sequence[str], look: Look, own: bool) -> dict[str, Any]:
    """A panel for each arm, in the given order, at most four in a row."""
    sheet, panels = Sheet(), titles(arms)
    drawn = drawn.with_columns(pl.col("arm").replace(panels))
    columns = [name for name in drawn.columns if not drawn[name].is_null().all()]
    chart = pieces.faceted(
        layers, sheet.rows(drawn, columns), "arm", list(panels.values()), min(4, len(arms)),
        width=WIDTH, height=HEIGHT, x_title="sparsity", own_y=own, label_px=WIDTH + 40,
        **({"spacing": SPACING} if own else {}),
    )  # fmt: skip
    return spec_of(chart, sheet, look.shown())
