"""A study to begin with."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli import write_study
from prunectl.api import studies
from prunectl.api.new import Choices, new
from prunectl.api.new_criterion import new_criterion
from prunectl.api.session import open_study
from prunectl.base.errors import PrunectlError, StudyError
from prunectl.study.load import load
from small import SMALL


def test_what_is_written_can_be_planned(tmp_path: Path) -> None:
    path = new("my-study", tmp_path)
    session = open_study(path, store=tmp_path / "store")
    assert session.study.name == "my-study"
    assert len(session.plan.trials) == 2 * 3 * 3


@pytest.mark.parametrize("name", ["My Study", "", "../x", "-x", "a_b"])
def test_names_that_a_study_cannot_have_are_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(PrunectlError, match="invalid study name"):
        new(name, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("precious")
    with pytest.raises(PrunectlError, match="exists already"):
        new("mine", tmp_path)
    assert (tmp_path / "mine.toml").read_text() == "precious"


def test_a_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(PrunectlError, match="cannot be written"):
        new("mine", tmp_path / "nowhere")


def test_a_criterion_is_one_file_that_scores_and_is_named_by_a_study_next_to_it(tmp_path: Path) -> None:
    reference = new_criterion(tmp_path / "mine_own.py")
    assert reference == "file:mine_own.py:MineOwn"
    study = new("my-study", tmp_path)
    session = open_study(study, set={"prune.0.criterion": ["random", "magnitude", reference]}, store=tmp_path / "store")
    *_, criterion = session.study.prune[0].criterion
    assert criterion.parameters() == {"power": 1.0}
    with pytest.raises(PrunectlError, match="exists already"):
        new_criterion(tmp_path / "mine_own.py")


@pytest.mark.parametrize("name", ["mine", "mine.toml", "my-own.py", "1.py"])
def test_a_file_that_is_no_module_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(PrunectlError, match="invalid file name"):
        new_criterion(tmp_path / name)


def test_a_study_is_copied_under_another_name(tmp_path: Path) -> None:
    path = new("my-vgg", tmp_path, source="comp6258-vgg16")
    original = studies.shipped()["comp6258-vgg16"].read_text()
    assert path.read_text() == original.replace('name = "comp6258-vgg16"', 'name = "my-vgg"', 1)
    assert load(path).study.name == "my-vgg"


@pytest.mark.parametrize("name", studies.shipped())
def test_every_installed_study_can_be_copied(name: str, tmp_path: Path) -> None:
    assert '\nname = "mine"' in "\n" + new("mine", tmp_path, source=name).read_text()


def test_a_copy_names_the_files_that_it_no_longer_finds(tmp_path: Path) -> None:
    source = write_study(tmp_path, SMALL.replace("[train]", 'init = { weights = "w.safetensors" }\n[train]'))
    (tmp_path / "there").mkdir()
    warnings: list[str] = []
    new("mine", tmp_path / "there", source=source, warn=warnings.append)
    assert [warning.partition(":")[0] for warning in warnings] == ["w.safetensors"]
    new("mine", tmp_path, source=source, warn=warnings.append)
    assert len(warnings) == 1


def test_choices_that_do_not_go_together_are_refused(tmp_path: Path) -> None:
    with pytest.raises(StudyError) as raised:
        new("mine", tmp_path, choices=Choices(model="resnet-200"))
    assert "model.name" in str(raised.value)
    assert list(tmp_path.iterdir()) == []


def test_one_criterion_makes_no_claim(tmp_path: Path) -> None:
    path = new("mine", tmp_path, choices=Choices(criteria=("snip",), sparsities=(0.5,)))
    study = load(path).study
    assert (len(study.claim), study.sweep.asked) == (0, (0.5,))
