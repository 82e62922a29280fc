"""Charts of a comparison: a panel per arm, a colour per table."""

from __future__ import annotations

import polars as pl
import pytest

from prunectl.report.charts import Chart, arm_panels, comparison
from prunectl.results.compare import Comparison, compare
from unit.report import small
from unit.report.small import described, domain, encoding, marks, panels, rows, shown, switches, tips

LABELS = ["A · a.csv", "B · b.csv", "C · c.csv"]
LOOK = comparison.look_of(LABELS)
ONES = small.swept()
OTHERS = ONES.with_columns(top1=pl.col("top1") + 0.01 * pl.col("seed"))


@pytest.fixture(scope="module")
def three() -> Comparison:
    """Table B is better than A by one to three points, and C is a part of B with two seeds."""
    return compare(ONES, OTHERS, OTHERS.filter(pl.col("seed") < 3), names=("a.csv", "b.csv", "c.csv"))


def of_two(other: pl.DataFrame, ones: pl.DataFrame = ONES) -> Chart | None:
    return comparison.differences(compare(ones, other, names=("a", "b")), comparison.look_of(LABELS[:2]))


def test_differences_are_other_minus_first_with_every_seed_below(three: Comparison) -> None:
    chart = shown(comparison.differences(three, LOOK))
    means = [row for row in rows(chart) if row["mean"] is not None]
    assert {(row["hue"], round(row["mean"], 6), row["n"]) for row in means} == {
        (LABELS[1], 2.0, 3), (LABELS[2], 1.5, 2),
    }  # fmt: skip
    seeds = [row["difference"] for row in rows(chart) if row["mean"] is None and row["hue"] == LABELS[1]]
    assert sorted(seeds) == pytest.approx([1.0] * 6 + [2.0] * 6 + [3.0] * 6)
    assert {row["n"] for row in means if row["low"] is None} == {2}
    for row in (row for row in means if row["n"] == 3):
        assert row["low"] <= row["from"] <= row["mean"] <= row["to"] <= row["high"]


def test_a_panel_per_arm_in_the_order_of_the_tables(three: Comparison) -> None:
    chart = shown(comparison.differences(three, LOOK))
    assert panels(chart) == ["magnitude · at init", "snip · at init"]
    assert marks(chart) == ["rule", "rule", "point", "point"]
    assert chart.title == "Differences to A · a.csv"
    assert switches(chart) == LABELS
    assert tips(chart, "point")[:3] == ["arm", "table", "sparsity"]


def test_accuracies_are_means_of_every_table_over_all_its_seeds(three: Comparison) -> None:
    chart = shown(comparison.accuracies(three, LOOK))
    points = {(row["hue"], row["arm"], row["sparsity"]): (row["mean"], row["n"]) for row in rows(chart)}
    assert points[(LABELS[0], "snip · at init", 0.9)] == (pytest.approx(0.802), 3)
    assert points[(LABELS[2], "snip · at init", 0.9)] == (pytest.approx(0.8165), 2)
    assert marks(chart) == ["rule", "line", "point", "point"]
    assert "with 3 seeds it holds the true mean in 61 % of studies" in chart.caption
    assert "80 % bootstrap interval from" in tips(chart, "point")


def test_a_table_keeps_its_colour_in_every_chart(three: Comparison) -> None:
    def colours(chart: Chart | None) -> dict[str, str]:
        scale = encoding(chart, "color")["scale"]
        return dict(zip(scale["domain"], scale["range"], strict=True))

    every = colours(comparison.accuracies(three, LOOK))
    assert list(every) == LABELS and len(set(every.values())) == 3
    assert colours(comparison.differences(three, LOOK)) == {label: every[label] for label in LABELS[1:]}


def test_panels_share_a_scale_unless_one_would_flatten_the_others() -> None:
    even = shown(of_two(OTHERS))
    assert "scale" not in even.spec["resolve"] and "own scale" not in even.caption
    third = small.swept(["magnitude", "snip", "synflow"])
    far = third.with_columns(top1=pl.col("top1") + pl.when(pl.col("criterion") == "snip").then(0.3).otherwise(0.01))
    chart = shown(of_two(far, third))
    assert chart.spec["resolve"]["scale"] == {"y": "independent"} and "Each panel has its own scale." in chart.caption


def test_tables_that_agree_exactly_have_a_chart_too() -> None:
    assert {row["mean"] for row in rows(shown(of_two(ONES)))} == {0.0, None}


def test_one_common_seed_settles_nothing() -> None:
    chart = shown(of_two(OTHERS.filter(pl.col("seed") == 1)))
    assert chart.caption.startswith("Paired by seed. One common seed")
    assert [row for row in rows(chart) if row["mean"] is None] == []
    single = ONES.filter(pl.col("seed") == 1)
    accuracies = shown(comparison.accuracies(compare(single, single, names=("a", "b")), comparison.look_of(LABELS[:2])))
    assert "one seed" in accuracies.caption and marks(accuracies) == ["line", "point"]


def test_without_a_common_trial_there_are_accuracies_and_no_differences() -> None:
    apart = ONES.with_columns(seed=pl.col("seed") + 10)
    assert of_two(apart) is None
    assert comparison.accuracies(compare(ONES, apart, names=("a", "b")), comparison.look_of(LABELS[:2])) is not None


def test_empty_tables_have_no_charts() -> None:
    empty = compare(ONES.clear(), ONES.clear(), names=("a", "b"))
    look = comparison.look_of(LABELS[:2])
    assert comparison.differences(empty, look) is None and comparison.accuracies(empty, look) is None


def test_with_many_arms_those_that_differ_most_have_panels() -> None:
    many = small.swept([f"c{number}" for number in range(40)], seeds=[1, 2])
    shift = pl.col("criterion").str.slice(1).cast(pl.Float64) / 10_000
    chart = shown(of_two(many.with_columns(top1=pl.col("top1") + shift), many))
    assert {row["arm"] for row in rows(chart)} == {f"c{number} · at init" for number in range(16, 40)}
    assert len(panels(chart)) == arm_panels.PANELS
    assert "The 24 of 40 arms that differ most" in chart.caption


def test_arms_that_only_one_table_has_are_not_counted_among_the_differences() -> None:
    many = small.swept([f"c{number}" for number in range(40)], seeds=[1, 2])
    assert "that differ most" not in shown(of_two(small.swept(["c0"], seeds=[1, 2]), many)).caption


def test_names_of_panels_are_short_and_visible() -> None:
    long = ONES.with_columns(arm=pl.concat_str("arm", pl.lit("\u202e" + "x" * 100)))
    chart = shown(of_two(long.with_columns(top1=pl.col("top1") + 0.1), long))
    assert all("\\u202e" in name and name.endswith("…") for name in panels(chart))
    assert {row["arm"] for row in rows(chart)} == set(panels(chart))


@pytest.mark.parametrize(
    ("ranges", "answer"), [([1, 1, 1], False), ([1, 1, 6], True), ([0, 0, 0], False), ([2], False)]
)
def test_a_range_is_uneven_from_five_times_the_middle_one_on(ranges: list[float], answer: bool) -> None:
    assert arm_panels.uneven(ranges) is answer


def test_a_shared_axis_has_room_for_all_and_an_own_one_leaves_it_to_the_panels(three: Comparison) -> None:
    assert domain(comparison.accuracies(three, LOOK), "y")[1] > 0.933
    frame = arm_panels.frame([{"arm": "a", "sparsity": 0.5, "mean": 0.5}])
    assert "domain" not in described(arm_panels.accuracy(frame, "mean", ["mean"], own=True))["scale"]
