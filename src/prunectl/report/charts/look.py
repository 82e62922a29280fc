"""The colours, shapes and dashes of a page: one Look for a study's charts and for a comparison's.

Words that all charts share:

- hue: what a colour encodes, and a shape a second time for readers who cannot distinguish the colours. In a study
  hues are the criteria, or what else it compares (`results.aggregate.roles` has the rule). In a comparison they are
  the tables. The switches of the page show and hide hues.
- variant: in what else the arms of a hue differ, as one text ("at end · finetune"). It is drawn as a dash.
- series: hue and variant in one text. It names a line.
- role: which columns hue and variant come from (`results.aggregate.Roles`).
- look: which colour, shape and dash each of them has, the same on every chart of a page.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import altair as alt
import polars as pl

from prunectl.report import palette
from prunectl.results.aggregate import UNNAMED, Roles
from prunectl.results.statistics import Center
from prunectl.results.table import Task

MOST_VARIANTS = 4
"""With more variants than this, each gets a panel instead of a dash, or lines a legend instead of names."""

LEGEND_PX = 600
"""The width that a legend may take."""

SHOWN = "indexof(shown, datum.hue) >= 0"
"""The filter behind the page's switches: `shown` lists the hues that are drawn."""

ONLY_SHOWN = [alt.FilterTransform(filter=SHOWN)]
"""The same for a whole chart, given when it is made: each method of a chart with layers copies all of them."""


@dataclass(frozen=True, kw_only=True)
class Look:
    """How hues and variants are drawn."""

    role: Roles
    colours: Mapping[str, str]  # of hues
    shapes: Mapping[str, str]  # of hues
    dashes: Mapping[str, list[int]]  # of variants
    center: Center = "mean"  # how accuracies are averaged over seeds
    task: Task | None = None  # what networks are measured on: chance follows from it

    @classmethod
    def of(cls, role: Roles, variants: Sequence[str] = (), center: Center = "mean", task: Task | None = None) -> Look:
        """The look of all hues and variants of a page."""
        return cls(
            role=role,
            colours=dict(zip(role.hues, palette.colours(role.hues), strict=True)),
            shapes=dict(zip(role.hues, palette.shapes(role.hues), strict=True)),
            dashes=dict(zip(variants, palette.dashes(variants), strict=True)),
            center=center,
            task=task,
        )

    def among(self, frame: pl.DataFrame) -> Look:
        """The same look for a chart that has only some of the hues and variants: its legend has only those."""
        hues = set(frame["hue"])
        variants = set(frame.get_column("variant", default=pl.Series(dtype=pl.String)))
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

    def shown(self) -> dict[str, Any]:
        """The parameter that the page's switches set, as Vega-Lite has it."""
        return {"name": "shown", "value": list(self.role.hues)}

    def colour(self, legend: bool = True, field: str = "hue") -> alt.Color:
        """A colour for each hue."""
        scale = alt.Scale(domain=list(self.colours), range=list(self.colours.values()))
        return alt.Color(f"{field}:N", scale=scale, legend=mark_legend(self.colours) if legend else None)

    def fill(self, field: str = "hue", hollow: Iterable[str] = ()) -> alt.Fill:
        """The same colours, for the inside of a mark; nothing inside the marks of `hollow` hues."""
        empty = set(hollow)
        colours = ["transparent" if name in empty else colour for name, colour in self.colours.items()]
        scale = alt.Scale(domain=list(self.colours), range=colours)
        return alt.Fill(f"{field}:N", scale=scale, legend=mark_legend(self.colours))

    def shape(self, legend: bool = True, field: str = "hue") -> alt.Shape:
        """A shape for each hue."""
        scale = alt.Scale(domain=list(self.shapes), range=list(self.shapes.values()))
        return alt.Shape(f"{field}:N", scale=scale, legend=mark_legend(self.shapes) if legend else None)

    def dash(self, legend: bool = True) -> dict[str, Any]:
        """A dash for each variant, as an encoding; nothing where there is only one."""
        if len(self.dashes) < 2:
            return {}
        scale = alt.Scale(domain=list(self.dashes), range=list(self.dashes.values()))
        shown = dash_legend(self.dashes) if legend else None
        return {"strokeDash": alt.StrokeDash("variant:N", scale=scale, legend=shown)}


def ordered(variants: Sequence[str]) -> list[str]:
    """The variants in the order of the study, what is pruned at init first: it is a solid line on every page."""
    return sorted(variants, key=lambda variant: not (variant in UNNAMED or variant.startswith("at init")))


def mark_legend(names: Iterable[str]) -> alt.Legend:
    """A legend of colours and shapes. Its symbols are opaque, even for bands, which are pale."""
    return alt.Legend(title=None, symbolOpacity=1, columns=_columns(names, 34))


def dash_legend(names: Collection[str]) -> alt.Legend:
    """A legend of dashes, with symbols long enough to distinguish them. Arms with a label have a dash without a name,
    and no symbol.
    """
    named = [name for name in names if name]
    values = named if "" in names else alt.Undefined
    return alt.Legend(title=None, values=values, symbolSize=220, symbolStrokeWidth=1.5, columns=_columns(named, 40))


def _columns(names: Iterable[str], symbol_px: int) -> int:
    """How many names fit next to each other into the width of a legend; 0 puts all of them in one row."""
    widths = [symbol_px + 6.2 * len(name) for name in names]
    return 0 if sum(widths) <= LEGEND_PX else max(1, int(LEGEND_PX / max(widths)))
