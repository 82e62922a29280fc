"""A study of pictures in files, through the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli import Ran, prunectl, write_study
from pictures import folders
from prunectl.base.cells import parsed

STUDY = """\
name = "pictures"
[data]
name = "image-folder"
root = "trees"
size = 16
resize = 20
augment = ["random-resized-crop", "flip"]
[model]
name = "tiny-cnn"
[train]
epochs = 3
batch_size = 16
lr = 0.05
[sweep]
sparsities = [0.0, 0.8]
seeds = [1]
[[prune]]
criterion = ["magnitude", "snip"]
at = "end"
retrain = ["none", "lr-rewind"]
"""


@pytest.fixture
def study(tmp_path: Path) -> Path:
    folders(tmp_path / "trees")
    return write_study(tmp_path, STUDY)


def run(study: Path, store: str, *more: str) -> Ran:
    return prunectl("run", study, "--json", *more, store=study.parent / store)


def test_pictures_in_files_are_trained_on_whoever_reads_them(study: Path) -> None:
    """One step at a time leaves a core to read ahead; with several, each reads its own. The bits are the same."""
    one, other = run(study, "one", "--jobs", "1"), run(study, "other", "--jobs", "3")
    assert (one.code, other.code) == (0, 0), one.err + other.err
    timed = ("train_s", "score_s")
    rows = [[{k: v for k, v in row.items() if k not in timed} for row in ran.json()["trials"]] for ran in (one, other)]
    assert rows[0] == rows[1]
    assert len(rows[0]) == 8
    assert rows[0][0]["top1"] > 0.6  # the colours can be told
    assert run(study, "one").json()["steps"]["done"] == 0


def test_a_changed_picture_is_another_data_set(study: Path) -> None:
    assert run(study, "store").code == 0
    (study.parent / "trees" / "train" / "ash" / "1.png").unlink()
    said = prunectl("plan", study, store=study.parent / "store")
    assert "data.fingerprint" in said.out


def test_what_is_wrong_with_the_pictures_is_said(study: Path) -> None:
    broken = study.parent / "trees" / "val" / "beech" / "1.png"
    broken.write_bytes(b"no picture at all")
    said = run(study, "store")
    assert said.code not in (0, 1)
    assert str(broken.relative_to(study.parent)) in said.err
    assert "Traceback" not in said.err
    nowhere = prunectl("plan", study, "--set", 'data.root="nowhere"', store=study.parent / "store")
    assert nowhere.code == 2, nowhere.err
    assert "nowhere does not exist" in nowhere.err


def test_a_link_to_nothing_is_said_when_planning(study: Path) -> None:
    link = study.parent / "trees" / "train" / "ash" / "gone.png"
    link.symlink_to("nowhere.png")
    said = prunectl("plan", study, store=study.parent / "store")
    assert said.code == 2, said.err
    assert "ash/gone.png cannot be read" in said.err.replace("\n", "")
    assert "Traceback" not in said.err


def test_cuts_on_reading_need_files_and_come_first(study: Path) -> None:
    late = prunectl(
        "plan", study, "--set", 'data.augment=["flip", "random-resized-crop"]', store=study.parent / "store"
    )
    assert late.code == 2
    assert "must come first" in late.err
    digits = write_study(
        study.parent, STUDY.replace("image-folder", "digits").replace("size = 16\nresize = 20\n", ""), "d.toml"
    )
    held = prunectl("plan", digits, store=study.parent / "store")
    assert held.code == 2
    assert "d.toml:" in held.err and "digits has none" in held.err


def test_imagenet_and_tinyimagenet_in_their_own_layouts(tmp_path: Path) -> None:
    """Made-up pictures where the real ones would lie: planned, trained on, pruned and measured."""
    folders(tmp_path / "data" / "ILSVRC2012", train_each=12, test_each=4)
    tiny = folders(tmp_path / "data" / "tiny-imagenet-200", train_each=12, test_each=4)
    lines, images = [], tiny / "val" / "images"
    images.mkdir()
    for picture in sorted(path for path in (tiny / "val").rglob("*") if path.suffix in (".png", ".JPEG")):
        label = picture.relative_to(tiny / "val").parts[0]
        if not picture.name.startswith("."):
            picture.rename(images / f"{label}_{picture.name}")
            lines.append(f"{label}_{picture.name}\t{label}\t0\t0\t9\t9\n")
    (tiny / "val" / "val_annotations.txt").write_text("".join(lines))
    short = STUDY.replace("epochs = 3", "epochs = 1").replace('root = "trees"\n', "")
    for name, sizes in (("imagenet", "size = 32\nresize = 40"), ("tiny-imagenet", "size = 16")):
        text = short.replace("image-folder", name).replace("size = 16\nresize = 20", sizes)
        ran = prunectl("run", write_study(tmp_path, text, f"{name}.toml"), "--json", store=tmp_path / "store")
        assert ran.code == 0, ran.err
        rows = ran.json()["trials"]
        assert len(rows) == 8
        assert all(row["status"] == "done" and parsed(row["dataset"])["name"] == name for row in rows)
