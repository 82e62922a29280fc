"""Files that are no pictures, anywhere in a folder: named before the first training, or never opened."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from pictures import folders
from prunectl.base.errors import Problem
from prunectl.datasets.content import content_of
from prunectl.plan.build import build
from prunectl.plan.preflight import preflight
from prunectl.study.load import validate
from prunectl.work import preflight_pictures
from prunectl.work.preflight import problems_of

STUDY: dict[str, Any] = {
    "name": "t",
    "model": {"name": "tiny-cnn"},
    "train": {"epochs": 1, "batch_size": 16, "lr": 0.05},
    "sweep": {"sparsities": [0.5], "seeds": [1]},
    "prune": [{"criterion": "magnitude"}],
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Twelve training and six test pictures."""
    return folders(tmp_path, train_each=4, test_each=2)


def problems(root: Path, **limits: int) -> tuple[Problem, ...]:
    study, slips = validate({**STUDY, "data": {"name": "image-folder", "size": 12, **limits}})
    assert study is not None, slips
    content = content_of(study.data.dataset, root)
    return problems_of(preflight(study, build(study, content), content), root)


@pytest.mark.parametrize("junk", [b"", b"not a picture", b"\x89PNG\r\n\x1a\n"])
@pytest.mark.parametrize("file", ["train/ash/2.png", "train/cedar/deeper/3.JPEG", "val/beech/1.png"])
def test_each_is_named_before_the_first_training(root: Path, file: str, junk: bytes) -> None:
    (root / file).write_bytes(junk)
    (problem,) = problems(root)
    assert problem.message.startswith(f"{root / file} cannot be read as an image: ")
    assert (problem.key, problem.hint) == ("data", "replace or remove the file")


def test_a_picture_that_ends_early_is_named_too(root: Path) -> None:
    file = root / "train" / "ash" / "1.png"
    file.write_bytes(file.read_bytes()[:60])
    (problem,) = problems(root)
    assert str(file) in problem.message


def test_one_that_a_limit_leaves_out_is_never_opened(root: Path) -> None:
    (root / "train" / "ash" / "zz.png").write_bytes(b"not a picture")
    (root / "val" / "ash" / "zz.png").write_bytes(b"nor this")
    assert problems(root, train_limit=12, test_limit=6) == ()
    assert len(problems(root)) == 2


def test_one_that_is_held_out_for_validation_is_named_beyond_the_limit(root: Path) -> None:
    for file in (root / "train").rglob("*.[pJ]*"):
        if not file.name.startswith("."):
            file.write_bytes(b"not a picture")
    assert len(problems(root, train_limit=3, validation=3)) == preflight_pictures.SHOWN + 1


def test_many_are_named_by_their_first_and_their_number(root: Path) -> None:
    shutil.rmtree(root / "val" / "ash")
    (root / "val" / "ash").mkdir()
    for number in range(8):
        (root / "val" / "ash" / f"{number}.png").write_bytes(b"junk")
    found = problems(root)
    assert len(found) == preflight_pictures.SHOWN + 1
    assert found[-1].message == f"3 more pictures under {root} cannot be read"


def test_of_very_many_pictures_the_beginnings_of_files_are_read(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight_pictures, "WHOLE_BYTES", 3)
    cut, junk = (root / "train" / "ash" / name for name in ("1.png", "2.png"))
    cut.write_bytes(cut.read_bytes()[:60])
    junk.write_bytes(b"not a picture")
    (problem,) = problems(root)
    assert str(junk) in problem.message
    monkeypatch.setattr(preflight_pictures, "MOST", 0)
    assert problems(root) == ()
