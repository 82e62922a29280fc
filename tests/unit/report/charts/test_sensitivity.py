"""What each layer can spare, as cells."""

from __future__ import annotations

import pytest

from prunectl.report.charts.sensitivity import by_layer
from unit.report.small import encoding, marks, rows, shown
from unit.results.test_sensitivity import spared


def test_a_cell_for_each_layer_and_rate_is_framed_within_the_margin() -> None:
    chart = shown(by_layer(spared({"conv1": {0.5: 0.895, 0.8: 0.7}, "fc": {0.5: 0.9, 0.8: None}})))
    assert marks(chart) == ["rect", "rect", "text"]
    assert [(row["layer"], row["text"], row["spared"] is not None) for row in rows(chart)] == [
        ("conv1", "−0.50", True), ("conv1", "−20.00", False), ("fc", "0.00", True),
    ]  # fmt: skip
    assert encoding(chart, "x")["sort"] == ["50 %", "80 %"]
    assert encoding(chart, "y")["sort"] == ["conv1", "fc"]
    assert "Framed: at most 1.00 points lost." in chart.caption


def test_frames_have_a_legend_and_changes_are_counted_in_points() -> None:
    """A picture that is saved has no caption."""
    chart = shown(by_layer(spared({"conv1": {0.5: 0.895, 0.8: 0.7}})))
    stroke = encoding(chart, "stroke")
    assert stroke["scale"]["domain"] == ["framed: at most 1.00 points lost"] and stroke["legend"]["symbolSize"]
    colour = encoding(chart, "color")
    assert colour["legend"]["title"] == "change of top-1, points" and colour["scale"]["domain"] == pytest.approx(
        [-20.0, 0]
    )
    nothing = shown(by_layer(spared({"conv1": {0.8: 0.7}})))
    assert marks(nothing) == ["rect", "text"], "nothing is framed, and no legend explains frames"


def test_without_a_measurement_there_is_no_chart() -> None:
    assert by_layer(spared({"conv1": {0.5: None}})) is None
