"""What a study cost: time and energy by kind of step, and what sharing saved."""

from __future__ import annotations

import altair as alt
import polars as pl

from prunectl.base import text
from prunectl.base.text import seconds
from prunectl.report import palette
from prunectl.report.charts.chart import Chart, Sheet, spec_of
from prunectl.report.charts.pieces import WIDTH

UNITS = ((3600.0, "hours"), (60.0, "minutes"), (1.0, "seconds"))
JOULES = ((3.6e6, "kWh"), (3600.0, "Wh"), (1.0, "J"))


def time(resources: pl.DataFrame) -> Chart | None:
    """Wall time by kind of step, and what it would have been without sharing."""
    kinds = resources.group_by("kind", maintain_order=True).agg(
        pl.col("wall_s", "unshared_s").sum(), pl.col("steps", "made", "reused", "unshared").sum()
    )
    if kinds.is_empty() or float(kinds["wall_s"].sum()) <= 0:
        return None
    longest = max(*kinds["wall_s"], *kinds["unshared_s"])
    per, unit = next((per, unit) for per, unit in UNITS if longest >= 2 * per or per == 1)
    scaled = kinds.with_columns(wall=pl.col("wall_s") / per, alone=pl.max_horizontal("wall_s", "unshared_s") / per)
    scaled = scaled.with_columns(told=pl.struct("wall_s", "unshared_s").map_elements(_told, return_dtype=pl.String))
    y = alt.Y("kind:N", sort=kinds["kind"].to_list(), title=None)
    tooltip = [
        alt.Tooltip("kind:N", title="kind of step"), alt.Tooltip("told:N", title="time"),
        alt.Tooltip("alone:Q", title=f"{unit} without sharing", format=",.3~r"),
        alt.Tooltip("steps:Q", title="steps", format=","), alt.Tooltip("made:Q", title="made by this run", format=","),
        alt.Tooltip("reused:Q", title="reused", format=","),
        alt.Tooltip("unshared:Q", title="steps without sharing", format=","),
    ]  # fmt: skip
    sheet = Sheet()
    base = alt.Chart(
        sheet.rows(scaled, ["kind", "wall", "alone", "told", "steps", "made", "reused", "unshared"])
    ).encode(y=y, tooltip=tooltip)
    room = alt.Scale(domain=[0, 1.5 * longest / per], nice=False)
    axis = alt.Axis(grid=True, tickCount=6)
    alone = base.mark_bar(fillOpacity=0, stroke=palette.NOTE, strokeDash=[3, 2], height={"band": 0.72})
    spent = base.mark_bar(color="#0072b2", height={"band": 0.5})
    label = base.mark_text(align="left", dx=5, fontSize=11, color=palette.NOTE)
    chart = alt.layer(
        alone.encode(x=alt.X("alone:Q", title=f"wall time, {unit}", axis=axis, scale=room)),
        spent.encode(x=alt.X("wall:Q", title=f"wall time, {unit}", axis=axis, scale=room)),
        label.encode(x="alone:Q", text="told:N"),
    ).properties(width=WIDTH, height=30 * kinds.height)
    return Chart(
        name="time",
        title="Time by kind of step",
        caption="Filled: spent. Dashed: what the same trials would have taken with nothing shared between them.",
        spec=spec_of(chart, sheet),
    )


def _told(row: dict[str, float]) -> str:
    """The time spent, and what it would have been where that is more."""
    wall, unshared = row["wall_s"], row["unshared_s"]
    return seconds(wall) + (f", unshared {seconds(unshared)}" if unshared > 1.05 * wall else "")


def energy(resources: pl.DataFrame) -> Chart | None:
    """Energy by kind of step, where counters of it could be read."""
    kinds = resources.group_by("kind", maintain_order=True).agg(pl.col("energy_j", "metered", "made", "reused").sum())
    kinds = kinds.filter(pl.col("metered") > 0)
    if kinds.is_empty() or float(kinds["energy_j"].sum()) <= 0:
        return None
    most = max(kinds["energy_j"])
    per, unit = next((per, unit) for per, unit in JOULES if most >= per or per == 1)
    there = pl.col("made") + pl.col("reused")
    told = pl.col("energy_j").map_elements(text.energy, return_dtype=pl.String)
    scaled = kinds.with_columns(
        taken=pl.col("energy_j") / per,
        told=pl.when(pl.col("metered") < there).then(pl.format("{}, of {} of {} steps", told, "metered", there))
        .otherwise(told),
    )  # fmt: skip
    sheet = Sheet()
    tooltip = [
        alt.Tooltip("kind:N", title="kind of step"), alt.Tooltip("told:N", title="energy"),
        alt.Tooltip("metered:Q", title="steps measured", format=","),
    ]  # fmt: skip
    base = alt.Chart(sheet.rows(scaled, ["kind", "taken", "told", "metered"])).encode(
        y=alt.Y("kind:N", sort=kinds["kind"].to_list(), title=None), tooltip=tooltip
    )
    room = alt.Scale(domain=[0, 1.5 * most / per], nice=False)
    x = alt.X("taken:Q", title=f"energy, {unit}", axis=alt.Axis(grid=True, tickCount=6), scale=room)
    label = base.mark_text(align="left", dx=5, fontSize=11, color=palette.NOTE).encode(x="taken:Q", text="told:N")
    chart = alt.layer(base.mark_bar(color="#0072b2", height={"band": 0.5}).encode(x=x), label)
    return Chart(
        name="energy",
        title="Energy by kind of step",
        caption="By the devices' own counters: a GPU's as a whole, a processor's shared out by CPU time. "
        "Memory, host and power supply are in neither.",
        spec=spec_of(chart.properties(width=WIDTH, height=30 * kinds.height), sheet),
    )
