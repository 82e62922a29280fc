"""The store: listed, shown, verified, and emptied of what no study needs."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from prunectl.api.cache import (
    artefacts,
    collect,
    collectable,
    described,
    others,
    removal,
    remove,
    verify,
)
from prunectl.api.runs import record, recorded
from prunectl.api.session import Session, open_study
from prunectl.base.errors import PrunectlError, StoreError
from prunectl.plan.steps import parents
from prunectl.store import layout
from prunectl.store.atomic import remove_tree
from prunectl.store.local import LocalStore
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


def age(store: LocalStore, hours: float = 2) -> None:
    """Make everything in a store look as old as this."""
    then = time.time() - hours * 3600
    for folder, _, files in os.walk(store.root, topdown=False):
        for path in [*(Path(folder, name) for name in files), Path(folder)]:
            os.utime(path, (then, then), follow_symlinks=False)


def forgotten(session: Session) -> Session:
    """The session after every record of a run was removed from its store."""
    remove_tree(session.store.root / layout.RUNS)
    return session


def smaller(session: Session) -> Session:
    """A part of the study, on the same store."""
    return open_study(session.path, set=["sweep.sparsities=[0.0]"], store=session.store.root)


def test_only_what_no_study_needs_is_deleted(own: Session) -> None:
    damage(own, "metrics.json")
    verify(own.store)
    part = smaller(forgotten(own))
    everything = set(own.store.keys())
    age(own.store)
    listed = collectable(own.store, [part])
    assert set(own.store.keys()) == everything
    assert listed.size_bytes > 0
    assert collect(own.store, listed, [part]) == listed
    assert set(own.store.keys()) == everything & set(part.plan.steps)
    assert others(own.store) == []
    assert collectable(own.store, [own]).items == ()


def test_what_a_recorded_run_needs_is_kept(own: Session) -> None:
    record(smaller(forgotten(own)), "train")
    age(own.store)
    assert set(collectable(own.store).keys) == set(own.plan.steps) - set(smaller(own).plan.steps)
    assert collectable(own.store, [own]).keys == []


def test_what_is_young_is_spared_and_counted(own: Session) -> None:
    part = smaller(forgotten(own))
    found = collectable(own.store, [part])
    assert (found.keys, found.spared) == ([], len(own.plan.steps) - len(part.plan.steps))


def test_a_run_that_is_recorded_after_the_listing_keeps_what_it_needs(own: Session) -> None:
    part = smaller(forgotten(own))
    record(part, "retrain")
    age(own.store)
    found = collectable(own.store)
    assert found.keys
    record(own, "retrain")
    assert collect(own.store, found).keys == []


def test_a_store_without_a_recorded_run_is_not_emptied(own: Session) -> None:
    with pytest.raises(PrunectlError, match="everything would be deleted"):
        collectable(forgotten(own).store)


def test_nothing_is_deleted_while_a_record_cannot_be_read(own: Session) -> None:
    run = record(own, "retrain")
    (own.store.root / layout.RUNS / f"{run.id}.json").write_text("{}")
    with pytest.raises(PrunectlError, match="cannot be read") as raised:
        collectable(own.store)
    assert f"prunectl cache rm {run.id}" in (raised.value.hint or "")


def test_a_removal_names_what_depends_on_an_artefact(own: Session) -> None:
    run = record(forgotten(own), "retrain")
    baseline = own.plan.trials[0].baseline
    chosen = removal(own.store, [baseline[:20], run.id[:6], baseline])
    assert (chosen.keys, chosen.runs, chosen.needed_by) == ([baseline], [run], {baseline: [run]})
    made_from = {key for key, step in own.plan.steps.items() if baseline in parents(step).values()}
    assert set(chosen.children[baseline]) == made_from
    remove(own.store, chosen)
    assert not own.store.has(baseline)
    assert recorded(own.store) == []


def test_a_record_that_cannot_be_read_can_be_removed(own: Session) -> None:
    run = record(forgotten(own), "retrain")
    (own.store.root / layout.RUNS / f"{run.id}.json").write_text("{}")
    remove(own.store, removal(own.store, [run.id]))
    assert list((own.store.root / layout.RUNS).iterdir()) == []


@pytest.mark.parametrize("name", ["", "zz", "0000000000000000000000"])
def test_a_name_that_means_nothing_or_several_is_refused(own: Session, name: str) -> None:
    with pytest.raises(PrunectlError, match="runs and artefacts begin with"):
        removal(own.store, [name])
