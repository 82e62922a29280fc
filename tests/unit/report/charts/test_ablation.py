"""What ablations change: differences to the unmodified twin, and lines arm by arm."""

from __future__ import annotations

import polars as pl
import pytest

from prunectl.report import palette
from prunectl.report.charts import Chart, ablation, look
from unit.report import small
from unit.report.small import encoding, marks, panels, rows, shown

PLAIN = small.swept()
SHUFFLED = small.swept(ablation="shuffle").with_columns(
    top1=pl.col("top1") - pl.when(pl.col("sparsity") > 0).then(0.02).otherwise(0.0) * pl.col("seed")
)
BOTH = pl.concat([PLAIN, SHUFFLED])


def test_differences_are_ablated_minus_unmodified_by_seed_in_points() -> None:
    chart = shown(ablation.differences(BOTH, look(BOTH)))
    means = [row for row in rows(chart) if row["mean"] is not None]
    assert [(row["hue"], row["sparsity"]) for row in means] == [
        (name, value) for name in ("magnitude", "snip") for value in (0.5, 0.9)
    ]
    assert [row["mean"] for row in means] == pytest.approx([-4.0] * 4)
    assert {row["n"] for row in means} == {3}
    seeds = [row["difference"] for row in rows(chart) if row["mean"] is None]
    assert sorted(seeds) == pytest.approx([-6.0] * 4 + [-4.0] * 4 + [-2.0] * 4)


def test_differences_have_a_panel_per_ablation_with_seeds_below_means() -> None:
    chart = shown(ablation.differences(BOTH, look(BOTH)))
    assert {row["panel"] for row in rows(chart)} == {"shuffled − unmodified"}
    assert panels(chart)[0] == "shuffled − unmodified"
    assert marks(chart) == ["rule", "rule", "point", "point"]
    assert encoding(chart, "x")["sort"] == ["50 %", "90 %"]
    assert encoding(chart, "xOffset")["scale"]["domain"] == ["magnitude", "snip"]
    assert chart.caption.endswith("Each panel has its own scale.")


def test_one_seed_settles_nothing() -> None:
    single = BOTH.filter(pl.col("seed") == 1)
    chart = shown(ablation.differences(single, look(single)))
    assert chart.caption.endswith("One seed: nothing is settled.")
    assert {row["from"] for row in rows(chart) if row["mean"] is not None} == {-2.0}


def test_an_ablation_from_elsewhere_has_a_panel_under_its_name() -> None:
    other = pl.concat([PLAIN, SHUFFLED.with_columns(ablation=pl.lit("permute"))])
    assert {row["panel"] for row in rows(ablation.differences(other, look(other)))} == {"permute − unmodified"}


def test_a_study_without_ablations_has_neither_chart() -> None:
    assert ablation.differences(PLAIN, look(PLAIN)) is None
    assert ablation.by_arm(PLAIN, look(PLAIN)) is None


def test_arms_are_panels_and_ablations_hollow_marks_next_to_the_unmodified_one() -> None:
    some = pl.concat([PLAIN, SHUFFLED.filter(pl.col("criterion") == "snip")])
    chart = shown(ablation.by_arm(some, look(some)))
    assert panels(chart) == ["snip"]
    assert marks(chart) == ["line", "line", "point", "point"]
    assert encoding(chart, "xOffset")["scale"]["domain"] == ["none", "shuffle"], "no line lies on another"
    assert "strokeDash" not in str(chart.spec["spec"])
    assert encoding(chart, "color")["scale"]["range"] == [palette.OWN["snip"]], "the colour of its criterion"
    plain, ablated = (unit["mark"]["filled"] for unit in small.units(chart.spec) if unit["mark"]["type"] == "point")
    assert plain and not ablated
    lines = {(row["series"], row["ablation"]) for row in rows(chart)}
    assert lines == {("snip", "none"), ("snip", "shuffle")}


def test_an_arm_that_collapses_does_not_flatten_the_others() -> None:
    fallen = pl.col("criterion").eq("snip") & pl.col("ablation").eq("shuffle") & pl.col("sparsity").gt(0)
    gone = pl.concat([BOTH, small.swept(["grasp"]), small.swept(["grasp"], ablation="shuffle")])
    gone = gone.with_columns(top1=pl.when(fallen).then(0.1).otherwise("top1"))
    chart = shown(ablation.by_arm(gone, look(gone)))
    assert small.domain(chart, "y")[0] > 0.6, "0.1 is cut"
    assert chart.caption.endswith(ablation.CUT)


def arrows(chart: Chart | None) -> list[str]:
    """The shapes of the arrows at the ends of intervals."""
    assert chart is not None
    shapes = [unit["mark"].get("shape", "") for unit in small.units(chart.spec)]
    return [shape for shape in shapes if shape.startswith("triangle")]


def test_an_interval_that_is_cut_has_an_arrow() -> None:
    """One seed far from the others: their t-interval goes far beyond all of them."""
    falls = (pl.col("seed") == 3) & (pl.col("ablation") == "shuffle")
    wide = BOTH.with_columns(top1=pl.col("top1") - pl.when(falls).then(0.3).otherwise(0.0))
    chart = shown(ablation.differences(wide, look(wide)))
    assert arrows(chart) == ["triangle-down", "triangle-up"]
    assert all(row["below"] == row["from"] for row in rows(chart) if row["mean"] is not None)
    level = pl.when(pl.col("ablation") == "shuffle").then(0.01 * (pl.col("seed") - 2)).otherwise(0.0)
    near = PLAIN.with_columns(top1=pl.lit(0.8)), SHUFFLED.with_columns(top1=0.7 + level)
    whole = pl.concat(near)
    assert arrows(shown(ablation.differences(whole, look(whole)))) == []


def test_an_arm_with_a_single_sparsity_has_no_panel() -> None:
    """As in a study that is not finished: its panel would be nearly empty."""
    some = BOTH.filter((pl.col("criterion") == "magnitude") | (pl.col("sparsity") == 0))
    assert panels(shown(ablation.by_arm(some, look(some)))) == ["magnitude"]


def test_a_single_sparsity_is_no_line() -> None:
    single = BOTH.filter(pl.col("sparsity") == 0.5)
    assert ablation.by_arm(single, look(single)) is None
    assert ablation.differences(single, look(single)) is not None
