"""A comparison as charts, as a page and on a terminal: what it says, and that nothing in it comes to life."""

from __future__ import annotations

import re
from typing import Any

import altair as alt
import polars as pl
import pytest

import made_up
from prunectl.report.charts import comparison as charts
from prunectl.report.charts.chart import Chart
from prunectl.report.comparison_page import Source, build
from prunectl.report.comparison_text import lines
from prunectl.results.compare import Comparison, compare
from prunectl.results.published.against import Held, held

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'`${7*7}{{7*7}}\u202eevil\x1b[31m\u2028"
LABELS = ["A · a.csv", "B · b.csv", "C · c.csv"]


@pytest.fixture(scope="module")
def ones() -> pl.DataFrame:
    return made_up.results(seeds=3).trials


def moved(trials: pl.DataFrame) -> pl.DataFrame:
    """The same trials, better by 0.2 points and a little noise, worse where they are inverted."""
    shift = [
        0.002 + made_up.draw(row["arm"], row["seed"]).gauss(0, 0.0002) - (0.05 if row["ablation"] == "invert" else 0)
        for row in trials.iter_rows(named=True)
    ]
    return trials.with_columns(top1=pl.col("top1") + pl.Series(shift))


@pytest.fixture(scope="module")
def found(ones: pl.DataFrame) -> Comparison:
    return compare(ones, moved(ones), moved(ones).filter(pl.col("seed") < 3), names=("a.csv", "b.csv", "c.csv"))


@pytest.fixture(scope="module")
def beside(ones: pl.DataFrame) -> Held:
    return held(ones, "comp6258-figure1", "A")


def rows(chart: Chart | None) -> list[dict[str, Any]]:
    assert chart is not None
    (data,) = chart.spec["datasets"].values()
    return list(data)


def test_every_chart_is_valid_vega_lite(found: Comparison, beside: Held) -> None:
    arms = [row["arm"] for row in beside.rows]
    for chart in (
        charts.differences(found, LABELS), charts.accuracies(found, LABELS),
        charts.published(beside, LABELS[0], "published-1", LABELS, arms),
    ):  # fmt: skip
        assert chart is not None
        alt.Chart.validate(chart.spec, alt.Chart._rootschema)


def test_differences_are_those_of_the_cells_with_every_seed(found: Comparison) -> None:
    drawn = rows(charts.differences(found, LABELS))
    means = [row for row in drawn if row["mean"] is not None]
    assert len(means) == sum(cell.difference is not None for side in found.sides for cell in side.cells)
    seeds = [row for row in drawn if row["mean"] is None]
    assert len(seeds) == sum(cell.n for side in found.sides for cell in side.cells if cell.n > 1)
    for row in means:
        if row["low"] is not None:
            assert row["low"] <= row["from"] <= row["mean"] <= row["to"] <= row["high"]


def test_arms_that_reach_further_do_not_flatten_the_others(ones: pl.DataFrame, found: Comparison) -> None:
    chart = charts.differences(found, LABELS)
    assert chart is not None and chart.spec["resolve"]["scale"] == {"y": "independent"}
    even = charts.differences(compare(ones, ones, names=("a", "b")), LABELS[:2])
    assert even is not None and "scale" not in even.spec["resolve"]


def test_a_table_keeps_its_colour_whatever_stands_beside_it(found: Comparison) -> None:
    def colours(chart: Chart | None) -> dict[str, str]:
        assert chart is not None
        scale = next(layer["encoding"]["color"]["scale"] for layer in chart.spec["spec"]["layer"] if "encoding" in layer
                     and "color" in layer["encoding"])  # fmt: skip
        return dict(zip(scale["domain"], scale["range"], strict=True))

    both, apart = colours(charts.accuracies(found, LABELS)), colours(charts.differences(found, LABELS))
    assert list(both) == LABELS
    assert apart == {label: both[label] for label in LABELS[1:]}


def test_with_many_arms_those_that_differ_most_have_panels(ones: pl.DataFrame) -> None:
    arms = [
        ones.filter(pl.col("arm") == "snip · at init").with_columns(
            arm=pl.lit(f"arm {number}"), criterion=pl.lit(f"c{number}")
        )
        for number in range(40)
    ]
    one = pl.concat(arms)
    other = one.with_columns(top1=pl.col("top1") + pl.col("arm").str.slice(4).cast(pl.Float64) / 10_000)
    found = compare(one, other, names=("a", "b"))
    chart = charts.differences(found, LABELS[:2])
    assert {row["arm"] for row in rows(chart)} == {f"arm {number}" for number in range(16, 40)}
    assert chart is not None and "The 24 of 40 arms that differ most" in chart.caption


def test_one_seed_and_nothing_in_common(ones: pl.DataFrame) -> None:
    single = made_up.results(seeds=1).trials
    chart = charts.differences(compare(single, moved(single), names=("a", "b")), LABELS[:2])
    assert chart is not None and "One common seed" in chart.caption
    other = ones.with_columns(seed=pl.col("seed") + 10)
    nothing = compare(ones, other, names=("a", "b"))
    assert charts.differences(nothing, LABELS[:2]) is None
    html = build([Source(name="a", trials=ones), Source(name="b", trials=other)], nothing, [])
    assert "No trial of A has a counterpart in B" in html
    assert "268 trials of A without" not in html and "270 trials of A without a counterpart in B" in html
    empty = ones.clear()
    html = build(
        [Source(name="a", trials=empty), Source(name="b", trials=empty)], compare(empty, empty, names=("a", "b")), []
    )
    assert "vegaEmbed=" not in html


def test_the_page_holds_every_case_what_differs_and_the_published(
    ones: pl.DataFrame, found: Comparison, beside: Held
) -> None:
    others = [Source(name=name, trials=moved(ones), text=f"# {name}") for name in ("b.csv", "c.csv")]
    html = build([Source(name="a.csv", trials=ones), *others], found, [beside])
    assert html.count("<tr><td>B</td>") == html.count("<tr><td>C</td>") == 18 * 5
    assert "a.csv beside b.csv, c.csv and comp6258-figure1" in html
    for text in ("↑ higher", "↓ lower", "? not settled", "90 trials of A without a counterpart in C", "# b.csv",
                 "The SynFlow rows are of a network that was not pruned at all", "holds it"):  # fmt: skip
        assert text in html
    for anchor in re.findall(r'href="#([^"]+)"', html):
        assert f'id="{anchor}"' in html
    again = build([Source(name="a.csv", trials=ones), *others], found, [beside])
    assert again == html


def test_keys_that_differ_stand_side_by_side(ones: pl.DataFrame) -> None:
    keys = [{"train": {"lr": lr}, "sweep": {"seeds": [1, 2]}} for lr in (0.1, 0.2, 0.1)]
    found = compare(ones, ones, ones, names=("a", "b", "c"), keys=keys)
    html = build([Source(name=name, trials=ones) for name in "abc"], found, [])
    row = re.findall(r'<tr><th scope="row">train.lr</th>.*?</tr>', html)[0]
    assert re.findall(r"<bdi>(.*?)</bdi>", row) == ["0.1", "0.2"]
    assert row.count("as A") == 1


def test_hostile_texts_stay_texts(ones: pl.DataFrame, beside: Held) -> None:
    arm = [pl.concat_str([pl.col(name), pl.lit(HOSTILE)]).alias(name) for name in ("criterion", "arm", "at", "model")]
    evil = ones.with_columns(*arm)
    sources = [Source(name=HOSTILE + "x" * 10_000, trials=trials, text=HOSTILE) for trials in (evil, evil)]
    keys: list[dict[str, Any]] = [{HOSTILE: 1}, {HOSTILE: HOSTILE}]
    rows = tuple({**row, "arm": HOSTILE} for row in beside.rows)
    held = Held(name=beside.name, about=beside.about, ours="A", rows=rows)
    html = build(sources, compare(evil, evil, names=[one.name for one in sources], keys=keys), [held])
    plain = build([Source(name="a", trials=ones, text="x")] * 2, compare(ones, ones, names=("a", "b")), [beside])
    assert set(re.findall(r"<([a-z]+)", html)) <= set(re.findall(r"<([a-z]+)", plain)) | {"th", "tr", "td"}
    assert html.count("<script") == plain.count("<script")
    assert not set("\u202e\x1b\u2028") & set(html)
    assert r"\u202eevil\x1b" in html
    assert len(re.sub(r"<[^>]*>", "", re.findall(r"<h1>.*?</h1>", html, re.DOTALL)[0])) < 400


@pytest.mark.parametrize("width", [44, 60, 80, 200])
def test_it_fits_the_terminal(width: int, found: Comparison, beside: Held) -> None:
    names = ("a/long/way/to/the/first/table/of/them/all.csv", "b.csv", "c.csv")
    text = list(lines(names, found, [beside], width))
    assert max(map(len, text)) <= width
    assert any(line.startswith("Only in A: 90 trials") for line in text)
    assert any("published" in line for line in text)
    assert any(line.endswith("↓") for line in text) == (width >= 60)
