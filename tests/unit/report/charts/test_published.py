"""Published numbers with ours, arm by arm."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from prunectl.report import tables
from prunectl.report.charts import Chart, comparison, published
from prunectl.report.palette import NOTE
from prunectl.results.published.against import Held
from prunectl.results.published.index import describe
from unit.report.small import encoding, marks, panels, rows, seeds, shown

LABELS = ["A · a.csv", "B · b.csv"]


def row(**values: Any) -> dict[str, Any]:
    return {
        "table": "t", "model": "vgg16", "dataset": "cifar10", "arm": "snip", "sparsity": 0.5, "published": 0.92,
        "ours": 0.93, "difference": 0.01, "low": 0.925, "high": 0.935, "n": 3, "within": False, "note": None,
        "seeds": [0.928, 0.93, 0.932],
    } | values  # fmt: skip


def held(*rows: dict[str, Any]) -> Held:
    return Held(name="comp6258-figure1", about=describe("comp6258-figure1"), ours="A", rows=rows)


def drawn(table: Held, label: str = LABELS[0]) -> Chart | None:
    look = comparison.look_of(LABELS)
    return published.against(table, label, "published-1", look, tables.published_arms(table))


def test_ours_are_filled_with_an_interval_and_the_published_hollow() -> None:
    chart = shown(drawn(held(row(), row(sparsity=0.9, published=0.9))))
    assert marks(chart) == ["rule", "point", "point", "point"]
    assert sorted(single["seed"] for single in seeds(chart)) == [0.928, 0.928, 0.93, 0.93, 0.932, 0.932]
    assert {(each["low"], each["high"]) for each in rows(chart)} == {(0.928667, 0.931333)}, "not the t-interval"
    fill = encoding(chart, "fill")["scale"]
    assert fill["domain"] == [LABELS[0], "published"] and fill["range"][1] == "transparent"
    assert encoding(chart, "color")["scale"]["range"][1] == NOTE
    assert encoding(chart, "shape")["scale"]["range"] == ["circle", "diamond"]
    assert chart.caption.startswith(
        "Hollow: published. Filled: the mean over our seeds (small dots), lines the 80 % boot"
    )
    assert chart.title == "comp6258-figure1 compared with A · a.csv"


def test_a_table_has_its_own_colour() -> None:
    second = replace(held(row()), ours="B")
    assert (
        encoding(drawn(second, LABELS[1]), "color")["scale"]["range"][0]
        == comparison.look_of(LABELS).colours[LABELS[1]]
    )


def test_one_seed_has_no_interval() -> None:
    chart = shown(drawn(held(row(n=1, low=None, high=None, seeds=[0.93]))))
    assert marks(chart) == ["point", "point"]
    assert "low" not in rows(chart)[0]
    assert chart.caption.endswith("our seeds: one seed.") and "interval" not in chart.caption


def test_a_trial_of_ours_that_is_not_done_leaves_the_published_number() -> None:
    chart = shown(drawn(held(row(), row(sparsity=0.9, ours=None, difference=None, low=None, high=None, n=0, seeds=[]))))
    assert [drawn["ours"] for drawn in rows(chart)] == [0.93, None]


def test_rows_are_ordered_by_sparsity_and_panels_as_in_the_table() -> None:
    chart = shown(drawn(held(row(arm="z", sparsity=0.9), row(arm="a"), row(arm="z", sparsity=0.1))))
    assert panels(chart) == ["z", "a"]
    assert [drawn["sparsity"] for drawn in rows(chart)] == [0.1, 0.5, 0.9]


@pytest.mark.parametrize("count", [24, 30])
def test_at_most_24_arms_have_a_panel(count: int) -> None:
    chart = shown(drawn(held(*(row(arm=f"c{number}") for number in range(count)))))
    assert len(panels(chart)) == 24
    assert chart.caption.endswith("The first 24 arms.") == (count > 24)


def test_a_table_without_rows_has_no_chart() -> None:
    assert drawn(held()) is None


def test_sparsities_are_where_they_are_on_a_linear_scale() -> None:
    """As in the report: evenly spaced, the last few per cent looked as wide as the first thirty."""
    chart = shown(drawn(held(*(row(sparsity=sparsity) for sparsity in (0.0, 0.3, 0.9, 0.98)))))
    x = encoding(chart, "x", "point")
    assert (x["type"], x["axis"]["values"]) == ("quantitative", [0.0, 0.3, 0.9, 0.98])
