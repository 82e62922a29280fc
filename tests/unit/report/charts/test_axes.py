"""Axes: their domains, ticks and titles."""

from __future__ import annotations

import json

import altair as alt
import polars as pl
import pytest

from prunectl.report.charts import axes, ticks
from unit.report.small import described


@pytest.mark.parametrize(
    ("numbers", "domain"),
    [
        ([0.5, 0.7], [0.488, 0.712]),  # 6 % of the range on both sides
        ([0.9, 0.999], [0.89406, 1.0]),  # no accuracy is above 1
        ([0.0, 0.5], [0.0, 0.53]),  # or below 0
        ([0.9], [0.8997, 0.9003]),  # a single value has a range all the same
        ([1.5, 2.5], [1.44, 2.56]),  # a loss is no accuracy
    ],
)
def test_accuracies_have_a_little_room(numbers: list[float], domain: list[float]) -> None:
    assert axes.domain_of(axes.accuracy("y", numbers)) == pytest.approx(domain)


@pytest.mark.parametrize(("span", "format"), [(0.2, ".0%"), (0.03, ".1%"), (0.003, ".2%")])
def test_a_narrow_range_has_more_digits(span: float, format: str) -> None:
    assert described(axes.accuracy("y", [0.5, 0.5 + span]))["axis"]["format"] == format
    assert described(axes.own_accuracy("y", [0.2, span, 0.0]))["axis"]["format"] == format, "as the narrowest panel"


def test_numbers_of_columns_without_the_missing_ones() -> None:
    frame = pl.DataFrame({"center": [1.0, 2.0], "low": [None, 0.5], "high": [None, 3.0]})
    assert axes.numbers(frame) == [1.0, 2.0, 0.5, 3.0]
    assert axes.numbers(frame, ["low"]) == [0.5]


def test_another_field_has_the_same_scale_and_title() -> None:
    y = axes.accuracy("top-1", [0.5, 0.7])
    along, first = described(axes.along(y, "low:Q")), described(y)
    assert (along["scale"], along["title"], along["field"]) == (first["scale"], "top-1", "low")
    assert "axis" not in along


def test_few_sparsities_are_ticks_and_many_have_tenths() -> None:
    assert described(axes.sparsity([0.9, 0.5, 0.9, 0.0]))["axis"]["values"] == [0.0, 0.5, 0.9]
    many = [1 - 0.8**level for level in range(1, 19)]
    assert described(axes.sparsity(many))["axis"]["values"] == [tenth / 10 for tenth in range(2, 11)]


def test_every_tick_has_its_label_and_labels_that_would_touch_are_below_each_other() -> None:
    axis = described(axes.sparsity([0.0, 0.3, 0.6, 0.9, 0.98]))["axis"]
    texts, values = axis["labelExpr"].removesuffix(", datum.value)]").split("[indexof(")
    assert json.loads(values) == axis["values"] == [0.0, 0.3, 0.6, 0.9, 0.98]
    assert json.loads(texts) == [["0 %"], ["30 %"], ["60 %"], ["90 %"], [ticks.BLANK, "98 %"]]
    assert axis["labelOverlap"] is False, "none is left out by the browser"


def test_sparsities_are_written_as_in_texts() -> None:
    assert '["67.23 %"]' in described(axes.sparsity([0.0, 0.67232]))["axis"]["labelExpr"]


def test_sparsities_have_room_even_if_there_is_only_one() -> None:
    low, high = described(axes.sparsity([0.5]))["scale"]["domain"]
    assert low < 0.5 < high


def test_compression_is_logarithmic_with_a_tick_for_each_or_for_each_doubling() -> None:
    few = described(axes.remaining([1.0, 2.0, 50.0]))
    assert few["scale"]["type"] == "log" and few["axis"]["values"] == [1.0, 2.0, 50.0]
    many = described(axes.remaining([1.25**level for level in range(1, 19)]))
    assert many["axis"]["values"] == [1, 2, 4, 8, 16, 32]
    low, high = many["scale"]["domain"]
    assert low < 1.25 and high > 1.25**18


def test_even_sparsities_are_ordered_by_value_not_by_text() -> None:
    frame = axes.with_sparsity_text(pl.DataFrame({"sparsity": [0.98, 0.0, 0.988, 0.5, 0.98]}))
    assert frame["at_sparsity"].to_list() == ["98 %", "0 %", "98.8 %", "50 %", "98 %"]
    assert described(axes.even_sparsities(frame))["sort"] == ["0 %", "50 %", "98 %", "98.8 %"]
    assert described(axes.even_sparsities(frame))["axis"]["labelAngle"] == 0


@pytest.mark.parametrize("marks", [2, 4, 9])
def test_marks_next_to_each_other_stay_near_their_sparsity(marks: int) -> None:
    """Of the distance between two sparsities the marks of one take 40 % at most: the next group is further away."""
    frame = axes.with_sparsity_text(pl.DataFrame({"sparsity": [0.3, 0.6, 0.9]}))
    x = described(axes.even_sparsities(frame, marks=marks))
    offsets = described(axes.next_to_each_other("arm", [str(number) for number in range(marks)]))["scale"]
    group = 1 - x["scale"]["paddingInner"]
    assert group <= 0.4 and x["scale"]["paddingOuter"] == x["scale"]["paddingInner"] / 2, "ticks are evenly spaced"
    assert group >= 0.15, "marks do not lie on each other"
    assert offsets["paddingOuter"] == 0, "no mark is beyond its group"
    assert group / 2 < (1 - group) / 2 < 1 - group, "a mark is nearer to its own tick than to any other"


@pytest.mark.parametrize("count", [4, 8, 11, 16])
def test_labels_of_even_sparsities_never_touch(count: int) -> None:
    """They are horizontal, and go below each other where they are wide."""
    values = [1 - 0.8**level for level in range(1, count + 1)]
    frame = axes.with_sparsity_text(pl.DataFrame({"sparsity": values}))
    axis = described(axes.even_sparsities(frame))["axis"]
    texts = json.loads(axis["labelExpr"].split("[indexof(")[0])
    ends: dict[int, float] = {}
    for at, lines in enumerate(texts):
        if lines:
            middle, half = (at + 0.5) / count * ticks.NARROWEST_PX, ticks.LETTER_PX * len(lines[-1]) / 2
            assert middle - half >= ends.get(len(lines), 0.0) - 20, f"{lines} touches its neighbour"
            ends[len(lines)] = middle + half
    assert sum(map(bool, texts)) >= min(count, 8), "nearly all have their label"
    assert axis["tickCount"] == count, "or Vega would leave ticks out"


def test_axes_are_valid_vega_lite() -> None:
    frame = axes.with_sparsity_text(pl.DataFrame({"sparsity": [0.5]}))
    for x in (axes.sparsity([0.5, 0.9]), axes.remaining([2.0, 4.0]), axes.even_sparsities(frame)):
        alt.Chart({"name": "x"}).mark_point().encode(x=x, y=axes.accuracy("y", [0.5])).to_dict(validate=True)
