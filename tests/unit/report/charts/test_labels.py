"""Names at the ends of lines: broken, shortened, and moved apart."""

from __future__ import annotations

from itertools import pairwise

import polars as pl
import pytest

from prunectl.report.charts import axes, labels, look, pieces
from prunectl.report.charts.chart import Sheet
from unit.report import small
from unit.report.small import described


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
    assert labels.apart(wanted, sizes, 300) == placed


def test_labels_keep_the_order_of_their_lines() -> None:
    placed = labels.apart([60, 50, 55], [13, 13, 13], 300)
    assert placed[1] < placed[2] < placed[0]


def test_more_labels_than_fit_keep_their_distance_all_the_same() -> None:
    placed = labels.apart([0.0] * 10, [13] * 10, 100)
    assert [after - before for before, after in pairwise(placed)] == [13] * 9


def test_long_names_are_broken_at_commas_and_dots() -> None:
    assert labels.broken("magnitude") == "magnitude"
    assert labels.broken("magnitude, erk · at end") == "magnitude, erk\nat end", "no line ends in a mark"
    assert labels.broken("magnitude, at end · no retraining") == "magnitude, at end\nno retraining"
    assert labels.broken("x" * 40) == "x" * 25 + "…"
    long = labels.broken(", ".join(["criterion"] * 9))
    assert long.count("\n") == 3 and long.endswith(" …"), "a cut name shows that it is cut"


def test_few_lines_carry_their_names_and_many_have_a_legend() -> None:
    few = small.swept()
    frame = pieces.means(few, look(few))
    assert labels.fit(frame, look(few))
    assert labels.width_px(frame, look(few)) == 12 + round(6.6 * len("magnitude"))
    many = small.swept([f"c{number}" for number in range(labels.MOST_LABELS + 1)], seeds=[1])
    frame = pieces.means(many, look(many))
    assert not labels.fit(frame, look(many))
    assert labels.width_px(frame, look(many)) == 0


def test_a_label_is_at_the_height_of_the_last_point() -> None:
    trials = small.swept(seeds=[1])
    drawn, sheet = look(trials), Sheet()
    frame = pieces.means(trials, drawn)
    y = axes.accuracy("y", axes.numbers(frame))
    (mark,) = map(described, labels.end_labels(sheet, frame.reverse(), "sparsity", drawn, y, height=1000))
    rows = {row["name"]: row["place"] for row in sheet.datasets[mark["data"]["name"]]}
    low, high = axes.domain_of(y)
    last = frame.filter((pl.col("sparsity") == 0.9) & (pl.col("hue") == "magnitude"))["center"].item()
    assert rows["magnitude"] == pytest.approx((high - last) / (high - low) * 1000)
    assert rows["snip"] > rows["magnitude"]
    assert mark["mark"]["clip"] is False


def test_the_baseline_has_its_name_outside_of_the_frame_apart_from_those_of_lines() -> None:
    trials = small.swept(seeds=[1])
    drawn, sheet = look(trials), Sheet()
    frame = pieces.means(trials, drawn)
    y = axes.accuracy("y", [0.7, 0.9])
    names, dense = map(described, labels.end_labels(sheet, frame, "sparsity", drawn, y, dense=frame["center"][2]))
    (row,) = sheet.datasets[dense["data"]["name"]]
    assert row["dense"].startswith("dense ") and dense["mark"]["align"] == "left"
    places = sorted([row["place"], *(each["place"] for each in sheet.datasets[names["data"]["name"]])])
    assert all(after - before >= labels.LABEL_PX for before, after in pairwise(places))


def test_narrow_screens_list_the_names_in_full_with_colour_and_dash() -> None:
    trials = pl.concat([small.swept(["snip"], seeds=[1]), small.swept(["snip"], seeds=[1], at="end")])
    drawn = look(trials)
    listed = labels.listed(pieces.means(trials, drawn), "sparsity", drawn)
    assert [name.text for name in listed] == ["init", "end"]
    assert len({name.colour for name in listed}) == 2
