"""The table of a study of which little or nothing is done."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from prunectl.plan.build import build
from prunectl.plan.graph import Plan
from prunectl.plan.resolve import dataset_of
from prunectl.results.gather import table
from prunectl.store.local import LocalStore
from prunectl.study.load import judged
from prunectl.study.schema import Study

ROUNDS = 30


def deep(tmp_path: Path, levels: int, seeds: list[int]) -> tuple[Study, Plan, LocalStore]:
    study, slips = judged(
        {
            "name": "deep",
            "data": {"name": "digits"},
            "model": {"name": "tiny-cnn"},
            "train": {"epochs": 2, "batch_size": 100, "lr": 0.1},
            "sweep": {"sparsities": [1 - 0.8**n for n in range(1, levels + 1)], "seeds": seeds},
            "prune": [{"criterion": "magnitude", "at": "end", "rounds": "iterative", "retrain": "lr-rewind"}],
        }
    )
    assert study is not None, slips
    return study, build(study, dataset_of(study).declared("f" * 64)), LocalStore(tmp_path)


def test_each_step_behind_a_missing_trial_is_looked_up_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each round of iterative pruning rests on the one before in two ways: the ways double with every round."""
    study, plan, store = deep(tmp_path, ROUNDS, [1])
    looked: Counter[str] = Counter()
    failure = store.failure
    monkeypatch.setattr(store, "failure", lambda key: looked.update([key]) or failure(key))
    assert table(study, plan, store)["status"].to_list() == ["missing"] * ROUNDS
    assert max(looked.values()) == 1
    assert len(looked) > 3 * ROUNDS


def test_the_reason_is_found_behind_many_steps(tmp_path: Path) -> None:
    study, plan, store = deep(tmp_path, 2, [1, 2])
    first = next(trial for trial in plan.trials if trial.seed == 2)
    store.record_failure(first.baseline, "method", "the loss is not finite", "")
    found = table(study, plan, store).select("seed", "status", "reason").rows()
    assert sorted(set(found)) == [(1, "missing", None), (2, "failed", "the loss is not finite")]
    assert len(found) == 4
