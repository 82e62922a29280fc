"""Lines, tooltips and panels."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

import altair as alt
import polars as pl
import pytest

from prunectl.report.charts import axes, look, pieces
from prunectl.report.charts.chart import Sheet
from unit.report import small
from unit.report.small import described


def test_means_are_of_the_unmodified_arms_over_their_seeds() -> None:
    trials = pl.concat([small.swept(), small.swept(ablation="shuffle")])
    frame = pieces.means(trials, look(trials))
    assert set(frame["series"]) == {"magnitude", "snip"}
    assert frame["n"].to_list() == [3] * 6
    snip = frame.filter((pl.col("hue") == "snip") & (pl.col("sparsity") == 0.9)).row(0, named=True)
    assert snip["center"] == pytest.approx(0.9 - 0.09 - 0.01 + 0.002)
    assert snip["low"] < snip["center"] < snip["high"]


def test_medians_are_medians() -> None:
    trials = small.trials(*({"seed": seed, "top1": top1} for seed, top1 in ((1, 0.5), (2, 0.6), (3, 0.9))))
    assert pieces.means(trials, look(trials, "median"))["center"].to_list() == [0.6]
    assert pieces.means(trials, look(trials))["center"].to_list() == pytest.approx([2 / 3])


def test_the_caption_names_what_points_and_bands_are() -> None:
    trials = small.swept()
    for center in ("mean", "median"):
        drawn = look(trials, "mean" if center == "mean" else "median")
        assert pieces.spread(pieces.means(trials, drawn), drawn) == (
            f"Points are {center}s over the seeds (small dots), bands the 80 % bootstrap interval of the {center} "
            f"(with 3 seeds it holds the true {center} in {'61' if center == 'mean' else '75'} % of studies)."
        )
    two = small.swept(seeds=[1, 2])
    assert pieces.spread(pieces.means(two, look(two)), look(two)) == (
        "Two seeds (small dots) and their mean, without intervals."
    )
    single = small.swept(seeds=[1])
    assert pieces.spread(pieces.means(single, look(single)), look(single)) == "One seed: points without intervals."


def test_lines_have_a_band_below_and_points_above() -> None:
    trials = small.swept()
    drawn, x, y = look(trials), axes.sparsity([0.5, 0.9]), axes.accuracy("y", [0.5, 0.9])
    layers = pieces.lines(drawn, x, y, pieces.tooltip(drawn, "accuracy"), legend=True)
    kinds = [described(layer)["mark"]["type"] for layer in layers]
    assert kinds == ["area", "line", "point", "point"]
    assert [described(layer).get("transform") for layer in layers] == [
        [{"filter": pieces.SUMMARY}] if kind != 2 else None for kind in range(4)
    ]
    bare = pieces.lines(drawn, x, y, [], legend=False, band=False)
    assert [described(layer)["mark"]["type"] for layer in bare] == ["line", "point"]
    assert described(bare[0])["encoding"]["color"]["legend"] is None


def test_single_seeds_are_rows_below_their_summary() -> None:
    trials = small.swept(["snip"], [0.5])
    frame = pieces.with_seeds(pieces.means(trials, look(trials)))
    assert frame["n"].to_list() == [3, None, None, None]
    assert frame["seed"].to_list() == [None, *trials["top1"].to_list()]
    assert frame["sparsity"].to_list() == [0.5] * 4 and frame["center"].null_count() == 3


def test_a_tooltip_names_arm_numbers_and_seeds() -> None:
    drawn = look(small.swept(), "median")
    titles = [described(tip)["title"] for tip in pieces.tooltip(drawn, "loss", [alt.Tooltip("x:Q", title="share")])]
    assert titles == [
        "arm", "ablation", "sparsity", "compression", "loss, median", "interval from", "to", "standard deviation",
        "seeds", "share",
    ]  # fmt: skip


def test_the_baseline_is_a_dashed_line_with_its_accuracy() -> None:
    rule = described(pieces.dense_rule(0.935))
    assert rule["mark"]["strokeDash"] == [3, 3] and rule["encoding"]["y"]["datum"] == 0.935
    assert rule["transform"][0]["aggregate"], "once in each panel, not for each row"
    assert pieces.dense_text(0.935) == "dense 93.5 %"


def faceted(order: Sequence[str] = ("b", "a"), **options: object) -> dict[str, object]:
    sheet = Sheet()
    data = sheet.values([{"p": "a", "x": 1}, {"p": "b", "x": 2}])
    layer = alt.Chart().mark_point().encode(x="x:Q")
    chart = pieces.faceted([layer], data, "p", order, 2, width=100, height=50, **options)  # type: ignore[arg-type]
    spec: dict[str, object] = chart.to_dict(validate=True)
    return spec


def test_panels_come_in_the_given_order_with_their_x_axes_below_the_last_row() -> None:
    spec = faceted(x_title="share")
    assert spec["facet"] == {"field": "p", "type": "nominal", "title": None, "sort": ["b", "a"]}
    assert spec["columns"] == 2
    assert spec["resolve"] == {"axis": {"x": "shared"}}
    assert spec["title"] == {"text": "share", "orient": "bottom", **pieces.BELOW}, "the title of all of them"


def test_panels_with_a_gap_in_their_last_row_have_each_its_x_axis() -> None:
    """Under a shared one the panel above the gap would have none."""
    assert faceted(order=["a", "b", "c"])["resolve"] == {"axis": {"x": "independent"}}


@pytest.mark.parametrize(
    ("panels", "most", "columns"), [(5, 4, 3), (8, 6, 4), (5, 5, 5), (3, 4, 3), (9, 4, 3), (1, 4, 1)]
)
def test_rows_of_panels_are_as_even_as_possible(panels: int, most: int, columns: int) -> None:
    assert pieces.in_rows(panels, most) == columns


def test_panels_can_have_their_own_scales_and_shorter_heads() -> None:
    spec = faceted(own_y=True, label_px=120)
    assert spec["resolve"] == {"axis": {"x": "shared"}, "scale": {"y": "independent"}}
    assert spec["facet"]["header"] == {"labelLimit": 120}  # type: ignore[index]


def test_many_sparsities_are_thinned_to_panels_with_both_ends() -> None:
    few = [0.5, 0.9]
    assert pieces.spread_out(few) == few
    many = [number / 20 for number in range(1, 20)]
    chosen = pieces.spread_out(many)
    assert len(chosen) == pieces.PANELS
    assert (chosen[0], chosen[-1]) == (many[0], many[-1])
    assert chosen == sorted(set(chosen))


def headed(names: Sequence[str], **options: Any) -> dict[str, Any]:
    point = alt.Chart().mark_point().encode(x="x:Q")
    chart = pieces.faceted([point], alt.NamedData("data"), "panel", names, 2, width=140, height=60, **options)
    spec: dict[str, Any] = chart.to_dict(validate=False)
    return spec


LONG = "magnitude, at end · lr-rewind · iterative · channels"


def test_titles_of_panels_that_are_too_long_are_whole_in_several_lines() -> None:
    assert " ".join(pieces.head_lines(LONG, 140)) == LONG
    assert all(len(line) * pieces.HEAD_LETTER_PX <= 140 + pieces.HEAD_OVER_PX for line in pieces.head_lines(LONG, 140))
    expression = headed(["snip", LONG])["facet"]["header"]["labelExpr"]
    found = re.fullmatch(r"(\[.*\])\[indexof\((\[.*\]), datum\.label\)\]", expression)
    assert found is not None
    texts, ordered = found.groups()
    assert json.loads(ordered) == ["snip", LONG]
    assert json.loads(texts) == [["snip"], pieces.head_lines(LONG, 140)]
    assert "header" not in headed(["snip", "magnitude"])["facet"], "short titles stay as they are"


def test_panels_that_are_aligned_by_their_frames_have_room_for_titles_of_several_lines() -> None:
    room = headed(["snip", LONG], own_y=True)["spacing"]["row"] - headed(["snip"], own_y=True)["spacing"]["row"]
    assert room == pieces.HEAD_LINE_PX * (len(pieces.head_lines(LONG, 140)) - 1) > 0
