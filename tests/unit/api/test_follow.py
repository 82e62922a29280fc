"""Following a run: results again after every change of the store, until no trial is missing."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from cli import write_study
from prunectl.api import follow as following
from prunectl.api.follow import follow, going, outcomes
from prunectl.api.run import complete
from prunectl.api.session import Session, open_study
from small import HERE, SMALL


def test_a_finished_study_is_given_once(session: Session) -> None:
    results = list(follow(session, 1000.0))
    assert len(results) == 1
    assert not going(results[0])


def test_each_change_gives_results_and_none_gives_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = write_study(tmp_path, SMALL)
    session = open_study(study, store=tmp_path / "store")
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        """Instead of waiting: nothing the first time, then a part of the study, then all of it."""
        waits.append(seconds)
        if len(waits) > 1:
            only = "criterion=random" if len(waits) == 2 else ()
            complete(open_study(study, only=only, store=tmp_path / "store"), HERE)

    monkeypatch.setattr("prunectl.api.follow.time", SimpleNamespace(sleep=sleep, monotonic=lambda: 0.0))
    missing = [results.trials["status"].to_list().count("missing") for results in follow(session, 0.5)]
    assert missing == [4, 1, 0]
    assert len(waits) == 3
    assert all(wait >= 0.5 for wait in waits)


def test_it_waits_longer_than_it_works(session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    empty = open_study(session.path, store=tmp_path / "empty")
    now = iter(range(0, 1000, 10))
    waits: list[float] = []
    clock = SimpleNamespace(sleep=waits.append, monotonic=lambda: float(next(now)))
    monkeypatch.setattr("prunectl.api.follow.time", clock)
    events = follow(empty, 0.5)
    next(events)
    monkeypatch.setattr(following, "outcomes", lambda session: frozenset("x"))
    next(events)
    assert waits == [following.IDLE * 10]


def test_failures_are_outcomes_too(own: Session) -> None:
    before = outcomes(own)
    key = own.plan.trials[0].measure
    own.store.delete(key)
    assert outcomes(own) == before - {key}
    own.store.record_failure(key, "method", "no answer", "")
    assert outcomes(own) == before
