"""What the charts have in common: scales, axes, lines with their intervals, labels at the ends of lines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import altair as alt
import polars as pl

from prunectl.base.text import shortened
from prunectl.report import palette
from prunectl.report.charts.chart import Sheet
from prunectl.results.aggregate import Roles
from prunectl.results.statistics import Center

HEIGHT, WIDTH = 300, 500
MOST_LABELS = 7
LABEL_PX = 13
PANELS = 6
LEGEND_PX = 600

SHOWN = "indexof(shown, datum.hue) >= 0"
"""The filter behind the page's switches: `shown` lists the hues that are drawn."""


@dataclass(frozen=True, kw_only=True)
class Look:
    """How the hues and variants of a study are drawn, the same on all of its charts."""

    role: Roles
    colours: Mapping[str, str]  # of hues
    shapes: Mapping[str, str]
    dashes: Mapping[str, list[int]]  # of variants
    center: Center = "mean"  # what the points of accuracies are

    def among(self, frame: pl.DataFrame) -> Look:
        """The same look for a chart that has only some of the hues and variants: its legend has only those."""
        hues, variants = set(frame["hue"]), set(frame["variant"])
        return replace(
            self,
            colours={name: colour for name, colour in self.colours.items() if name in hues},
            shapes={name: shape for name, shape in self.shapes.items() if name in hues},
            dashes={name: dash for name, dash in self.dashes.items() if name in variants},
        )

    def over_seeds(self, column: str) -> pl.Expr:
        """The mean or median of a column."""
        return pl.col(column).mean() if self.center == "mean" else pl.col(column).median()

    @property
    def variants(self) -> list[str]:
        """The variants, in the order of the study."""
        return list(self.dashes)

    def shown(self) -> alt.Parameter:
        """The parameter that the page's switches set."""
        return alt.param(name="shown", value=list(self.role.hues))

    def colour(self, legend: bool = True) -> alt.Color:
        """A colour per hue."""
        scale = alt.Scale(domain=list(self.colours), range=list(self.colours.values()))
        return alt.Color("hue:N", scale=scale, legend=mark_legend(self.colours) if legend else None)

    def fill(self) -> alt.Fill:
        """The same colours, for the inside of a mark."""
        scale = alt.Scale(domain=list(self.colours), range=list(self.colours.values()))
        return alt.Fill("hue:N", scale=scale, legend=mark_legend(self.colours))

    def shape(self, legend: bool = True) -> alt.Shape:
        """A shape per hue."""
        scale = alt.Scale(domain=list(self.shapes), range=list(self.shapes.values()))
        return alt.Shape("hue:N", scale=scale, legend=mark_legend(self.shapes) if legend else None)

    def dash(self, legend: bool = True) -> dict[str, Any]:
        """A dash per variant, as an encoding; nothing where there is only one."""
        if len(self.dashes) < 2:
            return {}
        scale = alt.Scale(domain=list(self.dashes), range=list(self.dashes.values()))
        shown = dash_legend(self.dashes) if legend else None
        return {"strokeDash": alt.StrokeDash("variant:N", scale=scale, legend=shown)}


def mark_legend(names: Iterable[str]) -> alt.Legend:
    """A legend of colours and shapes. Bands are pale; what they are named by is not."""
    return alt.Legend(title=None, symbolOpacity=1, columns=_columns(names, 34))


def dash_legend(names: Iterable[str]) -> alt.Legend:
    """A legend of dashes, long enough to be told apart."""
    return alt.Legend(title=None, symbolSize=220, symbolStrokeWidth=1.5, columns=_columns(names, 40))


def _columns(names: Iterable[str], symbol_px: int) -> int:
    """How many names fit side by side into the width of a chart; 0 is all of them in one row."""
    widths = [symbol_px + 6.2 * len(name) for name in names]
    return 0 if sum(widths) <= LEGEND_PX else max(1, int(LEGEND_PX / max(widths)))


def with_series(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with a column `series`: hue and variant in one text. That it is pruned at init goes without saying."""
    both = pl.concat_str(["hue", "variant"], separator=", ")
    silent = pl.col("variant").is_in(["", "at init"])
    return frame.with_columns(pl.when(silent).then("hue").otherwise(both).alias("series"))


def accuracy(title: str, low: float, high: float, field: str = "center:Q", top: float = 1.0) -> alt.Y:
    """A y axis from a little below the lowest to a little above the highest accuracy."""
    room = 0.06 * max(high - low, 0.005)
    domain = [max(0.0, low - room), min(top, high + room)] if high <= top else [low - room, high + room]
    digits = 0 if high - low > 0.06 else 1 if high - low > 0.006 else 2
    return alt.Y(
        field, title=title, scale=alt.Scale(domain=domain, zero=False, nice=False),
        axis=alt.Axis(format=f".{digits}%", tickCount=6),
    )  # fmt: skip


def domain_of(axis: alt.Y) -> tuple[float, float]:
    """The domain of an axis made by `accuracy`."""
    low, high = axis["scale"]["domain"]
    return float(low), float(high)


def sparsity_axis(values: Sequence[float]) -> alt.X:
    """A linear axis of sparsities."""
    low, high = min(values), max(values)
    room = 0.03 * max(high - low, 0.02)
    return alt.X(
        "sparsity:Q", title="sparsity (fraction of the weights removed)",
        scale=alt.Scale(domain=[low - room, high + room], nice=False),
        axis=alt.Axis(format=".3~%", grid=False, values=_ticks(values), labelOverlap="greedy"),
    )  # fmt: skip


def _ticks(values: Sequence[float]) -> list[float]:
    """The sparsities that there are, if they are few; else tenths."""
    unique = sorted(set(values))
    return unique if len(unique) <= 8 else [tenth / 10 for tenth in range(11)]


def remaining_axis(values: Sequence[float]) -> alt.X:
    """A log axis of compression, each tick with the weights remaining, as the papers draw it."""
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


def lines(
    look: Look, x: alt.X, y: alt.Y, tooltip: Sequence[alt.Tooltip], *, legend: bool, band: bool = True
) -> list[alt.Chart]:
    """Lines with points and a band for the interval, on the data of the chart around them."""
    colour = look.colour(legend)
    detail = ["variant:N", "ablation:N"]
    base = alt.Chart().encode(x=x)
    spread = base.mark_area(opacity=0.14, clip=True).encode(
        y=alt.Y("low:Q", scale=y["scale"], title=y["title"]), y2="high:Q", color=colour, detail=detail
    )
    line = base.mark_line(strokeWidth=2).encode(y=y, color=colour, detail=detail, **look.dash(legend))
    point = base.mark_point(size=48, filled=True, opacity=1).encode(
        y=y, color=colour, shape=look.shape(legend), tooltip=list(tooltip)
    )
    return [spread, line, point] if band else [line, point]


def told(look: Look, metric: str, extra: Sequence[alt.Tooltip] = ()) -> list[alt.Tooltip]:
    """What a point of a summary says when it is pointed at."""
    return [
        alt.Tooltip("series:N", title="arm"),
        alt.Tooltip("ablation:N", title="ablation"),
        alt.Tooltip("sparsity:Q", title="sparsity", format=".4~%"),
        alt.Tooltip("compression:Q", title="compression", format=".4~r"),
        alt.Tooltip("center:Q", title=f"{metric}, {look.center}", format=".2%"),
        alt.Tooltip("low:Q", title="interval from", format=".2%"),
        alt.Tooltip("high:Q", title="to", format=".2%"),
        alt.Tooltip("sd:Q", title="standard deviation", format=".2%"),
        alt.Tooltip("n:Q", title="seeds"),
        *extra,
    ]


def dense_rule(sheet: Sheet, value: float, y: alt.Y, label: str = "dense") -> list[alt.Chart]:
    """The baseline as a dashed line with its name."""
    data = sheet.values([{"dense": value, "label": f"{label} {value * 100:.1f} %"}])
    base = alt.Chart(data).encode(y=alt.Y("dense:Q", scale=y["scale"], title=y["title"]))
    rule = base.mark_rule(strokeDash=[3, 3], color=palette.NOTE, strokeWidth=1.2)
    text = base.mark_text(align="left", baseline="bottom", dx=4, dy=-3, fontSize=11, color=palette.NOTE)
    return [rule, text.encode(x=alt.value(0), text="label:N")]


def end_labels(sheet: Sheet, frame: pl.DataFrame, x: str, look: Look, y: alt.Y, height: int = HEIGHT) -> Any:
    """The name of each line at its right end, moved apart where lines end close together."""
    last = with_series(frame).sort(x, maintain_order=True).unique("series", keep="last", maintain_order=True)
    low, high = domain_of(y)
    names = [broken(name) for name in last["series"]]
    wanted = ((high - last["center"]) / (high - low) * height).to_list()
    placed = apart(wanted, [LABEL_PX * (1 + name.count("\n")) for name in names], height)
    rows = [
        {"hue": hue, "name": name, "place": place - LABEL_PX / 2 * name.count("\n")}  # of the first line
        for hue, name, place in zip(last["hue"], names, placed, strict=True)
    ]
    return (
        alt.Chart(sheet.values(rows))
        .transform_filter(SHOWN)
        # The lines are cut at the frame once they are zoomed; their names stand outside of it.
        .mark_text(align="left", baseline="middle", dx=9, fontSize=11, fontWeight="bold", clip=False, lineBreak="\n")
        .encode(
            x=alt.value("width"),
            y=alt.Y("place:Q", scale=None, axis=None),
            text="name:N",
            color=look.colour(False),
        )
    )


def broken(name: str) -> str:
    """A long name in two or more lines, and none of them endless."""
    lines = name.split("\n") if len(name) <= 16 else name.replace(", ", ",\n").replace(" · ", " ·\n").split("\n")
    return "\n".join(shortened(line, 26) for line in lines[:4])


def label_room(frame: pl.DataFrame) -> int:
    """About how wide end labels are."""
    return 12 + round(
        6.6 * max(len(line) for name in with_series(frame)["series"] for line in broken(name).split("\n"))
    )


def apart(wanted: Sequence[float], sizes: Sequence[float], height: float) -> list[float]:
    """Middles of labels of the given sizes, as near to the wanted ones as lets none cover another, kept within the
    height if they fit.
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


def labelled(frame: pl.DataFrame) -> bool:
    """Whether the lines are few enough to carry their names."""
    return with_series(frame)["series"].n_unique() <= MOST_LABELS


def spread_out(sparsities: list[float]) -> list[float]:
    """At most PANELS of the ordered sparsities, for a panel each: spread over all of them, the sparsest included."""
    if len(sparsities) <= PANELS:
        return sparsities
    step = (len(sparsities) - 1) / (PANELS - 1)
    return [sparsities[round(index * step)] for index in range(PANELS)]


def own_axes(chart: alt.FacetChart) -> alt.FacetChart:
    """Panels with an x axis each, so that none has its axis below another's gap."""
    found: alt.FacetChart = chart.resolve_axis(x="independent")
    return found
