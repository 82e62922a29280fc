"""All charts of a study: which there are, that they are valid, and that they look alike."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import altair as alt
import polars as pl
import pytest

import made_up
from prunectl.report import palette
from prunectl.report.charts import Chart, charts, stacked
from prunectl.report.formats import render
from prunectl.results.claims import verdicts
from prunectl.results.table import SCHEMA, Results
from unit.report.small import rows


@pytest.fixture(scope="module")
def results() -> Results:
    return made_up.results(seeds=3, epochs=8)


@pytest.fixture(scope="module")
def drawn(results: Results) -> dict[str, Chart]:
    sections = charts(results, verdicts(results))
    return {chart.name: chart for section in sections.values() for chart in section}


def test_every_chart_is_valid_vega_lite(drawn: dict[str, Chart]) -> None:
    for chart in drawn.values():
        alt.Chart.validate(chart.spec, alt.Chart._rootschema)
    spec = stacked(list(drawn.values()))
    alt.Chart.validate(spec, alt.Chart._rootschema)
    assert len(spec["vconcat"]) == len(drawn)


def test_the_charts_of_a_full_study(drawn: dict[str, Chart]) -> None:
    assert set(drawn) == {
        "claims", "top1-sparsity", "top1-compression", "top5-compression", "retraining", "ablation-differences",
        "ablations", "weights-remaining", "layers", "curves-top1", "curves-train-top1",
        "curves-train-loss", "top1-flops", "top1-size", "time",
        "energy",
    }  # fmt: skip


def test_charts_come_by_the_sections_of_the_report(results: Results) -> None:
    sections = charts(results)
    assert list(sections) == ["accuracy", "ablations", "masks", "training", "cost"], "no claims, no section"
    assert [chart.name for chart in sections["masks"]] == ["layers"], "all masks are as sparse as asked"


def test_names_can_be_ids_and_file_names(drawn: dict[str, Chart]) -> None:
    assert all(name.replace("-", "").isalnum() and name.isascii() for name in drawn)


def test_medians_are_drawn_and_called_so_if_asked(results: Results) -> None:
    chart = charts(results, center="median")["accuracy"][0]
    assert chart.caption == (
        "Points are medians over the seeds (small dots), bands the 80 % bootstrap interval of the median "
        "(with 3 seeds it holds the true median in 75 % of studies). Shaded: the matching sparsities, up to 60 %, at "
        "which magnitude · at end · finetune matches the dense network."
    )
    assert "top-1 accuracy, median" in str(chart.spec)
    assert " mean" not in str(chart.spec)


def test_a_criterion_has_one_colour_on_all_charts(drawn: dict[str, Chart]) -> None:
    seen: dict[str, set[str]] = {}

    def collect(node: Any) -> None:
        if isinstance(node, dict):
            for channel in ("color", "fill"):
                encoding = node.get(channel)
                if isinstance(encoding, dict) and encoding.get("field") == "hue":
                    for name, colour in zip(encoding["scale"]["domain"], encoding["scale"]["range"], strict=True):
                        seen.setdefault(name, set()).add(colour)
            for value in node.values():
                collect(value)
        elif isinstance(node, list):
            for value in node:
                collect(value)

    for chart in drawn.values():
        collect({key: value for key, value in chart.spec.items() if key != "datasets"})
    assert {name: len(colours) for name, colours in seen.items()} == dict.fromkeys(made_up.HARM.keys() - {"none"}, 1)
    assert seen["snip"] == {palette.OWN["snip"]}


def test_top5_of_few_classes_is_not_worth_a_chart(results: Results) -> None:
    easy = replace(results, trials=results.trials.with_columns(top5=pl.lit(1.0)))
    assert "top5-compression" not in [chart.name for chart in charts(easy)["accuracy"]]


WAYS = (
    made_up.STUDY.split("[[prune]]")[0]
    + """
[[prune]]
criterion = "magnitude"
at = "end"
retrain = ["finetune", "lr-rewind", "weight-rewind"]
budget = [0.1, 0.5, 1.0]
"""
)


def test_panels_are_drawn_once_against_compression_and_against_sparsity_where_they_are_asked_for() -> None:
    study = made_up.results(WAYS, seeds=1, failed=0, epochs=1)
    shown = [chart.name for chart in charts(study)["accuracy"]]
    assert "top1-compression" in shown and "top1-sparsity" not in shown
    every = {chart.name: chart for chart in charts(study, secondary=True)["accuracy"]}
    assert [name for name in every if name not in shown] == ["top1-sparsity"]
    assert "Top-1 accuracy against sparsity" in str(render(study, "svg", chart="top1-sparsity"))


def test_a_study_in_which_nothing_is_done_has_no_charts(results: Results) -> None:
    assert charts(replace(results, trials=pl.DataFrame(schema=SCHEMA))) == {}
    numbers = [
        name
        for name, kind in SCHEMA.items()
        if kind in (pl.Float64, pl.Int64) and name not in ("sparsity", "compression", "seed")
    ]
    nothing = results.trials.with_columns(
        *(pl.lit(None, SCHEMA[name]).alias(name) for name in numbers), pl.lit("missing").alias("status")
    )
    bare = replace(
        results, trials=nothing, layers=results.layers.clear(), curves=results.curves.clear(),
        resources=results.resources.clear(),
    )  # fmt: skip
    assert charts(bare) == {}


def test_one_seed_has_points_and_no_intervals() -> None:
    chart = charts(made_up.results(seeds=1, epochs=2))["accuracy"][0]
    assert {row["low"] for row in rows(chart)} == {None}
    assert chart.caption.startswith("One seed")
