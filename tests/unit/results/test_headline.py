"""What a report is called shows what was run."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import pytest

import made_up
from prunectl.base.errors import Path as Key
from prunectl.results.headline import headline
from prunectl.study.load import load
from prunectl.study.selection import Selection

WRITTEN = "VGG-16 pruned at initialization"
NETWORK, LENGTH, PLACE = ("model", "name"), ("train", "epochs"), ("data", "root")
QUICK = Selection(profile="quick")


@pytest.mark.parametrize(
    ("selection", "overridden", "expected"),
    [
        (Selection(), (), WRITTEN),
        (Selection(only=("criterion=snip",), overrides=("train.epochs=2",)), {LENGTH}, WRITTEN),
        (Selection(overrides=("data.root=/scratch",)), {PLACE}, WRITTEN),
        (QUICK, {LENGTH, NETWORK}, f"vgg16 on cifar10: the quick profile of “{WRITTEN}”"),
        (QUICK, {LENGTH}, f"The quick profile of “{WRITTEN}”"),
        (Selection(overrides=('model.name="vgg16"',)), {NETWORK}, f"vgg16 on cifar10: a variant of “{WRITTEN}”"),
        (Selection(overrides=('model={name="vgg16"}',)), {("model",)}, f"vgg16 on cifar10: a variant of “{WRITTEN}”"),
    ],
)
def test_another_network_is_no_study_of_the_paper(
    selection: Selection, overridden: Collection[Key], expected: str
) -> None:
    assert headline(made_up.study().study, selection, overridden) == expected


@pytest.mark.parametrize("written", ["model.init=orthogonal", " model.init =orthogonal", "'model'.'init'=orthogonal"])
def test_the_paths_are_those_of_the_study_however_an_override_is_written(written: str, tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_text(made_up.STUDY.replace("SEEDS", "1"), encoding="utf-8")
    loaded = load(path, overrides=[written])
    called = headline(loaded.study, Selection(overrides=(written,)), loaded.overridden)
    assert called == f"vgg16 on cifar10: a variant of “{WRITTEN}”"


def test_a_study_without_a_title_is_called_by_its_name() -> None:
    study = made_up.study().study.model_copy(update={"title": ""})
    assert headline(study, Selection()) == "made-up"
    assert headline(study, QUICK, {NETWORK}).endswith("the quick profile of “made-up”")
