"""Claims as intervals with their margins."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from prunectl.report.charts import claims
from prunectl.results.claims import Verdict, verdict
from prunectl.study.schema import Claim
from unit.report import small
from unit.report.small import encoding, marks, rows, shown

TRIALS = small.swept(seeds=[1, 2, 3]).with_columns(top1=pl.col("top1") + pl.col("seed") * pl.col("sparsity") / 1000)
TRIALS = TRIALS.with_columns(top1=pl.when(pl.col("criterion") == "snip").then(pl.col("top1") + 0.03 * pl.col("seed"))
                             .otherwise("top1"))  # fmt: skip


def judged(trials: pl.DataFrame = TRIALS, **values: Any) -> Verdict:
    """The verdict on SNIP against magnitude."""
    claim = {"text": "SNIP is better", "better": {"criterion": "snip"}, "than": {"criterion": "magnitude"}} | values
    return verdict(Claim.model_validate(claim), trials, small.arms(trials), small.TASK)


def test_a_row_for_each_sparsity_in_points_with_its_margin() -> None:
    chart = shown(claims.intervals([judged(margin=0.01)]))
    found = rows(chart)
    assert [row["case"] for row in found] == ["50 %", "90 %"]
    assert [row["mean"] for row in found] == pytest.approx([5.0, 5.0])
    assert {row["margin"] for row in found} == {1.0} and {row["n"] for row in found} == {3}
    assert all(row["low"] < row["mean"] < row["high"] for row in found)


def test_a_panel_for_each_claim_with_margin_interval_and_mean() -> None:
    chart = shown(claims.intervals([judged(), judged(text="x" * 100)]))
    assert marks(chart) == ["tick", "rule", "point"]
    titles = list(dict.fromkeys(row["claim"] for row in rows(chart)))
    assert titles[0] == "1. SNIP is better"
    assert titles[1].startswith("2. xxx") and len(titles[1]) == 60
    assert chart.spec["resolve"]["scale"] == {"x": "independent", "y": "independent"}


def test_every_answer_has_a_colour_and_a_shape() -> None:
    chart = claims.intervals([judged()])
    for channel in ("color", "shape"):
        scale = encoding(chart, channel, "point")["scale"]
        assert scale["domain"] == ["supported", "refuted", "not settled"]
        assert len(set(scale["range"])) == 3


def test_one_seed_has_a_difference_and_no_interval() -> None:
    chart = claims.intervals([judged(TRIALS.filter(pl.col("seed") == 1))])
    assert {(row["low"], row["high"], row["answer"]) for row in rows(chart)} == {(None, None, "not settled")}


def test_a_claim_without_any_pair_is_not_drawn() -> None:
    nothing = judged(TRIALS.with_columns(top1=pl.lit(None, pl.Float64)))
    assert claims.intervals([nothing]) is None
    assert claims.intervals([]) is None
    assert {row["claim"] for row in rows(claims.intervals([nothing, judged()]))} == {"2. SNIP is better"}


def test_cases_name_the_arms_that_a_claim_leaves_open() -> None:
    scopes = pl.concat([TRIALS, TRIALS.with_columns(scope=pl.lit("erk"), arm=pl.col("arm") + " · erk")])
    assert {row["case"] for row in rows(claims.intervals([judged(scopes)]))} == {
        f"{sparsity} % · {scope}" for sparsity in (50, 90) for scope in ("global", "erk")
    }  # fmt: skip
