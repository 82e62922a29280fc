"""Claims as intervals with their margins."""

from __future__ import annotations

import json
from dataclasses import replace
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


def cases(chart: Chart | None) -> list[dict[str, Any]]:
    """The rows of cases, from top to bottom, without those of single seeds and of the names of arms."""
    return [row for row in rows(chart) if "case" in row]


def test_a_row_for_each_sparsity_in_points_with_its_margin() -> None:
    chart = shown(claims.intervals([judged(margin=0.01)]))
    found = cases(chart)
    assert [row["case"] for row in found] == ["50 %", "90 %"]
    assert [row["mean"] for row in found] == pytest.approx([5.0, 5.0])
    assert {row["margin"] for row in found} == {1.0} and {row["n"] for row in found} == {3}
    assert all(row["low"] < row["mean"] < row["high"] for row in found)


def test_the_axis_names_what_is_subtracted_in_words() -> None:
    chart = claims.intervals([judged()])
    assert encoding(chart, "x", "point")["title"] == "difference in top-1, points: better minus compared"
    low = TRIALS.with_columns(loss=1 - pl.col("top1"))
    turned = claims.intervals([judged(low, metric="loss")])
    assert encoding(turned, "x", "point")["title"] == "difference in loss, nats: compared minus better"


def panels(chart: Chart | None) -> list[dict[str, Any]]:
    """The panels of a chart by the numbers of their claims, each with its rows."""
    return sorted((panel for column in columns(chart) for panel in column), key=number)


def number(panel: dict[str, Any]) -> int:
    """The number of the claim that a panel is about."""
    return int(panel["title"]["text"][0].split(".")[0])


def columns(chart: Chart | None) -> list[list[dict[str, Any]]]:
    """The panels of each column, from top to bottom. Altair hoists the data of a single panel."""
    assert chart is not None
    spec = chart.spec
    return [
        [
            panel | {"rows": spec["datasets"][panel.get("data", column.get("data", spec.get("data")))["name"]]}
            for panel in column["vconcat"]
        ]
        for column in spec["hconcat"]
    ]


def test_a_panel_for_each_claim_as_high_as_its_cases_with_a_whole_title() -> None:
    text = "SNIP at initialization is as accurate as magnitude after training, within half a point, at 50 %"
    chart = shown(claims.intervals([judged(), judged(text=text, at_sparsity=0.5)]))
    assert marks(chart) == ["tick", "rule", "rule", "point", "point"] * 2
    two, one = panels(chart)
    assert " ".join(two["title"]["text"]) == "1. SNIP is better" and " ".join(one["title"]["text"]) == f"2. {text}"
    assert len([row for row in two["rows"] if "case" in row]) == 2 and two["height"] == 2 * one["height"]
    assert chart.spec["resolve"]["scale"] == {"x": "independent", "y": "independent"}


def of_heights(*cases: int) -> list[list[int]]:
    """The numbers of the claims in each column of a chart of claims with so many cases."""
    every = judged()
    verdicts = [replace(every, details=(every.details * count)[:count]) for count in cases]
    return [[number(panel) for panel in column] for column in columns(shown(claims.intervals(verdicts)))]


def test_panels_fill_two_columns_of_about_the_same_height_and_one_where_these_would_not_be_even() -> None:
    """A panel that is alone in its row, or much higher than its neighbour, would leave white next to it."""
    assert of_heights(1, 1) == [[1], [2]] and of_heights(1, 1, 1, 1) == [[1, 3], [2, 4]]
    assert of_heights(9, 9, 30, 1, 1) == [[1, 2, 4, 5], [3]], "the shipped study of Renda et al."
    assert of_heights(1) == [[1]] and of_heights(1, 1, 1) == [[1, 2, 3]] and of_heights(2, 30) == [[1, 2]]
    assert of_heights(1, 1, 1, 1, 2, 1) == [[1, 3, 5], [2, 4, 6]], "in the order of the claims, if that is as even"


def test_a_title_fills_the_width_of_its_panel() -> None:
    text = "Single weights can be pruned further than channels, if they are retrained for as long as before"
    (panel,) = panels(claims.intervals([judged(text=text)]))
    first, second = panel["title"]["text"]
    assert claims.TITLE - 10 < len(first) <= claims.TITLE and f"{first} {second}" == f"1. {text}"


SCOPES = pl.concat([TRIALS, TRIALS.with_columns(scope=pl.lit("erk"), arm=pl.col("arm") + " · erk")])


def labels(chart: Chart | None) -> list[str]:
    """The labels left of the plot, from top to bottom."""
    axis = next(unit["encoding"]["y"]["axis"] for unit in small.units(chart.spec) if "axis" in unit["encoding"]["y"])  # type: ignore[union-attr]
    texts, places = axis["labelExpr"].removesuffix(", datum.value)]").split("[indexof(")
    assert json.loads(places) == axis["values"] == [row["y"] for row in cases(chart)]
    assert axis["tickCount"] == len(axis["values"]), "or Vega would leave ticks out"
    assert axis["labelLimit"] == 0 and axis["labelOverlap"] is False, "all of them are whole"
    return ["\n".join(text) for text in json.loads(texts)]


def test_labels_are_left_of_the_plot_and_an_arm_is_named_once_above_its_cases() -> None:
    """In the plot they would be on the intervals, and nobody could tell which is whose."""
    chart = shown(claims.intervals([judged(SCOPES)]))
    assert labels(chart) == ["50 %", "90 %"] * 2
    heads = [row for row in rows(chart) if "head" in row]
    assert [head["head"] for head in heads] == ["global", "erk"]
    tops = [row["top"] for row in cases(chart)]
    assert tops[0] >= heads[0]["y"] + claims.TEXT_PX and tops[2] >= heads[1]["y"] + claims.TEXT_PX
    assert heads[1]["y"] > cases(chart)[1]["bottom"], "clearly separated"
    at = encoding(chart, "x", "text")["value"]
    assert at < 0, "names of arms begin where the labels do"


def test_what_all_cases_share_is_in_the_title_alone() -> None:
    both = pl.concat(
        SCOPES.with_columns(rounds=pl.lit(rounds), arm=pl.col("arm") + f" · {rounds}") for rounds in ("one-shot", "a")
    )
    (panel,) = panels(claims.intervals([judged(both, better={"criterion": "snip", "rounds": "a"},
                                               than={"criterion": "magnitude", "rounds": "a"})]))  # fmt: skip
    assert "subtitle" not in panel["title"], "rounds are no choice of the claim"
    one = claims.intervals([judged(SCOPES, at_sparsity=0.9)])
    (alone,) = panels(one)
    assert alone["title"]["subtitle"] == ["at 90 %"]
    assert labels(one) == ["global", "erk"], "the only sparsity is in no row"
    assert [row["case"] for row in cases(one)] == ["at 90 % · global", "at 90 % · erk"]


@pytest.mark.parametrize(
    ("arms", "shared", "heads"),
    [
        (["iterative · global", "iterative · erk"], "iterative", ["global", "erk"]),
        (["global", "global"], "global", ["", ""]),
        (["erk · snip against global · snip", "erk · snip against erk · snip"], "", None),
    ],
)
def test_parts_of_two_arms_against_each_other_stay_together(
    arms: list[str], shared: str, heads: list[str] | None
) -> None:
    verdict = judged()
    details = [
        replace(detail, arm=arm, sparsity=sparsity)
        for arm in arms for sparsity, detail in zip((0.5, 0.9), verdict.details, strict=True)
    ]  # fmt: skip
    names = claims.names_of(verdict, details)
    assert {name.shared for name in names} == {shared}
    assert [name.head for name in names][::2] == (arms if heads is None else heads)


def test_long_labels_are_whole_in_several_lines() -> None:
    rates = '{ name = "rates", per_layer = { "a.long.name.of.a.layer" = 1.0, "another.layer" = 0.5 } }'
    scope = pl.when(pl.col("scope") == "erk").then(pl.lit(rates)).otherwise("scope")
    long = SCOPES.with_columns(scope=scope)
    chart = shown(claims.intervals([judged(long, at_sparsity=0.5)]))
    label = labels(chart)[1]
    assert label.count("\n") >= 2 and "…" not in label
    row = cases(chart)[1]
    assert row["bottom"] - row["top"] >= claims.TEXT_PX * (1 + label.count("\n"))


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
    for row in cases(chart):
        own = [dot["seed"] for dot in dots if dot["y"] == row["y"] + 6]
        assert sum(own) / 3 == pytest.approx(row["mean"])


def test_one_seed_has_a_difference_and_no_interval() -> None:
    chart = claims.intervals([judged(TRIALS.filter(pl.col("seed") == 1))])
    assert not small.seeds(chart)
    assert {(row["low"], row["high"], row["answer"]) for row in cases(chart)} == {(None, None, "not settled")}


def test_a_claim_without_any_pair_is_not_drawn() -> None:
    nothing = judged(TRIALS.with_columns(top1=pl.lit(None, pl.Float64)))
    assert claims.intervals([nothing]) is None
    assert claims.intervals([]) is None
    assert {row["claim"] for row in cases(claims.intervals([nothing, judged()]))} == {"2. SNIP is better"}


def test_cases_name_the_arms_that_a_claim_leaves_open() -> None:
    assert {row["case"] for row in cases(claims.intervals([judged(SCOPES)]))} == {
        f"{scope} · {sparsity} %" for sparsity in (50, 90) for scope in ("global", "erk")
    }  # fmt: skip
