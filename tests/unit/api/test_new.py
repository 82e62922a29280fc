"""A study to begin with."""

from __future__ import annotations

from pathlib import Path

import pytest

from prunectl.api.new import new
from prunectl.api.new_criterion import new_criterion
from prunectl.api.session import open_study
from prunectl.base.errors import PrunectlError


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
