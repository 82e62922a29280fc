"""`prunectl cache`: what each of its commands prints, and its exit codes."""

from __future__ import annotations

import io
import os
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from prunectl.api.runs import record
from prunectl.api.session import Session, open_study
from prunectl.store import layout
from small import damage

Prunectl = Callable[..., Any]


def test_artefacts_are_listed_and_counted(prunectl: Prunectl, session: Session) -> None:
    said = prunectl("cache", "ls")
    assert len(said.out.splitlines()) == len(session.plan.steps)
    assert "3 train" in said.err
    assert {row["key"] for row in prunectl("cache", "ls", "--json").json()["artefacts"]} == set(session.plan.steps)
    assert "no artefacts; 0 B" in prunectl("cache", "ls", "--store", "empty").err


def test_artefacts_are_named_by_study_arm_sparsity_and_seed(prunectl: Prunectl, session: Session) -> None:
    lines = prunectl("cache", "ls").out.splitlines()
    named = [line.partition("small: ")[2] for line in lines]
    assert all(named), "every artefact of a recorded run has a name"
    trial = session.plan.trials[-1]
    name = f"measure {trial.arm.label}, 50 %, seed 1"
    (line,) = [line for line in lines if line.startswith(trial.measure[:16])]
    assert line.endswith(f"small: {name}")
    shown = prunectl("cache", "show", trial.measure).json()["used_by"]
    assert [(use["study"], use["step"]) for use in shown] == [("small", name)]


def test_an_artefact_that_no_run_needs_has_no_name(prunectl: Prunectl, part: Session) -> None:
    rows = prunectl("cache", "ls", "--json", "--store", part.store.root).json()["artefacts"]
    unneeded = {row["key"] for row in rows if not row["used_by"]}
    assert unneeded == {*part.store.keys()} - part.plan.closure(part.plan.targets("retrain"))


def test_one_artefact_is_shown(prunectl: Prunectl, session: Session) -> None:
    key = next(iter(session.plan.steps))
    assert prunectl("cache", "show", key[:16]).json()["key"] == key
    assert prunectl("cache", "show", "zz").code == 2


def test_damage_is_reported_with_exit_code_4(prunectl: Prunectl, own: Session) -> None:
    assert prunectl("cache", "verify").out.endswith("artefacts OK, 0 damaged\n")
    key = damage(own, "state.safetensors")
    said = prunectl("cache", "verify", "--store", own.store.root)
    assert said.code == 4
    assert said.out.startswith(f"damaged: {key[:16]}: state.safetensors is not what was written; set aside\n")
    assert prunectl("cache", "verify", "--json", "--store", own.store.root).json()["damaged"] == {}


@pytest.fixture
def part(own: Session) -> Session:
    """A part of the study, the only recorded run in a store that has all of it, made hours ago."""
    for file in (own.store.root / layout.RUNS).glob("*.json"):
        file.unlink()
    session = open_study(own.path, only="sparsity=0", store=own.store.root)
    record(session, "retrain")
    then = time.time() - 7200
    for folder, _, _ in os.walk(own.store.root / layout.OBJECTS):
        os.utime(folder, (then, then))
    return session


def answering(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Somebody at a terminal who types this."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))
    for stream in (sys.stdin, sys.stderr):
        monkeypatch.setattr(stream, "isatty", lambda: True, raising=False)


def test_what_no_run_needs_is_shown_and_deleted(prunectl: Prunectl, part: Session) -> None:
    arguments = ["cache", "gc", "--store", part.store.root]
    before = len(list(part.store.keys()))
    planned = prunectl(*arguments, "--dry-run").out
    unneeded = before - len(part.plan.closure(part.plan.targets("retrain")))
    assert re.match(rf"would free [\d.]+ kB: {unneeded} artefacts\n  \w+ +\d+ +[\d.]+ k?B\n", planned), planned
    assert len(list(part.store.keys())) == before
    said = prunectl(*arguments, "--yes")
    assert said.code == 0
    assert said.out == planned + planned.splitlines()[0].replace("would free", "freed") + "\n"
    assert len(list(part.store.keys())) == before - unneeded
    assert prunectl(*arguments).out == "would free 0 B: 0 artefacts\n"


def test_without_a_terminal_and_yes_nothing_is_deleted(prunectl: Prunectl, part: Session) -> None:
    before = list(part.store.keys())
    said = prunectl("cache", "gc", "--store", part.store.root)
    assert said.code == 2
    assert said.out.startswith("would free ") and "add --yes" in said.err
    assert list(part.store.keys()) == before


@pytest.mark.parametrize(("typed", "left"), [("y\n", False), ("YES\n", False), ("n\n", True), ("\n", True), ("", True)])
def test_on_a_terminal_it_asks(
    typed: str, left: bool, prunectl: Prunectl, part: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = list(part.store.keys())
    answering(monkeypatch, typed)
    said = prunectl("cache", "gc", "--store", part.store.root)
    assert said.code == 0
    assert "Delete all of this? [y/N]" in said.err
    assert (list(part.store.keys()) == before) is left


def test_a_study_is_kept_too(prunectl: Prunectl, part: Session) -> None:
    assert "0 artefacts" in prunectl("cache", "gc", part.path, "--store", part.store.root, "--yes").out


def test_runs_are_listed_and_forgotten(prunectl: Prunectl, part: Session) -> None:
    where = ["--store", part.store.root]
    said = prunectl("cache", "runs", *where)
    assert re.search(r"small: (\d+) of \1 steps stored\n    prunectl run /\S+/study.toml --only sparsity=0\n", said.out)
    run = prunectl("cache", "runs", "--json", *where).json()["runs"][0]
    assert (run["name"], run["only"], run["stored"]) == ("small", ["sparsity=0"], run["steps"])
    assert prunectl("cache", "rm", run["id"][:5], *where).code == 2
    assert "removed: 1 run, 0 artefacts" in prunectl("cache", "rm", run["id"][:5], "--yes", *where).out
    assert prunectl("cache", "runs", *where).err == f"{part.store.root}: no runs\n"
    said = prunectl("cache", "gc", "--yes", *where)
    assert said.code == 2 and "everything would be deleted" in said.err


def test_an_artefact_is_deleted_with_what_depends_on_it_named(prunectl: Prunectl, part: Session) -> None:
    key = part.plan.trials[0].baseline
    said = prunectl("cache", "rm", key[:16], "--yes", "--store", part.store.root)
    assert re.search(r"\d artefacts? in the store w\w+ made from it; needed by 1 run: small \(", said.out)
    assert not part.store.has(key)
    assert "no runs and artefacts begin with 'zz'" in prunectl("cache", "rm", "zz", "--yes").err


def test_what_lies_next_to_artefacts_is_counted(prunectl: Prunectl, part: Session) -> None:
    part.store.record_failure("ab" * 32, "crash", "x", "")
    where = ["--store", part.store.root]
    assert re.search(r"\n1 recorded run; failures: 1 \(\d+ B\)\n", prunectl("cache", "ls", *where).err)
    listed = prunectl("cache", "ls", "--json", *where).json()
    assert (listed["runs"], listed["others"]["failures"]["count"]) == (1, 1)


def test_artefacts_are_carried(prunectl: Prunectl, session: Session, tmp_path: Path) -> None:
    steps = len(session.plan.steps)
    said = prunectl("cache", "export", "all.tar", "STUDY")
    assert said.code == 0
    assert said.out.startswith(f"all.tar: {steps} artefacts, ")
    said = prunectl("cache", "import", "all.tar", "--store", "other")
    assert said.out == f"other: {steps} artefacts imported, 0 were there already\n"
    again = prunectl("cache", "import", "all.tar", "--store", "other", "--json").json()
    assert (again["imported"], len(again["there"])) == ([], steps)


def test_steps_without_an_artefact_are_counted(prunectl: Prunectl) -> None:
    said = prunectl("cache", "export", "more.tar", "STUDY", "--set", "sweep.sparsities=[0.0, 0.5, 0.9]")
    assert "running the study on the other machine will compute them" in said.err


def test_damage_is_not_carried(prunectl: Prunectl, own: Session) -> None:
    key = damage(own, "metrics.json")
    said = prunectl("cache", "export", "all.tar", "--json", "--store", own.store.root)
    assert said.code == 4
    assert set(said.json()["damaged"]) == {key}
    assert f"artefact {key[:12]} is damaged" in said.err


def test_an_archive_of_another_kind_is_refused_before_anything_else(prunectl: Prunectl) -> None:
    assert "does not end in" in prunectl("cache", "export", "all.zip", "nothing.toml").err
