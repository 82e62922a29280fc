"""The store: listed, shown, verified, and emptied of what no study needs."""

from __future__ import annotations

import json

import pytest

from prunectl.api.cache import artefacts, collect, described, verify
from prunectl.api.session import Session, open_study
from prunectl.base.errors import PrunectlError, StoreError
from prunectl.store import layout
from small import damage


def test_every_artefact_is_listed_with_its_kind(session: Session) -> None:
    rows = list(artefacts(session.store))
    assert [row.key for row in rows] == sorted(session.plan.steps)
    assert {row.kind for row in rows} == {step.kind for step in session.plan.steps.values()}
    assert all(row.size_bytes > 0 and row.wall_s >= 0 and row.created.endswith("+00:00") for row in rows)


def test_a_damaged_manifest_is_warned_about_and_left_out(own: Session) -> None:
    key = damage(own, "manifest.json")
    warnings: list[str] = []
    assert key not in {row.key for row in artefacts(own.store, warn=warnings.append)}
    assert len(warnings) == 1


def test_one_artefact_is_described_by_the_beginning_of_its_key(session: Session) -> None:
    key = next(iter(session.plan.steps))
    found = described(session.store, key[:20].upper())
    assert found["key"] == key
    assert found["preimage"]["kind"] == session.plan.steps[key].kind
    json.dumps(found)


def test_no_key_or_several_are_an_error(session: Session) -> None:
    with pytest.raises(PrunectlError, match="no artefacts begin with 'zz'"):
        described(session.store, "zz")
    with pytest.raises(PrunectlError, match=r"\d+ artefacts begin with ''"):
        described(session.store, "")


def test_damage_is_found_and_set_aside(own: Session) -> None:
    key = damage(own, "state.safetensors")
    found = verify(own.store)
    assert found.damaged == {key: "state.safetensors is not what was written"}
    assert len(found.sound) == len(own.plan.steps) - 1
    assert verify(own.store).damaged == {}
    assert verify(own.store, [key]).sound == []


def test_a_file_in_the_place_of_an_artefact_is_damage_too(own: Session) -> None:
    key = next(own.store.keys())
    own.store.delete(key)
    (own.store.root / layout.OBJECTS / key[:2] / key).write_text("x")
    found = verify(own.store)
    assert found.damaged == {key: "a file in the place of a directory"}
    assert list(found.lines()) == [f"{key[:16]}: a file in the place of a directory; set aside"]
    assert verify(own.store).damaged == {}


def test_a_damaged_artefact_is_not_described(own: Session) -> None:
    key = damage(own, "state.safetensors")
    with pytest.raises(
        StoreError, match=r"is damaged: state\.safetensors is not what was written; it has been set aside"
    ):
        described(own.store, key)
    with pytest.raises(PrunectlError, match="no artefacts begin with"):
        described(own.store, key)


def test_only_what_no_study_needs_is_deleted(own: Session) -> None:
    damage(own, "metrics.json")
    verify(own.store)
    smaller = open_study(own.path, set=["sweep.sparsities=[0.0]"], store=own.store.root)
    everything = set(own.store.keys())
    listed = collect(own.store, [smaller], dry_run=True)
    assert set(own.store.keys()) == everything
    assert listed.size_bytes > 0
    assert collect(own.store, [smaller]) == listed
    assert set(own.store.keys()) == everything & set(smaller.plan.steps)
    assert not (own.store.root / layout.ASIDE).exists()
    assert collect(own.store, [own]).keys == []
