"""What the store holds: the table, the rows of a stage, and what happens to damage."""

from __future__ import annotations

import logging

import pytest

from prunectl.api.results import results_of, rows_of, table_of
from prunectl.api.session import Session
from small import damage


def test_results_and_table_hold_the_same_trials(session: Session) -> None:
    results = results_of(session)
    assert results.trials.equals(table_of(session))
    assert results.trials["status"].to_list() == ["done"] * 4


def test_a_damaged_artefact_is_missing_and_the_user_is_warned(own: Session) -> None:
    key = damage(own, "metrics.json")
    warnings: list[str] = []
    results = results_of(own, warn=warnings.append)
    assert len(warnings) == 1
    assert key[:12] in warnings[0] and "set aside" in warnings[0] and "the next run recomputes it" in warnings[0]
    assert "missing" in results.trials["status"]
    assert not own.store.has(key)


def test_damage_that_cannot_be_set_aside_is_missing_as_well(own: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    damage(own, "metrics.json")
    monkeypatch.setattr("prunectl.store.local.set_aside", lambda *arguments: "Read-only file system")
    warnings: list[str] = []
    assert "missing" in results_of(own, warn=warnings.append).trials["status"]
    assert len(warnings) == 1 and warnings[0].endswith("it cannot be set aside (Read-only file system)")


def test_warnings_go_to_the_log_of_prunectl_by_default(own: Session, caplog: pytest.LogCaptureFixture) -> None:
    damage(own, "metrics.json")
    with caplog.at_level(logging.WARNING, logger="prunectl"):
        table_of(own)
    assert "set aside" in caplog.text


def test_the_rows_of_each_stage(session: Session) -> None:
    assert [row["seed"] for row in rows_of(session, "train")] == [1]
    assert len(rows_of(session, "prune")) == 2
    assert rows_of(session, "ablate") == []
    assert len(rows_of(session, "retrain")) == 4
