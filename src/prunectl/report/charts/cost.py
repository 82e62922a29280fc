"""What a study cost: time and energy by kind of step, and what sharing saved."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import altair as alt
import polars as pl

from prunectl.base import text
from prunectl.base.text import seconds
from prunectl.report import palette
from prunectl.report.charts import ticks
from prunectl.report.charts.chart import Chart, Sheet, spec_of
from prunectl.report.charts.pieces import WIDTH

HOURS = ((86_400.0, "days"), (3600.0, "hours"), (60.0, "minutes"), (1.0, "seconds"))
JOULES = ((3.6e6, "kWh"), (3600.0, "Wh"), (1.0, "J"))
SPENT = "#0072b2"
MIDDLE = "indexof(datum.text, '\\n') < 0 ? 0 : -6"
"""How far a text of two lines begins above the middle of its bar."""


def time(resources: pl.DataFrame) -> Chart | None:
    """Wall time by kind of step, and what it would have been without sharing."""
    kinds = resources.group_by("kind", maintain_order=True).agg(
        pl.col("wall_s", "unshared_s").sum(), pl.col("steps", "made", "reused", "unshared").sum()
    )
    if kinds.is_empty() or float(kinds["wall_s"].sum()) <= 0:
        return None
    longest = max(*kinds["wall_s"], *kinds["unshared_s"])
    per, unit = next((per, unit) for per, unit in HOURS if longest >= 2 * per or per == 1)
    scaled = kinds.with_columns(
        wall=pl.col("wall_s") / per, alone=pl.max_horizontal("wall_s", "unshared_s") / per,
        text=pl.struct("wall_s", "unshared_s").map_elements(_time_text, return_dtype=pl.String),
    )  # fmt: skip
    tooltip = [
        alt.Tooltip("text:N", title="time"),
        alt.Tooltip("alone:Q", title=f"{unit} without sharing", format=ticks.NUMBER),
        alt.Tooltip("steps:Q", title="steps", format=ticks.COUNT),
        alt.Tooltip("made:Q", title="made by this run", format=ticks.COUNT),
        alt.Tooltip("reused:Q", title="reused", format=ticks.COUNT),
        alt.Tooltip("unshared:Q", title="steps without sharing", format=ticks.COUNT),
    ]  # fmt: skip
    return Chart(
        name="time",
        title="Time by kind of step",
        caption="Filled: spent. Dashed: what the same trials would have taken with nothing shared between them.",
        labels_px=_texts_px(scaled["text"]),
        spec=_bars(scaled, "wall", "alone", f"wall time, {unit}", tooltip, ["steps", "made", "reused", "unshared"]),
    )


def _time_text(row: dict[str, float]) -> str:
    """The time spent, and in a second line what it would have been without sharing where that is more."""
    wall, unshared = row["wall_s"], row["unshared_s"]
    return seconds(wall) + (f"\nunshared {seconds(unshared)}" if unshared > 1.05 * wall else "")


def energy(resources: pl.DataFrame) -> Chart | None:
    """Energy by kind of step, where counters of it could be read."""
    kinds = resources.group_by("kind", maintain_order=True).agg(pl.col("energy_j", "metered", "made", "reused").sum())
    kinds = kinds.filter(pl.col("metered") > 0)
    if kinds.is_empty() or float(kinds["energy_j"].sum()) <= 0:
        return None
    most = max(kinds["energy_j"])
    per, unit = next((per, unit) for per, unit in JOULES if most >= per or per == 1)
    done = pl.col("made") + pl.col("reused")
    shown = pl.col("energy_j").map_elements(text.energy, return_dtype=pl.String)
    partly = pl.format("{}\n{} of {} steps", shown, "metered", done)
    scaled = kinds.with_columns(
        taken=pl.col("energy_j") / per, text=pl.when(pl.col("metered") < done).then(partly).otherwise(shown)
    )
    tooltip = [
        alt.Tooltip("text:N", title="energy"), alt.Tooltip("metered:Q", title="steps measured", format=ticks.COUNT),
    ]  # fmt: skip
    return Chart(
        name="energy",
        title="Energy by kind of step",
        caption="By the devices' own counters: a GPU's as a whole, a processor's shared out by CPU time. "
        "Memory, host and power supply are in neither.",
        labels_px=_texts_px(scaled["text"]),
        spec=_bars(scaled, "taken", None, f"energy, {unit}", tooltip, ["metered"]),
    )


def _bars(
    kinds: pl.DataFrame, filled: str, dashed: str | None, title: str, tooltip: Sequence[alt.Tooltip],
    columns: Sequence[str],
) -> dict[str, object]:  # fmt: skip
    """A filled bar for each kind of step, in a dashed one if there is a column for it, with `text` to its right."""
    outer = dashed or filled
    room = alt.Scale(domain=[0, 1.02 * float(kinds[outer].max())], nice=False)  # type: ignore[arg-type]
    axis = alt.Axis(grid=True, tickCount=6, format=ticks.NUMBER)
    sheet = Sheet()
    data = sheet.rows(kinds, ["kind", *dict.fromkeys((filled, outer)), "text", *columns])
    base = alt.Chart(data).encode(
        y=alt.Y("kind:N", sort=kinds["kind"].to_list(), title=None),
        tooltip=[alt.Tooltip("kind:N", title="kind of step"), *tooltip],
    )
    frames = base.mark_bar(fillOpacity=0, stroke=palette.NOTE, strokeDash=[3, 2], height={"band": 0.72})
    bars = base.mark_bar(color=SPENT, height={"band": 0.5})
    texts = base.mark_text(align="left", dx=10, fontSize=11, color=palette.NOTE, lineBreak="\n", dy=alt.expr(MIDDLE))
    layers = [
        *([frames.encode(x=alt.X(f"{dashed}:Q", title=title, axis=axis, scale=room))] if dashed else []),
        bars.encode(x=alt.X(f"{filled}:Q", title=title, axis=axis, scale=room)),
        texts.encode(x=alt.value("width"), text="text:N"),
    ]
    return spec_of(alt.layer(*layers, width=WIDTH, height=34 * kinds.height), sheet)


def _texts_px(texts: Iterable[str]) -> int:
    """About how wide the texts to the right of the bars are."""
    return 16 + round(6.2 * max(len(line) for text in texts for line in text.split("\n")))
