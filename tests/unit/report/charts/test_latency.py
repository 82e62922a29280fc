"""Accuracy against measured milliseconds."""

from __future__ import annotations

import polars as pl
import pytest

from prunectl.report.charts import latency, look
from prunectl.results.latency import LATENCIES
from unit.report import small
from unit.report.small import domain, encoding, marks, panels, rows, shown, switches
from unit.report.test_latency import row

TRIALS = small.swept(criteria=("magnitude", "snip"), sparsities=(0.0, 0.9), seeds=(1, 2))
TIMES = pl.DataFrame(
    [
        row(variant, ms * batch, batch, arm=arm, criterion=criterion, seed=seed, top1=0.8, top1_dense=0.9)
        for arm, criterion in TRIALS.select("arm", "criterion").unique(maintain_order=True).rows()
        for seed in (1, 2)
        for batch in (1, 128)
        for variant, ms in (("dense", 2.0), ("compact", 1.0), ("sparse", None))
        if ms is not None
    ],
    schema=LATENCIES,
)


def test_each_variant_of_each_network_is_a_mark_with_its_quartiles() -> None:
    chart = shown(latency.against_milliseconds(TIMES, TRIALS, look(TRIALS)))
    assert (chart.name, chart.title) == ("top1-latency", "Top-1 accuracy against measured milliseconds")
    assert marks(chart) == ["rule", "point", "point"]
    assert panels(chart) == ["batch of 1 image", "batch of 128 images"]
    assert domain(chart, "shape") == ["dense", "compact"]
    assert switches(chart) == ["magnitude", "snip"]
    drawn = [point for point in rows(chart) if point["panel"] == "batch of 1 image" and point["hue"] == "snip"]
    assert [(point["form"], point["ms"], point["n"]) for point in drawn] == [("dense", 2.0, 2), ("compact", 1.0, 2)]


def test_a_dense_variant_has_the_accuracy_of_the_dense_network() -> None:
    chart = shown(latency.against_milliseconds(TIMES, TRIALS, look(TRIALS)))
    assert {point["form"]: (point["top1"], point["removed"]) for point in rows(chart)} == {
        "dense": (pytest.approx(0.9), "0 %"), "compact": (pytest.approx(0.8), "90 %"),
    }  # fmt: skip


def test_each_batch_size_has_its_own_scale() -> None:
    chart = shown(latency.against_milliseconds(TIMES, TRIALS, look(TRIALS)))
    assert chart.spec["resolve"]["scale"] == {"x": "independent"}
    scale = encoding(chart, "x", "point")["scale"]
    assert scale["type"] == "log" and "domain" not in scale


def test_the_caption_names_the_machine() -> None:
    chart = shown(latency.against_milliseconds(TIMES, TRIALS, look(TRIALS)))
    assert "Medians of 30 interleaved measurements, and of the seeds" in chart.caption
    assert "on a CPU, 2 cores." in chart.caption


def test_without_measurements_or_with_ablations_alone_there_is_no_chart() -> None:
    assert latency.against_milliseconds(TIMES.clear(), TRIALS, look(TRIALS)) is None
    ablated = TIMES.with_columns(ablation=pl.lit("shuffle"))
    assert latency.against_milliseconds(ablated, TRIALS, look(TRIALS)) is None
