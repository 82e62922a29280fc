"""Kinds of step: what is derived from their fields and names."""

from __future__ import annotations

from dataclasses import fields
from importlib import import_module

from prunectl.plan.steps import PARENTS, STEPS, Ablate, Init, Measure, Prune, PruneRounds, Score, Train
from prunectl.work.perform import KINDS


def test_there_are_eleven_kinds_of_different_names() -> None:
    assert len({step.kind for step in STEPS}) == len(STEPS) == 11


def test_parents_are_the_fields_that_are_keys() -> None:
    assert PARENTS[Init] == ()
    assert PARENTS[Train] == ("start", "mask")
    assert PARENTS[Score] == PARENTS[Measure] == ("state", "mask")
    assert PARENTS[Prune] == ("scores", "before", "state")
    assert PARENTS[PruneRounds] == ("state", "before")
    assert PARENTS[Ablate] == ("mask",)
    assert all(set(PARENTS[step]) <= {field.name for field in fields(step)} for step in STEPS)


def test_every_kind_has_a_module_that_does_it() -> None:
    assert list(KINDS) == [step.kind for step in STEPS]
    assert all(callable(import_module(module).perform) for module in KINDS.values())
