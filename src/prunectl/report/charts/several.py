"""Several studies in one picture: a panel per study, the arms that they have in common in one colour."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import altair as alt
import polars as pl

from prunectl.base.text import percent, plural
from prunectl.report import palette
from prunectl.report.charts import axes, guessing, pieces
from prunectl.report.charts.chart import Chart, Sheet, spec_of
from prunectl.report.charts.look import MOST_VARIANTS, ONLY_SHOWN, Look, ordered
from prunectl.report.charts.split import MOST_LINES
from prunectl.results.aggregate import given_names, pruned, roles, with_roles
from prunectl.results.pairing import groups
from prunectl.results.statistics import Center, center
from prunectl.results.table import Results

WIDTH, HEIGHT, PANEL_PX = 300, 230, 375


def look_of(studies: Sequence[Results], of: Center) -> Look:
    """How arms are drawn that several studies have; networks and data sets are panels, no colours."""
    trials = pl.concat([pruned(study.trials) for study in studies])
    names: dict[str, str] = {}
    for study in studies:
        names |= given_names(study.arms)
    role = roles(trials.with_columns(model=pl.lit(""), dataset=pl.lit("")), names)
    variants = with_roles(trials, role)["variant"].unique(maintain_order=True).to_list()
    return Look.of(role, ordered(variants), of)


def against_compression(studies: Mapping[str, Results], look: Look) -> Chart | None:
    """Top-1 against the weights remaining, with the dense network of each study as a dashed line.

    Where a panel would have more lines or dashes than can be distinguished, each colour has its best arm only.
    """
    every = {name: _frame(study, look) for name, study in studies.items()}
    crowded = _crowded(every.values())
    frames = {name: _best(frame) if crowded else frame for name, frame in every.items()}
    left_out = sum(_arms(every[name]) - _arms(frames[name]) for name in studies)
    drawn = [frame.with_columns(panel=pl.lit(name)) for name, frame in frames.items() if not frame.is_empty()]
    if not drawn:
        return None
    frame = pl.concat(drawn)
    look = replace(look.among(frame), dashes={}) if crowded else look.among(frame)
    spans = (max(numbers) - min(numbers) for each in drawn if (numbers := axes.numbers(each)))
    y = axes.own_accuracy("top-1 accuracy", spans)
    x = axes.remaining(frame["compression"].to_list(), title=None)
    layers = pieces.lines(look, x, y, pieces.tooltip(look, "accuracy"), legend=True)
    dense = (
        alt.Chart()
        .transform_aggregate(dense="mean(dense)")
        .mark_rule(color=palette.NOTE, strokeDash=[3, 3], strokeWidth=1.2)
    )
    sheet = Sheet()
    data = sheet.rows(pieces.with_seeds(frame), ["panel", *pieces.FIELDS, "seed", "dense", "chance", "reach"])
    under = [*guessing.own_rule(y, frame), dense.encode(y=axes.along(y, "dense:Q"))]
    chart = pieces.faceted(
        [*under, *(layers if pieces.bounded(frame) else layers[1:])],
        data, "panel", [name for name in studies if name in set(frame["panel"])], 3, width=WIDTH, height=HEIGHT,
        x_title=axes.REMAINING, own_y=True, transform=ONLY_SHOWN,
    )  # fmt: skip
    return Chart(
        name="studies-top1",
        title="Top-1 accuracy against weights remaining",
        caption=f"{pieces.spread(frame, look)} A panel for each study, with its own scale; dashed: its dense "
        f"network{_dense(frame)}.{_best_caption(frame, left_out) if crowded else ''}",
        spec=spec_of(chart, sheet, look.shown()),
        panel_px=PANEL_PX,
    )


def _crowded(frames: Iterable[pl.DataFrame]) -> bool:
    """Whether there are too many dashes for one legend, or too many lines for a panel."""
    known = list(frames)
    variants = {variant for frame in known for variant in frame["variant"]}
    return len(variants) > MOST_VARIANTS or any(_arms(frame) > MOST_LINES for frame in known)


def _arms(frame: pl.DataFrame) -> int:
    return frame.select("hue", "variant").n_unique()


def _best(frame: pl.DataFrame) -> pl.DataFrame:
    """Of each colour the arm with the highest mean accuracy over the sparsities that all of its arms have, or over
    its own where they have none in common; of equal ones the first.
    """
    frame = frame.with_columns(arms=pl.col("variant").n_unique().over("hue"))
    pruned = frame.filter(pl.col("sparsity") > 0)
    common = pl.col("variant").n_unique().over("hue", "sparsity") == pl.col("arms")
    means = (
        pruned.with_columns(common=common)
        .group_by("hue", "variant", maintain_order=True)
        .agg(mean=pl.coalesce(pl.col("center").filter(pl.col("common")).mean(), pl.col("center").mean()))
    )
    best = means.sort("mean", descending=True, nulls_last=True, maintain_order=True).unique(
        "hue", keep="first", maintain_order=True
    )
    return frame.join(best.select("hue", "variant"), on=["hue", "variant"], how="semi", maintain_order="left")


def _best_caption(frame: pl.DataFrame, left_out: int) -> str:
    """That only the best arms are drawn, and which these are."""
    if not left_out:
        return " Point at an arm to see in what else it differs."
    return (
        " Each study has one line for each colour: the arm with the highest mean accuracy over the sparsities that "
        f"the arms of the colour share ({_named(frame)}). {plural(left_out, 'other arm')} "
        f"{'is' if left_out == 1 else 'are'} in the tables of the studies."
    )


def _named(frame: pl.DataFrame) -> str:
    """The arms that are drawn of those colours that have more, study by study."""
    lines = frame.filter(pl.col("arms") > 1).unique(["panel", "series"], keep="first", maintain_order=True)
    return "; ".join(f"{panel}: {' / '.join(own['series'])}" for (panel,), own in groups(lines, ["panel"]))


def _dense(frame: pl.DataFrame) -> str:
    """The accuracy of the dense network of each study, which its panel has no room for."""
    known = frame.select("panel", "dense").drop_nulls().unique(maintain_order=True).rows()
    return f" ({', '.join(f'{name} {percent(value, 1)}' for name, value in known)})" if known else ""


def _frame(study: Results, look: Look) -> pl.DataFrame:
    """The means of one study, of which each row has the same dense accuracy and the same chance."""
    trials = pruned(study.trials)
    frame = pieces.means(trials, look).filter(pl.col("compression").is_finite())
    baselines = frame["dense"].drop_nulls().unique().to_list()
    frame = frame.with_columns(dense=pl.lit(center(baselines, look.center) if baselines else None, pl.Float64))
    return guessing.with_chance(frame, replace(look, task=study.task))
