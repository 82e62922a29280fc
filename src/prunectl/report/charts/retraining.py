"""Accuracy against the time that retraining takes: the third axis beside accuracy and sparsity (Renda et al. 2020)."""

from __future__ import annotations

import altair as alt
import polars as pl

from prunectl.base.text import percent
from prunectl.report import palette
from prunectl.report.charts import pieces
from prunectl.report.charts.accuracy import plain, spread
from prunectl.report.charts.chart import Chart, Sheet, spec_of
from prunectl.report.charts.pieces import SHOWN, Look
from prunectl.results.aggregate import summarise, with_roles
from prunectl.results.budget import budgets
from prunectl.results.table import Results

WIDTH, HEIGHT = 220, 185
SPACING = {"row": 82, "column": 72}
"""Axes and heads stand between the panels, which are aligned by their frames."""
LOG_FROM = 10.0
"""Budgets so many times apart are drawn on a log axis."""


def against_budget(results: Results, look: Look) -> Chart | None:
    """A line per kind of retraining, a panel per sparsity; only where a line has more than one budget."""
    frame = _frame(results, look)
    if frame.is_empty() or frame.group_by("line", "variant").agg(pl.col("share").n_unique())["share"].max() == 1:
        return None
    panels = pieces.spread_out(sorted(frame["sparsity"].unique().to_list()))
    named = [f"{percent(sparsity)} sparsity" for sparsity in panels]
    shown = frame.filter(pl.col("sparsity").is_in(panels)).with_columns(
        panel=pl.col("sparsity").replace_strict(panels, named, return_dtype=pl.String)
    )
    y = alt.Y(
        "center:Q", title="top-1 accuracy", scale=alt.Scale(zero=False, nice=False, padding=8),
        axis=alt.Axis(format=".4~p", tickCount=5, minExtent=38, labelBound=True),
    )  # fmt: skip
    base = alt.Chart().transform_filter(SHOWN).encode(x=_axis(shown["share"].to_list()), detail="variant:N")
    colour, shape, dash = _marks(shown, look)
    tooltip = pieces.told(look, "accuracy", [alt.Tooltip("share:Q", title="retraining, of the recipe", format=".3~p")])
    layers = [
        base.mark_area(opacity=0.14).encode(
            y=alt.Y("low:Q", scale=y["scale"], title=y["title"]), y2="high:Q", color=colour
        ),
        base.mark_line(strokeWidth=2).encode(y=y, color=colour, **dash),
        base.mark_point(size=48, filled=True, opacity=1).encode(y=y, color=colour, shape=shape, tooltip=tooltip),
    ]
    sheet = Sheet()
    columns = [
        "panel", "line", "hue", "variant", "series", "ablation", "share", "sparsity", "compression", "center", "low",
        "high", "sd", "n",
    ]  # fmt: skip
    panel = alt.layer(*layers).properties(width=WIDTH, height=HEIGHT)
    facet = alt.Facet("panel:N", title=None, sort=named)
    chart = panel.facet(facet, data=sheet.rows(shown, columns), columns=4, bounds="flush", spacing=SPACING)
    return Chart(
        name="top1-budget",
        title="Top-1 accuracy against retraining time",
        caption=(
            f"{spread(frame, look)} The time is a share of the recipe in [train], {_length(results)}"
            f"{'; of arms pruned in rounds, what follows each round' if _in_rounds(results.trials) else ''}. "
            "Each panel has a scale of its own."
        ),
        spec=spec_of(pieces.own_axes(chart).resolve_scale(y="independent").add_params(look.shown()), sheet),
        panel_px=WIDTH + 75,
    )


def _frame(results: Results, look: Look) -> pl.DataFrame:
    """The retrained unmodified arms. `line` is what has a colour: the hue, or the kind of retraining where hues are
    labels of retraining; `hue` stays what the page's switches show and hide.
    """
    told = budgets(results)
    known = with_roles(plain(results.trials), look.role).filter(
        (pl.col("sparsity") > 0) & pl.col("retrain").is_in(list(told))
    )
    arms = known.select("arm", "hue", label="retrain").unique("arm", maintain_order=True)
    arms = arms.with_columns(share=pl.col("label").replace_strict({name: share for name, (_, share) in told.items()}))
    kinds = pl.col("retrain").replace_strict({name: kind for name, (kind, _) in told.items()}, return_dtype=pl.String)
    means = summarise(known.drop("hue", "variant").with_columns(kinds), "top1", look.role, look.center)
    joined = means.rename({"hue": "line"}).join(arms, on="arm", maintain_order="left")
    series = pl.concat_str("line", pl.when(pl.col("variant") != "").then("variant"), separator=", ", ignore_nulls=True)
    return joined.with_columns(series=series).sort("line", "variant", "sparsity", "share", maintain_order=True)


def _marks(frame: pl.DataFrame, look: Look) -> tuple[alt.Color, alt.Shape, dict[str, alt.StrokeDash]]:
    """Colours and shapes of the lines, and dashes of what else tells them apart."""
    lines, variants = (sorted(frame[name].unique()) for name in ("line", "variant"))
    own = look.role.hue == "retrain"
    colours = palette.colours(lines) if own else [look.colours[name] for name in lines]
    shapes = palette.shapes(lines) if own else [look.shapes[name] for name in lines]
    legend = pieces.mark_legend(lines)
    colour = alt.Color("line:N", scale=alt.Scale(domain=lines, range=colours), legend=legend)
    shape = alt.Shape("line:N", scale=alt.Scale(domain=lines, range=shapes), legend=legend)
    if len(variants) < 2:
        return colour, shape, {}
    scale = alt.Scale(domain=variants, range=palette.dashes(variants))
    return colour, shape, {"strokeDash": alt.StrokeDash("variant:N", scale=scale, legend=pieces.dash_legend(variants))}


def _axis(shares: list[float]) -> alt.X:
    least, most = min(shares), max(shares)
    log = most > LOG_FROM * least > 0
    scale = (
        alt.Scale(type="log", domain=[least / 1.1, most * 1.1], nice=False)
        if log
        else alt.Scale(domain=[0, most * 1.05], nice=False)
    )
    round_ones = [digit * 10.0**power for power in range(-4, 2) for digit in (1, 2, 5)]
    unique = sorted(set(shares))
    ticks = unique if len(unique) <= 8 else [value for value in round_ones if least <= value <= most]
    return alt.X(
        "share:Q", title=f"retraining time, share of the recipe{' (log scale)' if log else ''}", scale=scale,
        axis=alt.Axis(format=".3~p", grid=False, labelOverlap="greedy", values=ticks),
    )  # fmt: skip


def _length(results: Results) -> str:
    train = results.study.train
    return f"{train.epochs:,} epochs" if train.epochs is not None else f"{train.steps:,} steps"


def _in_rounds(trials: pl.DataFrame) -> bool:
    return bool(trials["rounds"].drop_nulls().str.starts_with("iterative").any())
