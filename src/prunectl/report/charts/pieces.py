"""What the charts are made of: lines with their intervals, tooltips, panels."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap
from typing import Any

import altair as alt
import polars as pl

from prunectl.base.text import percent
from prunectl.report import arms, palette
from prunectl.report.charts import axes, ticks
from prunectl.report.charts.look import Look
from prunectl.results.aggregate import summarise
from prunectl.results.statistics import bootstrap_words
from prunectl.results.wording import in_words

HEIGHT, WIDTH = 300, 500
"""The size of a chart without panels, in pixels."""

SPACING = {"row": 66, "column": 72}
"""The space for the axes and heads between panels that are aligned by their frames."""

DENSE_DASH = [3, 3]
"""The dash of the dense network's line."""

PANELS = 6
"""Maximum number of panels, where there is one for each sparsity."""

FIELDS = ("series", "hue", "variant", "sparsity", "compression", "center", "low", "high", "sd", "n")
"""The columns that lines and their tooltips need."""

HEAD_LETTER_PX, HEAD_LINE_PX = 6.6, 15
"""About how wide a letter of a panel's title is, and the height of each of its lines."""
HEAD_OVER_PX = 16
"""How much wider than its panel a title may be."""

BELOW: dict[str, Any] = {"anchor": "middle", "fontSize": 12, "fontWeight": "normal", "offset": 6}
"""The look of the title of an axis that panels share."""

SUMMARY = "isValid(datum.n)"
"""The filter that leaves the rows of a summary, in data that `with_seeds` has made."""


def with_series(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with a column `series`, the name of a line, and with its ablations in words."""
    spoken = [in_words(frame, name) for name in ("ablation",) if name in frame.columns]
    return frame.with_columns(arms.series().alias("series"), *spoken)


def means(trials: pl.DataFrame, look: Look, metric: str = "top1") -> pl.DataFrame:
    """Means or medians over the seeds of the unmodified arms, with the name of the line that each belongs to."""
    return with_series(summarise(trials.filter(arms.unmodified()), metric, look.role, look.center))


def spread(frame: pl.DataFrame, look: Look, drawn: str = "bands") -> str:
    """What the points of a summary and the bands, or what else is drawn for intervals, show, in words."""
    least = frame.filter(pl.col("interval").is_not_null())["n"].min()
    if not isinstance(least, int):
        if frame["n"].max() == 1:
            return "One seed: points without intervals."
        return f"Two seeds (small dots) and their {look.center}, without intervals."
    return f"Points are {look.center}s over the seeds (small dots), {drawn} the {bootstrap_words(least, look.center)}."


def lines(
    look: Look, x: alt.X, y: alt.Y, tooltip: Sequence[alt.Tooltip], *, legend: bool, band: bool = True
) -> list[alt.Chart]:
    """Lines with points and a band for the interval, on the data of the chart around them."""
    colour = look.colour(legend)
    detail = ["variant:N", "ablation:N"]
    every = alt.Chart().encode(x=x)
    base = every.transform_filter(SUMMARY) if band else every
    interval = base.mark_area(opacity=0.14, clip=True).encode(
        y=axes.along(y, "low:Q"), y2="high:Q", color=colour, detail=detail
    )
    line = base.mark_line(strokeWidth=2).encode(y=y, color=colour, detail=detail, **look.dash(legend))
    point = base.mark_point(size=48, filled=True, opacity=1).encode(
        y=y, color=colour, shape=look.shape(legend), tooltip=list(tooltip)
    )
    return [interval, line, seeds(every, y, colour, detail), point] if band else [line, point]


def bounded(frame: pl.DataFrame) -> bool:
    """Whether some point of a summary has an interval: two seeds have none."""
    return bool(frame["low"].is_not_null().any())


def seeds(base: alt.Chart, y: alt.Y, colour: alt.Color, detail: Sequence[str] = ()) -> alt.Chart:
    """The single seeds as small dots, over the bands of their intervals, which with few seeds cover too little."""
    dots = base.mark_point(size=7, filled=True, opacity=0.5, shape="circle")
    drawn: alt.Chart = dots.encode(y=axes.along(y, "seed:Q"), color=colour, detail=list(detail))
    return drawn


def with_seeds(frame: pl.DataFrame) -> pl.DataFrame:
    """Below the rows of a summary, a row for each single seed: it has a `seed` and no number of its own.

    Vega-Lite could flatten lists of seeds by itself, but not in panels: there it warns.
    """
    numbers = [name for name in ("center", "mean", "low", "high", "sd", "n") if name in frame.columns]
    single = frame.drop(numbers).explode("seeds").rename({"seeds": "seed"}).filter(pl.col("seed").is_not_null())
    return pl.concat([frame.drop("seeds"), single], how="diagonal")


def tooltip(look: Look, metric: str, extra: Sequence[alt.Tooltip] = ()) -> list[alt.Tooltip]:
    """The tooltip of a point of a summary."""
    return [
        alt.Tooltip("series:N", title="arm"),
        alt.Tooltip("ablation:N", title="ablation"),
        alt.Tooltip("sparsity:Q", title="sparsity", format=ticks.SHARE),
        alt.Tooltip("compression:Q", title="compression", format=ticks.NUMBER),
        alt.Tooltip("center:Q", title=f"{metric}, {look.center}", format=ticks.ACCURACY),
        alt.Tooltip("low:Q", title="interval from", format=ticks.ACCURACY),
        alt.Tooltip("high:Q", title="to", format=ticks.ACCURACY),
        alt.Tooltip("sd:Q", title="standard deviation", format=ticks.ACCURACY),
        alt.Tooltip("n:Q", title="seeds"),
        *extra,
    ]


def dense_text(value: float) -> str:
    """What the line of the baseline is called."""
    return f"dense {percent(value, 1)}"


def dense_rule(value: float) -> alt.Chart:
    """The baseline as a dashed line, once in each panel: aggregating leaves one row of the data around it."""
    once = alt.Chart().transform_aggregate(lines="count()")
    drawn: alt.Chart = once.mark_rule(strokeDash=DENSE_DASH, color=palette.NOTE, strokeWidth=1.2)
    return drawn.encode(y=alt.datum(value))


def faceted(
    layers: Sequence[Any], data: alt.NamedData, panel: str, order: Sequence[str], columns: int,
    *, width: int, height: int, x_title: str | None = None, own_y: bool = False, label_px: int | None = None,
    **options: Any,
) -> alt.FacetChart:  # fmt: skip
    """A panel for each value of a column, in the given order, at most `columns` in a row.

    Panels that fill their rows have their x axes below the last row only; else the panels above a gap would have none.
    Titles of panels that are too long are in several lines. `x_title` is the title of all x axes, given once.
    `own_y`: each panel has its own y scale.
    """
    heads = [head_lines(name, width if label_px is None else label_px) for name in order]
    most = max(map(len, heads), default=1)
    facet = alt.Facet(f"{panel}:N", title=None, sort=list(order))
    header: dict[str, Any] = {} if label_px is None else {"labelLimit": label_px}
    if most > 1:
        header = header | {"labelExpr": ticks.texts_of(order, heads, "label")}
    if header:
        facet = facet.header(**header)
    scales = {"scale": alt.ScaleResolveMap(y="independent")} if own_y else {}
    if own_y:  # aligned by their frames: labels of axes that are wider or higher move no panel
        spacing = options.get("spacing", SPACING)
        spacing = spacing | {"row": spacing["row"] + HEAD_LINE_PX * (most - 1)}
        options = {"bounds": "flush", **options, "spacing": spacing}
    if x_title is not None:
        options["title"] = alt.TitleParams(x_title, orient="bottom", **BELOW)
    columns = in_rows(len(order), columns)
    axis = alt.AxisResolveMap(x="independent" if len(order) % columns else "shared")
    return alt.FacetChart(
        data=data, spec=alt.layer(*layers, width=width, height=height), facet=facet, columns=columns,
        resolve=alt.Resolve(axis=axis, **scales), **options,
    )  # fmt: skip


def head_lines(name: str, width: float) -> list[str]:
    """The title of a panel in as many lines as it needs to be whole."""
    return wrap(name, max(12, int((width + HEAD_OVER_PX) / HEAD_LETTER_PX)), break_on_hyphens=False) or [name]


def in_rows(panels: int, most: int) -> int:
    """How many panels a row has, at most `most`, so that the rows are as even as possible."""
    return -(-panels // -(-panels // most))


def spread_out(sparsities: list[float]) -> list[float]:
    """At most PANELS of the ordered sparsities, spread over all of them, the sparsest included."""
    if len(sparsities) <= PANELS:
        return sparsities
    step = (len(sparsities) - 1) / (PANELS - 1)
    return [sparsities[round(index * step)] for index in range(PANELS)]
