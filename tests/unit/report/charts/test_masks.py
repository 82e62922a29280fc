"""Heat maps of layers, and the compression that masks reach."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from prunectl.report.charts import Chart, look, masks, ticks
from prunectl.results.table import LAYERS
from unit.report import small
from unit.report.small import domain, encoding, marks, panels, rows, shown

SIZES = {"conv1": 100, "conv2": 1000, "fc": 10}


def layers(trials: pl.DataFrame, kept: dict[str, dict[str, int]] | None = None) -> pl.DataFrame:
    """What the masks of each trial keep of three layers: the sparsity's share, or the counts given for an ablation."""
    given = kept or {}
    return pl.DataFrame(
        [
            {name: row[name] for name in ("arm", "criterion", "ablation", "sparsity", "seed")}
            | {"layer": layer, "index": index, "n": n}
            | {"kept": given.get(row["ablation"], {}).get(layer, round(n * (1 - row["sparsity"])))}
            for row in trials.iter_rows(named=True)
            for index, (layer, n) in enumerate(SIZES.items())
        ],
        schema=LAYERS,
    )


TRIALS = pl.concat([small.swept(ablation=ablation) for ablation in ("none", "shuffle", "invert")])
INVERTED = {"invert": {"conv1": 90, "fc": 0}}


def heat(kept: dict[str, dict[str, int]] | None = None, trials: pl.DataFrame = TRIALS) -> Chart | None:
    return masks.layer_heat(layers(trials, kept), trials, look(trials))


def test_a_panel_per_arm_unless_its_masks_keep_the_same_counts() -> None:
    assert panels(shown(heat(INVERTED))) == ["magnitude", "snip", "magnitude, invert", "snip, invert"]
    assert panels(shown(heat())) == ["magnitude", "snip"]


def test_masks_that_several_retrainings_share_are_drawn_once_and_no_switch_hides_them() -> None:
    kinds = [
        small.swept(["magnitude"], at="end", retrain=way, budget=budget, arm=f"{way} {budget}")
        for way in ("finetune", "lr-rewind")
        for budget in ("0.1", "0.5", "1.0")
    ]
    chart = shown(heat(trials=pl.concat(kinds)))
    assert panels(chart) == ["magnitude"]
    assert {row["hue"] for row in rows(chart)} == {None}
    assert "!datum.hue ||" in str(chart.spec["transform"])


def test_layers_are_drawn_from_input_to_output_and_sparsities_by_value() -> None:
    chart = heat()
    assert encoding(chart, "y")["sort"] == list(SIZES)
    assert encoding(chart, "x")["sort"] == ["50 %", "90 %"], "sparsity 0 keeps everything"


def test_cells_are_the_mean_share_kept() -> None:
    cells = {(row["panel"], row["layer"], row["at_sparsity"]): row for row in rows(heat(INVERTED))}
    assert cells[("snip", "conv2", "90 %")] | {"hue": ""} == {
        "hue": "", "panel": "snip", "layer": "conv2", "at_sparsity": "90 %", "kept": 0.1, "left": 100.0, "n": 1000,
        "dead": 0,
    }  # fmt: skip
    assert cells[("snip, invert", "conv1", "50 %")]["kept"] == 0.9


def test_a_layer_with_nothing_left_is_crossed() -> None:
    chart = shown(heat(INVERTED))
    assert marks(chart) == ["rect", "rect", "text"]
    dead = {(row["panel"], row["layer"], row["dead"]) for row in rows(chart) if row["dead"]}
    assert dead == {("magnitude, invert", "fc", 3), ("snip, invert", "fc", 3)}


def test_without_layers_or_pruned_trials_there_is_no_heat_map() -> None:
    assert masks.layer_heat(layers(TRIALS).clear(), TRIALS, look(TRIALS)) is None
    assert heat(trials=TRIALS.filter(pl.col("sparsity") == 0)) is None


def test_colours_reach_down_to_the_least_that_is_kept() -> None:
    assert domain(heat(), "color") == pytest.approx([0.1, 1])
    assert domain(heat({"none": {"conv2": 1}}), "color")[0] == 0.001
    assert domain(heat({"none": dict.fromkeys(SIZES, 0)}, small.swept()), "color")[0] == masks.LEAST


def reached(**values: Any) -> pl.DataFrame:
    """Trials whose compression is 1 % too high with each further seed."""
    return small.swept(**values).with_columns(
        compression_error=0.01 * (pl.col("seed") - 1).cast(pl.Float64), compression_actual=pl.col("compression")
    )


def test_the_compression_reached_is_drawn_with_its_range_over_the_seeds() -> None:
    trials = reached()
    chart = shown(masks.compression(trials, look(trials)))
    assert marks(chart) == ["rule", "rule", "point"]
    for row in rows(chart):
        assert (row["mean"], row["low"], row["high"], row["n"]) == pytest.approx((0.01, 0.0, 0.02, 3))
    assert {row["compression"] for row in rows(chart)} == {2, 10}, "sparsity 0 is compressed by nothing"
    assert domain(chart, "y") == pytest.approx([-0.022, 0.022])
    assert encoding(chart, "y", "point")["axis"]["format"] == ticks.SHARE, "0 has no sign"


def test_masks_that_hit_what_was_asked_for_have_no_chart() -> None:
    """It would be a line at 0; the summary has a sentence."""
    trials = reached(seeds=[1])
    assert masks.compression(trials, look(trials)) is None
    off = trials.with_columns(compression_error=pl.lit(0.006))
    assert domain(shown(masks.compression(off, look(off))), "y") == [-0.01, 0.01]


def test_without_a_compression_reached_there_is_no_chart() -> None:
    trials = small.swept()
    assert masks.compression(trials, look(trials)) is None
    endless = trials.with_columns(compression_error=pl.lit(float("inf")))
    assert masks.compression(endless, look(endless)) is None
