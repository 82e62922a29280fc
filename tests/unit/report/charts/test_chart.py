"""The parts that every chart is made of: its data, its specification, and charts stacked into one picture."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import altair as alt
import polars as pl
import pytest

from prunectl.report.charts.chart import Chart, Sheet, spec_of, stacked


def chart(name: str, params: Sequence[Mapping[str, object]] = ()) -> Chart:
    sheet = Sheet()
    drawn = alt.Chart(sheet.values([{"x": name}])).mark_point().encode(x="x:N")
    return Chart(name=name, title=name.upper(), caption="", spec=spec_of(drawn, sheet) | {"params": list(params)})


def test_data_are_named_by_their_content() -> None:
    sheet = Sheet()
    names = [sheet.values([{"x": value}]).name for value in (1, 2, 1)]
    assert names[0] == names[2] != names[1]
    assert len(sheet.datasets) == 2


def test_only_the_chosen_columns_are_data_with_six_digits() -> None:
    sheet = Sheet()
    name = sheet.rows(pl.DataFrame({"a": [1 / 3], "b": [2], "c": ["x"]}), ["a", "b"]).name
    assert sheet.datasets[name] == [{"a": 0.333333, "b": 2}]


def test_numbers_that_json_does_not_have_are_no_obstacle() -> None:
    sheet = Sheet()
    assert sheet.values([{"x": math.inf}]).name in sheet.datasets


def test_a_specification_has_the_common_style_and_its_data() -> None:
    spec = chart("a").spec
    assert spec["config"]["background"] == "transparent"
    assert [list(rows) for rows in spec["datasets"].values()] == [[{"x": "a"}]]
    alt.Chart.validate(spec, alt.Chart._rootschema)


def test_stacked_charts_keep_their_order_titles_and_data() -> None:
    spec = stacked([chart("a"), chart("b")])
    assert [part["title"] for part in spec["vconcat"]] == ["A", "B"]
    assert sorted(row["x"] for rows in spec["datasets"].values() for row in rows) == ["a", "b"]
    assert spec["config"]["background"] == "white"
    assert all(not {"config", "datasets", "$schema"} & set(part) for part in spec["vconcat"])
    alt.Chart.validate(spec, alt.Chart._rootschema)


def test_a_stacked_chart_keeps_the_title_of_an_axis_that_its_panels_share() -> None:
    titled = chart("a")
    below = replace(titled, spec=titled.spec | {"title": {"text": "epoch", "orient": "bottom"}})
    (part,) = stacked([below])["vconcat"]
    assert part["title"] == "A" and part["vconcat"][0]["title"]["text"] == "epoch"


def test_stacked_charts_share_the_switches_and_lose_what_needs_a_mouse() -> None:
    shown, zoom = {"name": "shown", "value": ["a"]}, {"name": "zoom", "select": "interval", "views": ["view_1"]}
    spec = stacked([chart("a", [shown, zoom]), chart("b", [shown])])
    assert spec["params"] == [shown]


def test_stacked_charts_have_colours_of_their_own() -> None:
    assert set(stacked([chart("a")])["resolve"]["scale"].values()) == {"independent"}


def test_a_chart_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        chart("a").title = "b"  # type: ignore[misc]
