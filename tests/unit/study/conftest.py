"""A study that is right, and a catalogue of stand-ins that it names."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from prunectl.base.errors import Problem, StudyError
from prunectl.catalog import faults, lookup, tables
from prunectl.study import arms
from prunectl.study.load import LoadedStudy, load

GOOD = """\
name = "first"
title = "A first study"

[data]
name = "digits"
augment = ["flip", { name = "pad-crop", pad = 2 }]
train_limit = 500

[model]
name = "vgg16"
width = 0.5
init = "orthogonal"

[train]
epochs = 10
lr = 0.05
schedule = { name = "step", milestones = [5, 8] }

[sweep]
sparsities = [0, 0.5, 0.9]
seeds = 2

[[prune]]
criterion = ["magnitude", { name = "snip", samples_per_class = 5 }, "synflow"]
ablation = ["none", "shuffle"]

[[prune]]
criterion = "magnitude"
at = "end"
scope = ["global", "layerwise"]
retrain = [
    "none",
    { name = "finetune", lr = 0.002, epochs = 3 },
    { name = "weight-rewind", to = { epoch = 2 } },
    "weight-rewind",
]

[prunable]
exclude = ["head", "conv.*"]

[[claim]]
text = "SNIP is better than magnitude at initialization"
better = { criterion = "snip", ablation = "none" }
than = { criterion = "magnitude", at = "init", ablation = "none" }
margin = -0.005
at_sparsity = 0.9

[profile.quick]
"train.epochs" = 3
data.train_limit = 100

[published]
tables = ["comp6258-figure1"]
"""

REAL = dict(tables.CATALOGS)
LoadText = Callable[..., LoadedStudy]
Problems = Callable[..., list[Problem]]


@pytest.fixture(autouse=True)
def stand_ins(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The catalogues of `stand_ins.py` in the place of the real ones."""
    monkeypatch.syspath_prepend(Path(__file__).parent)
    monkeypatch.setattr(tables, "CATALOGS", importlib.import_module("stand_ins").CATALOGS)
    monkeypatch.setattr(faults, "lacking", lambda found, kind: [])  # they only have what a study is checked against
    _forget()
    yield
    _forget()


@pytest.fixture
def real_catalogs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The catalogues of prunectl, for what is shipped with it."""
    monkeypatch.setattr(tables, "CATALOGS", REAL)
    _forget()


def _forget() -> None:
    """Whatever is kept of one set of catalogues does not reach a test of the other."""
    for kept in (lookup.places, lookup._entry_type, arms._usual, arms._scope):
        kept.cache_clear()


@pytest.fixture
def good() -> str:
    """The text of a study that is right."""
    return GOOD


@pytest.fixture
def load_text(tmp_path: Path) -> LoadText:
    """Load a study from its text."""

    def from_text(text: str, *overrides: str, profile: str | None = None) -> LoadedStudy:
        path = tmp_path / "study.toml"
        path.write_text(text, encoding="utf-8")
        return load(path, overrides=overrides, profile=profile)

    return from_text


@pytest.fixture
def problems(load_text: LoadText, tmp_path: Path) -> Problems:
    """The problems of a study that must have some; the directory is left out of their places."""

    def of_text(text: str, *overrides: str, profile: str | None = None) -> list[Problem]:
        with pytest.raises(StudyError) as caught:
            load_text(text, *overrides, profile=profile)
        assert caught.value.problems
        return [replace(each, where=(each.where or "").removeprefix(f"{tmp_path}/")) for each in caught.value.problems]

    return of_text
