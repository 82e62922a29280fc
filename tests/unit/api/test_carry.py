"""Artefacts carried from one store to another."""

from __future__ import annotations

from pathlib import Path

import pytest

from prunectl.api.carry import pack, take
from prunectl.api.session import Session, open_store, open_study
from prunectl.base.errors import PrunectlError
from small import damage


def test_a_study_is_carried_whole(session: Session, tmp_path: Path) -> None:
    packed = pack(tmp_path / "all.tar.gz", session.store, [session])
    assert (packed.missing, packed.damaged) == (0, {})
    assert set(packed.keys) == set(session.plan.steps)
    assert packed.size_bytes == (tmp_path / "all.tar.gz").stat().st_size
    other = open_store(tmp_path / "other")
    assert take(tmp_path / "all.tar.gz", other).imported == packed.keys
    assert take(tmp_path / "all.tar.gz", other).present == packed.keys


def test_without_a_study_everything_is_packed(session: Session, tmp_path: Path) -> None:
    assert pack(tmp_path / "all.tar", session.store).keys == sorted(session.store.keys())


def test_what_has_not_been_made_is_counted(session: Session, tmp_path: Path) -> None:
    larger = open_study(session.path, set=["sweep.sparsities=[0.0, 0.5, 0.9]"], store=session.store.root)
    packed = pack(tmp_path / "some.tar", session.store, [larger])
    assert packed.missing == packed.needed - len(packed.keys) > 0


def test_damage_stays_behind(own: Session, tmp_path: Path) -> None:
    key = damage(own, "scores.safetensors")
    packed = pack(tmp_path / "all.tar", own.store)
    assert set(packed.damaged) == {key}
    assert key not in packed.keys


def test_an_unknown_kind_of_archive_is_refused(session: Session, tmp_path: Path) -> None:
    with pytest.raises(PrunectlError, match="does not end in"):
        pack(tmp_path / "all.zip", session.store)
