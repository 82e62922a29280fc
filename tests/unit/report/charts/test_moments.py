"""Accuracy against the moment of pruning."""

from __future__ import annotations

import pytest

import made_up
from prunectl.report.charts import Chart, look, moments
from prunectl.results.table import Results
from unit.report.small import encoding, marks, rows, shown

START = made_up.STUDY.partition("[[prune]]")[0] + "[[prune]]\ncriterion = CRITERIA\nat = AT\n"
MOMENTS = '["end", { epoch = 20 }, { step = 50 }, "init"]'
ORDER = ["init", "step 50", "epoch 20", "end"]


def study(more: str = "", at: str = MOMENTS, criteria: str = '["magnitude", "snip"]') -> Results:
    """Results of arms that are pruned at several moments of 80 epochs, 391 steps each."""
    text = START.replace("CRITERIA", criteria).replace("AT", at) + more
    return made_up.results(text, seeds=2, failed=0, epochs=2)


def drawn(results: Results) -> Chart | None:
    return moments.against_moment(results, look(results.trials))


def test_moments_are_in_the_order_of_the_training_and_in_words() -> None:
    chart = shown(drawn(study()))
    assert encoding(chart, "x")["sort"] == ORDER
    assert encoding(chart, "x")["axis"]["labelAngle"] == 0, "their words are below each other"
    assert [row["at"] for row in rows(chart)[:8:2]] == ORDER


def test_steps_are_put_between_the_epochs_that_they_are_between() -> None:
    chart = shown(drawn(study(at='[{ step = 600 }, "end", { epoch = 2 }, { epoch = 1 }]')))
    assert encoding(chart, "x")["sort"] == ["epoch 1", "step 600", "epoch 2", "end"]


def test_each_criterion_is_one_line_through_all_moments() -> None:
    chart = shown(drawn(study()))
    assert {(row["hue"], row["series"], row["variant"]) for row in rows(chart)} == {
        ("magnitude", "magnitude", ""), ("snip", "snip", ""),
    }  # fmt: skip
    assert marks(chart) == ["line", "point"], "bands of neighbouring moments would cover each other"
    assert "small dots" not in chart.caption
    assert {row["panel"] for row in rows(chart)} == {f"{value} % sparsity" for value in ("30", "60", "90", "98")}


def test_what_else_varies_stays_a_dash() -> None:
    chart = shown(drawn(study('scope = ["global", "erk"]')))
    assert encoding(chart, "strokeDash")["scale"]["domain"] == ["global", "erk"]


def test_retrained_and_ablated_networks_are_left_out() -> None:
    plain = study()
    retrained = '[[prune]]\ncriterion = ["magnitude", "snip"]\nat = "end"\nretrain = "finetune"'
    every = study(f'ablation = ["none", "shuffle"]\n{retrained}')
    assert len(every.arms) == 2 * len(plain.arms) + 2
    assert len(rows(drawn(every))) == len(rows(drawn(plain)))


@pytest.mark.parametrize("left", ['["init", "end"]', '"init"'])
def test_fewer_than_three_moments_are_no_axis(left: str) -> None:
    assert drawn(study(at=left)) is None


def test_where_moments_have_the_colours_there_is_no_chart_against_them() -> None:
    single = study(criteria='"snip"')
    assert look(single.trials).role.hue == "at"
    assert drawn(single) is None


def test_colours_for_the_retrainings_of_one_criterion_leave_a_line_for_each_criterion() -> None:
    ways = 'retrain = ["finetune", "weight-rewind", "lr-rewind"]\nbudget = [0.5, 1.0]'
    both = study(f'[[prune]]\ncriterion = "magnitude"\nat = "end"\n{ways}')
    assert look(both.trials).role.alone == ("snip",)
    assert {row["hue"] for row in rows(shown(drawn(both)))} == {"magnitude, no retraining", "snip"}
