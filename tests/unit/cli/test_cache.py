"""`prunectl cache`: what each of its commands prints, and its exit codes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from prunectl.api.session import Session
from small import damage

Prunectl = Callable[..., Any]


def test_artefacts_are_listed_and_counted(prunectl: Prunectl, session: Session) -> None:
    said = prunectl("cache", "ls")
    assert len(said.out.splitlines()) == len(session.plan.steps)
    assert "3 train" in said.err
    assert {row["key"] for row in prunectl("cache", "ls", "--json").json()["artefacts"]} == set(session.plan.steps)
    assert "no artefacts; 0 B" in prunectl("cache", "ls", "--store", "empty").err


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


def test_what_no_study_needs_is_deleted(prunectl: Prunectl, own: Session) -> None:
    arguments = ["cache", "gc", own.path, "--set", "sweep.sparsities=[0.0]", "--store", own.store.root]
    before = len(list(own.store.keys()))
    planned = prunectl(*arguments, "--dry-run").out
    assert planned.startswith("would free ") and len(list(own.store.keys())) == before
    assert prunectl(*arguments).out == planned.replace("would free", "freed")
    assert len(list(own.store.keys())) < before


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
