"""Time and energy by kind of step."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from prunectl.report.charts import cost
from prunectl.results.table import RESOURCES
from unit.report.small import domain, encoding, marks, rows, shown, tips

TRAIN = {"kind": "train", "steps": 4, "made": 1, "reused": 3, "wall_s": 7200.0, "unshared": 8, "unshared_s": 14400.0,
         "energy_j": 7.2e6, "metered": 4}  # fmt: skip
SCORE = {"kind": "score", "criterion": "snip", "steps": 2, "made": 2, "reused": 0, "wall_s": 60.0, "unshared": 2,
         "unshared_s": 60.0, "energy_j": 100.0, "metered": 1}  # fmt: skip


def resources(*kinds: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame([dict.fromkeys(RESOURCES) | kind for kind in kinds], schema=RESOURCES)


def test_time_spent_is_drawn_in_the_time_without_sharing() -> None:
    chart = shown(cost.time(resources(TRAIN, SCORE)))
    assert marks(chart) == ["bar", "bar", "text"]
    bars = {row["kind"]: (row["wall"], row["alone"], row["text"]) for row in rows(chart)}
    assert bars["train"] == (2.0, 4.0, "2.0 h\nunshared 4.0 h")
    assert bars["score"][2] == "60.0 s"
    assert encoding(chart, "y")["sort"] == ["train", "score"]


def test_criteria_of_one_kind_of_step_are_added_up() -> None:
    chart = cost.time(resources(SCORE, SCORE | {"criterion": "grasp"}))
    assert [(row["kind"], row["steps"], row["text"]) for row in rows(chart)] == [("score", 4, "2 min")]


@pytest.mark.parametrize(
    ("factor", "unit"), [(24.0, "days"), (1.0, "hours"), (1 / 60, "minutes"), (1 / 3600, "seconds"), (1e-6, "seconds")]
)
def test_the_unit_suits_the_longest_time(factor: float, unit: str) -> None:
    chart = cost.time(resources(TRAIN | {"wall_s": 7200.0 * factor, "unshared_s": 14400.0 * factor}))
    assert encoding(chart, "x")["title"] == f"wall time, {unit}"


def test_texts_are_to_the_right_of_the_bars_which_take_the_whole_frame() -> None:
    chart = cost.time(resources(TRAIN))
    assert domain(chart, "x") == pytest.approx([0, 4.08])
    assert encoding(chart, "x", "text") == {"value": "width"}
    assert chart is not None and chart.labels_px > 6 * len("unshared 4.0 h")


def test_tooltips_count_what_was_made_reused_and_shared() -> None:
    titles = tips(cost.time(resources(TRAIN)), "bar")
    assert titles == [
        "kind of step", "time", "hours without sharing", "steps", "made by this run", "reused", "steps without sharing",
    ]  # fmt: skip


def test_before_anything_is_done_there_is_no_time() -> None:
    assert cost.time(resources()) is None
    assert cost.time(resources(TRAIN | {"wall_s": 0.0})) is None


def test_energy_names_the_share_of_steps_that_were_measured() -> None:
    chart = shown(cost.energy(resources(TRAIN, SCORE)))
    assert marks(chart) == ["bar", "text"]
    texts = {row["kind"]: row["text"] for row in rows(chart)}
    assert texts == {"train": "2 kWh", "score": "100 J\n1 of 2 steps"}


def test_energy_is_drawn_only_where_it_was_measured() -> None:
    dark = SCORE | {"energy_j": None, "metered": 0}
    assert [row["kind"] for row in rows(cost.energy(resources(TRAIN, dark)))] == ["train"]
    assert cost.energy(resources(dark)) is None
    assert cost.energy(resources()) is None


@pytest.mark.parametrize(("joules", "unit"), [(7.2e6, "kWh"), (7200.0, "Wh"), (72.0, "J")])
def test_the_unit_suits_the_greatest_energy(joules: float, unit: str) -> None:
    assert encoding(cost.energy(resources(TRAIN | {"energy_j": joules})), "x")["title"] == f"energy, {unit}"
