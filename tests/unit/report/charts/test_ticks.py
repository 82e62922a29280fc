"""Formats of numbers: declared in one place, and no chart has another one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import polars as pl
import pytest

import made_up
from prunectl.report.charts import Chart, charts, comparison, latency, look, several, ticks
from prunectl.report.charts.chart import CONFIG
from prunectl.report.charts.sensitivity import by_layer
from prunectl.results.claims import verdicts
from prunectl.results.compare import compare
from unit.report import small
from unit.report.charts import test_latency, test_moments, test_published
from unit.results.test_sensitivity import spared


def test_percentages_end_as_in_texts_and_minus_signs_are_true() -> None:
    assert CONFIG["locale"] is ticks.LOCALE
    assert (ticks.LOCALE["number"]["percent"], ticks.LOCALE["number"]["minus"]) == (" %", "−")


def test_whole_numbers_have_no_decimals_and_no_steps_between() -> None:
    assert ticks.whole([1.0, 2.0]) == {"format": ticks.COUNT, "tickMinStep": 1}
    assert ticks.whole([1.0, 2.0, 3.13]) == {"format": ticks.COUNT, "tickMinStep": 1}, "the last epoch may be a part"
    assert ticks.whole([0.5, 1.0]) == {"format": ticks.NUMBER}


def test_texts_that_would_touch_go_below_each_other_or_are_left_out() -> None:
    assert ticks.apart([0.0, 1.0], [["a"], ["b"]]) == [["a"], ["b"]]
    near = ticks.apart([0.5, 0.51, 0.52, 0.53], [["30 %"]] * 4)
    assert near == [["30 %"], [ticks.BLANK, "30 %"], [ticks.BLANK, ticks.BLANK, "30 %"], []]
    assert ticks.apart([0.4, 0.6], [["90.12 %"], ["91 %"]]) == [["90.12 %"], ["91 %"]]
    assert ticks.apart([0.4, 0.6], [["90.12 %"], ["91 %"]], width=100) == [["90.12 %"], [ticks.BLANK, "91 %"]]


BUDGETS = (
    made_up.STUDY.partition("[[prune]]")[0]
    + """
[[prune]]
criterion = ["magnitude", "random"]
at = "end"
retrain = ["finetune", "lr-rewind"]
budget = [0.1, 0.5, 1.0]
"""
)
THEIRS = pl.DataFrame([{"table": "theirs", "criterion": "snip", "ablation": "none", "sparsity": 0.6, "top1": 0.9}])


def every_chart() -> Iterator[Chart | None]:
    """All kinds of charts that prunectl draws."""
    studies = [made_up.results(seeds=3, epochs=3), made_up.results(BUDGETS, seeds=2, failed=0, epochs=3)]
    for study, published in zip(studies, (THEIRS, None), strict=True):
        off = study.trials.with_columns(compression_error=pl.col("compression_error") + 0.02)
        for section in charts(replace(study, trials=off), verdicts(study), published).values():
            yield from section
    (sparsest,) = studies[0].trials["sparsity"].unique().top_k(1)
    one = studies[0].trials.filter(pl.col("sparsity").is_in([0.0, sparsest]))
    yield from charts(replace(studies[0], trials=one))["accuracy"]
    yield test_moments.drawn(test_moments.study())
    yield by_layer(spared({"conv1": {0.5: 0.895, 0.8: 0.7}}))
    yield several.against_compression(dict(zip("ab", studies, strict=True)), several.look_of(studies, "mean"))
    trials = test_latency.TRIALS
    yield latency.against_milliseconds(test_latency.TIMES, trials, look(trials))
    yield test_published.drawn(test_published.held(test_published.row()))
    both = compare(trials, trials.with_columns(top1=pl.col("top1") - 0.01), names=("a", "b"))
    tables = comparison.look_of(["A · a", "B · b"])
    yield comparison.accuracies(both, tables)
    yield comparison.differences(both, tables)


KINDS = {
    "ablation-differences", "ablations", "accuracies", "claims", "compression", "curves-top1", "curves-train-loss",
    "curves-train-top1", "differences", "energy", "layers", "published-1", "retraining", "sensitivity", "studies-top1",
    "time", "top1-arms", "top1-budget", "top1-compression", "top1-flops", "top1-latency", "top1-moment", "top1-size",
    "top1-sparsity", "top5-arms", "top5-compression", "weights-remaining",
}  # fmt: skip


def test_every_number_on_every_chart_has_a_declared_format() -> None:
    names = set()
    for chart in every_chart():
        names.add(small.formatted(chart).name)
    assert names == KINDS, "a chart of a new kind belongs into this test"


@pytest.mark.parametrize(
    ("encoding", "words"),
    [
        ({"y": {"field": "v", "type": "quantitative"}}, "no format"),
        ({"y": {"field": "v", "type": "quantitative", "axis": {"format": ".1%", "labelAngle": -40}}}, "rotated"),
        ({"y": {"field": "v", "type": "quantitative", "axis": {"format": ".3p"}}}, "'.3p'"),
        ({"color": {"field": "v", "type": "quantitative", "legend": {"title": "kept"}}}, "no format"),
        ({"y": {"field": "v", "type": "quantitative", "axis": {"labelExpr": "datum.value + '%'"}}}, "labelExpr"),
        ({"y": {"field": "v", "type": "nominal", "title": "30%"}}, "30%"),
    ],
)
def test_a_chart_with_another_format_is_refused(encoding: dict[str, object], words: str) -> None:
    spec = {"mark": "point", "encoding": encoding}
    with pytest.raises(AssertionError, match=words):
        small.formatted(Chart(name="a", title="A", caption="", spec=spec))
