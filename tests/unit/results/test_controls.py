"""Controls: the dense network retrained is a row, a sentence and one side of a claim, and no line or baseline."""

from __future__ import annotations

import polars as pl
import pytest

from made_up import STUDY, results
from prunectl.report.charts import charts
from prunectl.report.grid import arms_by_sparsity
from prunectl.results import summary
from prunectl.results.aggregate import baselines, controls, pruned, roles, summarise
from prunectl.results.claims import verdicts
from prunectl.results.table import Results

CONTROLLED = (
    STUDY
    + """
[[prune]]
criterion = "magnitude"
at = "end"
retrain = "lr-rewind"

[[control]]
retrain = "lr-rewind"

[[claim]]
text = "Pruned to 30 % and retrained, it matches the dense network retrained alike"
better = { criterion = "magnitude", retrain = "lr-rewind" }
than = { criterion = "none", retrain = "lr-rewind" }
margin = -0.5

[[claim]]
text = "Rate rewinding beats fine-tuning"
better = { retrain = "lr-rewind" }
than = { retrain = "finetune" }
margin = -0.5
"""
)


@pytest.fixture(scope="module")
def controlled() -> Results:
    return results(CONTROLLED, seeds=3, failed=0)


def test_a_control_is_no_line_no_colour_and_no_baseline(controlled: Results) -> None:
    trials = controlled.trials
    assert controls(trials)["seed"].to_list() == [1, 2, 3]
    assert "none" not in roles(trials).hues
    assert "none" not in summarise(trials)["criterion"].to_list()
    assert baselines(trials)["train_s"].to_list() == baselines(pruned(trials))["train_s"].to_list()


def test_it_has_a_sentence_with_its_interval_and_a_place_next_to_the_dense_network(controlled: Results) -> None:
    (sentence,) = (text for text in summary.sentences(controlled.trials) if "Retrained without pruning" in text)
    assert sentence.startswith("Retrained without pruning (lr-rewind), the dense network changes by +0.")
    assert " to " in sentence
    dense = arms_by_sparsity(controlled.trials).dense
    assert list(dense) == ["dense", "dense · lr-rewind"]
    assert dense["dense · lr-rewind"].center == pytest.approx(controls(controlled.trials)["top1"].mean())


def test_a_claim_compares_with_it_at_every_sparsity(controlled: Results) -> None:
    against = verdicts(controlled)[-2]
    assert [detail.sparsity for detail in against.details] == [0.3, 0.6, 0.9, 0.98]
    arm = controlled.trials.filter(pl.col("arm") == "magnitude · at end · lr-rewind", pl.col("sparsity") == 0.6)
    expected = arm["top1"].mean() - controls(controlled.trials)["top1"].mean()  # type: ignore[operator]
    assert against.details[1].difference == pytest.approx(expected)


def test_a_claim_that_does_not_ask_for_it_leaves_it_out(controlled: Results) -> None:
    assert all("dense" not in detail.arm for detail in verdicts(controlled)[-1].details)
    assert [detail.n for detail in verdicts(controlled)[-1].details] == [3] * 4


def test_every_chart_of_a_study_with_a_control_is_drawn(controlled: Results) -> None:
    assert charts(controlled, ())["accuracy"]
