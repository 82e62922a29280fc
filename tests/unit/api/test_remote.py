"""A study on a store that is not a directory: machines share it, and its artefacts travel between stores."""

from __future__ import annotations

from pathlib import Path

import pytest

from prunectl.api.cache import collectable, verify
from prunectl.api.carry import copy
from prunectl.api.make import make, todo_of
from prunectl.api.plan import planned
from prunectl.api.results import table_of
from prunectl.api.run import complete
from prunectl.api.session import Session, open_store, open_study
from prunectl.base.errors import PrunectlError
from small import HERE, damage

MEASURED = ("top1", "loss", "sparsity_actual", "n_nonzero", "artefact", "status")


def test_two_machines_share_a_study_and_its_table_is_that_of_one(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def opened(machine: str, only: str = "") -> Session:
        monkeypatch.setenv("PRUNECTL_CACHE", str(tmp_path / machine))
        return open_study(session.path, store=f"file://{tmp_path}/bucket", only=[only] if only else ())

    make(opened("a", "criterion=magnitude"), "retrain", HERE)
    half = opened("b")
    assert todo_of(half, "retrain").reused
    tally = complete(half, HERE).tally
    assert tally.done
    assert tally.reused
    for machine in ("a", "b", "c"):
        whole = opened(machine)
        assert not todo_of(whole, "retrain").todo
        assert table_of(whole).select(MEASURED).equals(table_of(session).select(MEASURED))
    assert planned(opened("c")).estimate_s == 0
    assert not list((tmp_path / "c").glob("**/*.safetensors"))  # a report fetches no weights


def test_artefacts_are_pushed_and_pulled(session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRUNECTL_CACHE", str(tmp_path / "cache"))
    bucket = open_store(f"file://{tmp_path}/bucket")
    sent = copy(session.store, bucket, [session])
    assert set(sent.copied) == set(session.plan.steps)
    assert sent.size_bytes == sum(session.store.manifest(key).size_bytes for key in sent.copied)
    assert copy(session.store, bucket).present == sorted(session.plan.steps)
    other = open_store(tmp_path / "other")
    assert copy(bucket, other).copied == sent.copied
    assert set(verify(other).sound) == set(session.plan.steps)
    assert set(verify(bucket).sound) == set(session.plan.steps)


def test_a_damaged_artefact_is_not_copied(own: Session, tmp_path: Path) -> None:
    key = damage(own, "scores.safetensors")
    target = open_store(tmp_path / "target")
    copied = copy(own.store, target)
    assert set(copied.damaged) == {key}
    assert not target.has(key)
    assert copy(own.store, target, [own]).missing == 1


def test_what_other_machines_need_is_not_collected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRUNECTL_CACHE", str(tmp_path / "cache"))
    with pytest.raises(PrunectlError, match="other machines"):
        collectable(open_store(f"file://{tmp_path}/bucket"))
