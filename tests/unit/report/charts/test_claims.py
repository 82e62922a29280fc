"""Claims as intervals with their margins."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from prunectl.report.charts import Chart, claims
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


def panels(chart: Chart | None) -> list[dict[str, Any]]:
    """The panels of a chart, each with its rows."""
    assert chart is not None
    spec = chart.spec  # Altair hoists the data of a single panel
    return [panel | {"rows": spec["datasets"][panel.get("data", spec.get("data"))["name"]]} for panel in spec["concat"]]


def test_a_panel_for_each_claim_as_high_as_its_cases_with_a_whole_title() -> None:
    text = "SNIP at initialization is as accurate as magnitude after training, within half a point, at 50 %"
    chart = shown(claims.intervals([judged(), judged(text=text, at_sparsity=0.5)]))
    assert marks(chart) == ["text", "tick", "rule", "point", "point"] * 2
    two, one = panels(chart)
    assert " ".join(two["title"]) == "1. SNIP is better" and " ".join(one["title"]) == f"2. {text}"
    assert len(small.rows(chart)) == 2 and two["height"] == 2 * one["height"]
    assert chart.spec["resolve"]["scale"] == {"x": "independent", "y": "independent"}


def test_names_of_cases_are_whole_above_their_intervals() -> None:
    """Beside the intervals they would be cut, or push the chart off the page."""
    scopes = pl.concat([TRIALS, TRIALS.with_columns(scope=pl.lit("erk"), arm=pl.col("arm") + " · erk")])
    (panel,) = panels(claims.intervals([judged(scopes)]))
    for row in small.rows(claims.intervals([judged(scopes)])):
        assert row["text"].replace("\n", " ") == row["case"]
        assert row["name_y"] < row["y"]
    assert panel["layer"][0]["mark"]["limit"] == 0


def test_every_answer_has_a_colour_and_a_shape() -> None:
    chart = claims.intervals([judged()])
    for channel in ("color", "shape"):
        scale = encoding(chart, channel, "point")["scale"]
        assert scale["domain"] == ["supported", "refuted", "not settled"]
        assert len(set(scale["range"])) == 3


def test_the_seeds_of_each_case_are_small_dots() -> None:
    chart = shown(claims.intervals([judged()]))
    dots = small.seeds(chart)
    assert len(dots) == 2 * 3
    for row in rows(chart):
        own = [dot["seed"] for dot in dots if dot["y"] == row["y"] + 6]
        assert sum(own) / 3 == pytest.approx(row["mean"])


def test_one_seed_has_a_difference_and_no_interval() -> None:
    chart = claims.intervals([judged(TRIALS.filter(pl.col("seed") == 1))])
    assert not small.seeds(chart)
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
