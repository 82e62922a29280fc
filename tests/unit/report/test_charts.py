"""Charts: valid Vega-Lite, the right data, one colour per criterion, and none without data."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import altair as alt
import polars as pl
import pytest

import made_up
from prunectl.report import palette
from prunectl.report.charts import Chart, charts, look, pieces, stacked
from prunectl.report.charts.accuracy import moment
from prunectl.results.aggregate import summarise
from prunectl.results.claims import verdicts
from prunectl.results.table import SCHEMA, Results


@pytest.fixture(scope="module")
def results() -> Results:
    return made_up.results(seeds=3)


@pytest.fixture(scope="module")
def drawn(results: Results) -> dict[str, Chart]:
    found = charts(results, verdicts(results.study.claim, results.trials, results.arms))
    return {chart.name: chart for section in found.values() for chart in section}


def rows(chart: Chart) -> list[dict[str, Any]]:
    """The largest data set of a chart."""
    found: list[dict[str, Any]] = max(chart.spec["datasets"].values(), key=len)
    return found


def test_every_chart_is_valid_vega_lite(drawn: dict[str, Chart]) -> None:
    for chart in drawn.values():
        alt.Chart.validate(chart.spec, alt.Chart._rootschema)
    spec = stacked(list(drawn.values()))
    alt.Chart.validate(spec, alt.Chart._rootschema)
    assert len(spec["vconcat"]) == len(drawn)


def test_the_charts_of_a_full_study(drawn: dict[str, Chart]) -> None:
    assert set(drawn) == {
        "claims", "top1-sparsity", "top1-compression", "top5-compression", "retraining", "ablation-differences",
        "ablations", "layers", "compression", "curves-top1", "curves-train-loss", "top1-flops", "top1-size", "time",
        "energy",
    }  # fmt: skip


def test_points_are_the_means_of_the_table(results: Results, drawn: dict[str, Chart]) -> None:
    wanted = summarise(results.trials.filter(pl.col("ablation") == "none"))
    points = rows(drawn["top1-sparsity"])
    assert [point["center"] for point in points] == pytest.approx(wanted["mean"].to_list(), abs=1e-6)
    assert [point["low"] for point in points] == pytest.approx(wanted["low"].to_list(), abs=1e-6)


def test_points_are_medians_if_asked_and_say_so(results: Results) -> None:
    chart = charts(results, center="median")["accuracy"][0]
    wanted = summarise(results.trials.filter(pl.col("ablation") == "none"), of="median")
    points = rows(chart)
    assert [point["center"] for point in points] == pytest.approx(wanted["median"].to_list(), abs=1e-6)
    assert [point["high"] for point in points] == pytest.approx(wanted["high"].to_list(), abs=1e-6)
    assert chart.caption == "Points are medians over the seeds, bands the 80 % bootstrap interval of the median."
    assert "top-1 accuracy, median" in str(chart.spec)
    assert " mean" not in str(chart.spec)


def test_energy_is_drawn_only_where_it_was_measured(results: Results) -> None:
    measured = results.resources.with_columns(
        *(pl.when(pl.col("kind") == "train").then(name).alias(name) for name in ("energy_j", "metered"))
    )
    chart = charts(replace(results, resources=measured))["cost"][-1]
    assert [(row["kind"], row["told"]) for row in rows(chart)] == [("train", "6.9 kWh")]
    dark = results.resources.with_columns(energy_j=pl.lit(None, pl.Float64), metered=pl.lit(0))
    assert [chart.name for chart in charts(replace(results, resources=dark))["cost"]][-1] == "time"


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
    assert {name: len(colours) for name, colours in seen.items()} == dict.fromkeys(made_up.HARM, 1)
    assert seen["snip"] == {palette.OWN["snip"]}


def test_a_study_in_which_nothing_is_done_has_no_charts(results: Results) -> None:
    empty = pl.DataFrame(schema=SCHEMA)
    assert charts(replace(results, trials=empty)) == {}
    nothing = results.trials.with_columns(
        *(pl.lit(None, kind).alias(name) for name, kind in SCHEMA.items() if kind in (pl.Float64, pl.Int64)
          and name not in ("sparsity", "compression", "seed")),
        pl.lit("missing").alias("status"),
    )  # fmt: skip
    bare = replace(
        results, trials=nothing, layers=results.layers.clear(), curves=results.curves.clear(),
        resources=results.resources.clear(),
    )  # fmt: skip
    assert charts(bare) == {}


def test_one_seed_has_points_and_no_intervals() -> None:
    found = charts(made_up.results(seeds=1))
    chart = found["accuracy"][0]
    assert {row["low"] for row in rows(chart)} == {None}
    assert chart.caption.startswith("One seed")


def test_published_numbers_are_hollow_marks_of_the_study_s_criteria(results: Results) -> None:
    published = pl.DataFrame(
        {
            "table": ["comp6258-figure1"] * 3,
            "criterion": ["snip", "snip", "grasp"],
            "ablation": ["none", "invert", "none"],
            "sparsity": [0.9, 0.9, 0.9],
            "top1": [0.9219, 0.1, 0.9],
        }
    )
    chart = charts(results, (), published)["accuracy"][0]
    hollow = [data for data in chart.spec["datasets"].values() if "table" in data[0]]
    assert [[row["center"] for row in data] for data in hollow] == [[0.9219]]
    assert "Hollow" in chart.caption


def test_heat_maps_leave_out_masks_with_the_same_counts_and_mark_collapse(drawn: dict[str, Chart]) -> None:
    """Shuffling and reinitializing keep every layer's count, so there is nothing new to see."""
    cells = rows(drawn["layers"])
    panels = {cell["panel"] for cell in cells}
    assert "magnitude, invert" in panels
    assert not {panel for panel in panels if "shuffle" in panel or "reinit" in panel}
    dead = {(cell["panel"], cell["layer"], cell["at_sparsity"]) for cell in cells if cell["dead"]}
    assert dead == {("random, invert", "features.12", "98 %")}


def test_layers_are_drawn_from_input_to_output(drawn: dict[str, Chart]) -> None:
    encoding = drawn["layers"].spec["spec"]["layer"][0]["encoding"]["y"]
    assert encoding["sort"] == list(made_up.LAYER_SIZES)


def test_curves_are_thinned_but_keep_their_end(drawn: dict[str, Chart]) -> None:
    epochs = sorted({row["epoch"] for row in rows(drawn["curves-top1"])})
    assert len(epochs) <= 40
    assert epochs[-1] == 80


def test_pruning_at_several_moments_is_drawn_in_their_order() -> None:
    text = made_up.STUDY.replace(
        'at = "end"\nretrain = ["none", "finetune"]', 'at = ["end", { epoch = 9 }, { epoch = 20 }]'
    )
    chart = next(chart for chart in charts(made_up.results(text, seeds=2))["accuracy"] if chart.name == "top1-moment")
    layer = chart.spec["spec"]["layer"][0]
    assert layer["encoding"]["x"]["sort"] == ["init", "epoch=9", "epoch=20", "end"]
    lines = {(row["hue"], row["series"]) for row in rows(chart)}
    assert len(lines) == len({hue for hue, _ in lines}), "one line a criterion through all moments"


def test_steps_and_epochs_are_put_in_one_order() -> None:
    moments = ["epoch=1", "step=50", "end", "step=600", "init"]
    assert sorted(moments, key=lambda at: moment(at, 469.0)) == ["init", "step=50", "epoch=1", "step=600", "end"]
    assert moment("epoch=1(schedule=restart)", 469.0) == moment("epoch=1", 469.0)


def test_published_numbers_of_other_rounds_are_left_out(results: Results) -> None:
    one = {"table": "t", "criterion": "snip", "ablation": "none", "sparsity": 0.5, "top1": 0.7}
    other = {"at": "init", "scope": "global", "structure": "weights"}
    published = pl.DataFrame(
        [{**one, **other, "rounds": "one-shot"}, {**one, **other, "rounds": "iterative", "top1": 0.8}]
    )
    chart = charts(results, (), published)["accuracy"][0]
    hollow = [row for data in chart.spec["datasets"].values() for row in data if row.get("table") == "t"]
    assert [row["center"] for row in hollow] == [0.7]


def test_many_criteria_get_a_legend_instead_of_names_at_the_lines() -> None:
    trials = made_up.results(seeds=1, failed=0).trials
    many = pl.concat(
        trials.filter((pl.col("criterion") == "snip") & (pl.col("ablation") == "none")).with_columns(
            criterion=pl.lit(f"c{number}"), arm=pl.lit(f"c{number}")
        )
        for number in range(14)
    )
    drawn = look(many)
    assert len(set(drawn.colours.values())) == 12
    assert len({(drawn.colours[name], drawn.shapes[name]) for name in drawn.colours}) == 14
    assert not pieces.labelled(summarise(many))


@pytest.mark.parametrize(
    ("wanted", "sizes", "placed"),
    [
        ([10, 50], [13, 13], [10, 50]),
        ([50, 52], [13, 13], [50, 63]),
        ([299, 300], [13, 13], [280.5, 293.5]),
        ([100, 101], [13, 39], [100, 126]),
    ],
)
def test_labels_do_not_cover_each_other(wanted: list[float], sizes: list[float], placed: list[float]) -> None:
    assert pieces.apart(wanted, sizes, 300) == placed


def luminance(colour: str) -> float:
    """Relative luminance as WCAG defines it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("colour", sorted({*palette.OWN.values(), *palette.OTHERS}))
def test_colours_can_be_seen_on_paper_and_in_the_dark(colour: str) -> None:
    assert 1.05 / (luminance(colour) + 0.05) >= 3
    assert (luminance(colour) + 0.05) / (luminance("#14161a") + 0.05) >= 3


def test_known_criteria_keep_their_colours_whatever_stands_beside_them() -> None:
    assert palette.colours(["theirs", "snip", "ours"])[1] == palette.colours(["snip"])[0] == palette.OWN["snip"]
    assert len(set(palette.colours(["theirs", "snip", "ours"]))) == 3
