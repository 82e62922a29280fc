"""Accuracy against the cost of a network, as a share of the dense one's."""

from __future__ import annotations

import polars as pl
import pytest

from prunectl.report.charts import efficiency, look
from unit.report import small
from unit.report.small import domain, encoding, marks, rows, shown

TRIALS = small.swept().with_columns(
    flops=1e6 * (1 - pl.col("sparsity") / 2), flops_dense=pl.lit(1e6),
    size_bytes=(1000 - 900 * pl.col("sparsity")).cast(pl.Int64), size_bytes_dense=pl.lit(1000),
)  # fmt: skip


@pytest.mark.parametrize(
    ("cost", "shares", "title"), [("flops", [0.55, 0.75, 1.0], "FLOPs"), ("size", [0.19, 0.55, 1.0], "size on disk")]
)
def test_costs_are_shares_of_the_dense_network(cost: str, shares: list[float], title: str) -> None:
    chart = shown(efficiency.against_cost(TRIALS, look(TRIALS), cost))
    assert sorted({row["share"] for row in rows(chart)}) == pytest.approx(shares)
    assert chart.title == f"Top-1 accuracy against {title}"
    assert chart.name == f"top1-{cost}"
    assert marks(chart) == ["area", "line", "point", "point", "text"]


def test_cheaper_networks_are_further_to_the_right() -> None:
    scale = encoding(efficiency.against_cost(TRIALS, look(TRIALS), "flops"), "x")["scale"]
    assert scale["type"] == "log" and scale["reverse"] is True
    assert scale["domain"][0] < 0.55 and scale["domain"][1] > 1


def test_a_cost_that_nobody_knows_or_that_does_not_change_has_no_chart() -> None:
    unknown = TRIALS.with_columns(flops=pl.lit(None, pl.Float64))
    assert efficiency.against_cost(unknown, look(unknown), "flops") is None
    same = TRIALS.with_columns(flops=pl.lit(1e6))
    assert efficiency.against_cost(same, look(same), "flops") is None
    nothing = TRIALS.with_columns(flops_dense=pl.lit(0.0))
    assert efficiency.against_cost(nothing, look(nothing), "flops") is None


def test_ablated_arms_are_left_out() -> None:
    both = pl.concat([TRIALS, TRIALS.with_columns(ablation=pl.lit("shuffle"), flops=pl.lit(1e5))])
    assert min(row["share"] for row in rows(efficiency.against_cost(both, look(both), "flops"))) == 0.55


def test_trials_that_are_not_done_cost_nothing() -> None:
    half = TRIALS.with_columns(top1=pl.when(pl.col("criterion") == "snip").then("top1"))
    chart = shown(efficiency.against_cost(half, look(half), "flops"))
    assert domain(chart, "color") == ["snip"]


def test_lines_that_need_panels_have_those_of_the_other_charts() -> None:
    trials = pl.concat(
        TRIALS.filter(pl.col("criterion") == "snip").with_columns(
            at=pl.lit("end"), retrain=pl.lit(way), budget=pl.lit(budget), arm=pl.lit(f"{way} {budget}")
        )
        for way in ("finetune", "lr-rewind", "weight-rewind")
        for budget in ("0.1", "0.5", "1.0")
    )
    chart = shown(efficiency.against_cost(trials, look(trials), "flops"))
    assert small.panels(chart) == ["budget 10 %", "budget 50 %", "budget 100 %"]
    assert chart.panel_px and not chart.labels_px and not chart.names
