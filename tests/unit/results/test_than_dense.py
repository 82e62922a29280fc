"""Claims against the dense network: a winning ticket matches it (Frankle & Carbin 2019)."""

from __future__ import annotations

from typing import Any

import pytest

from prunectl.results.claims import Verdict
from unit.results.claiming import Row, judged, rows

CLAIM: dict[str, Any] = {"better": {"criterion": "snip"}, "than": "dense", "metric": "top1"}
DENSE = [0.90, 0.91, 0.92]


def against_dense(
    top1: list[float | None], margin: float, dense: list[float | None] | None = None, **more: Any
) -> Verdict:
    """The verdict on trials whose dense networks have these accuracies."""
    baselines = dense or list(DENSE)
    trials: list[Row] = [
        (arm, row | {"top1_dense": baselines[row["seed"] - 1]}) for arm, row in rows(top1, sparsity=0.8)
    ]
    return judged(trials, margin, **CLAIM)


def test_a_ticket_matches_the_dense_network_of_its_own_seed() -> None:
    found = against_dense([0.899, 0.911, 0.918], margin=-0.01)
    assert found.answer == "supported"
    (case,) = found.details
    assert case.difference == pytest.approx(-0.002 / 3) and case.n == 3
    worse = against_dense([0.80, 0.81, 0.825], margin=-0.01)
    assert worse.answer == "refuted"


def test_the_network_of_sparsity_0_is_the_dense_one_in_every_metric() -> None:
    pruned = [(arm, row | {"loss": 0.5}) for arm, row in rows([0.9, 0.91, 0.92], sparsity=0.8)]
    baselines = [(arm, row | {"loss": 0.6 + row["seed"] / 1000}) for arm, row in rows([0.9, 0.91, 0.92], sparsity=0.0)]
    found = judged([*pruned, *baselines], 0.05, **CLAIM | {"metric": "loss"})
    assert found.answer == "supported" and len(found.details) == 1, "sparsity 0 is no case of its own"
    unknown = judged(pruned, 0.05, **CLAIM | {"metric": "loss"})
    assert unknown.answer == "not settled", "without sparsity 0 only top-1 of dense networks is known"


def test_a_baseline_that_is_missing_is_a_gap() -> None:
    found = against_dense([0.9, 0.91, 0.92], margin=-0.01, dense=[0.9, None, 0.92])
    assert found.answer == "not settled"


def test_each_arm_is_a_case_and_no_arm_is_called_dense() -> None:
    both = [*rows([0.9, 0.91, 0.92], at="init"), *rows([0.9, 0.91, 0.92], at="end")]
    trials = [(arm, row | {"top1_dense": 0.9 + row["seed"] / 1000}) for arm, row in both]
    found = judged(trials, -0.05, **CLAIM)
    assert [detail.arm for detail in found.details] == ["init", "end"]
    assert found.arms == ("snip · at init", "snip · at end")


def test_no_trial_that_better_selects_is_no_case() -> None:
    found = judged(rows([0.9], at="init"), **CLAIM | {"better": {"criterion": "grasp"}})
    assert (found.answer, found.reason) == ("not settled", "no trial is what 'better' selects")
