"""Artefacts carried to another machine in one file: there the run has nothing left to do."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from cli import TINY, prunectl, write_study

SMALL = TINY.replace("seeds = [1, 2]", "seeds = [1]").partition('\n[[prune]]\ncriterion = "snip"')[0]


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A study that has been run: its file and its store."""
    folder = tmp_path_factory.mktemp("here")
    study = write_study(folder, SMALL)
    said = prunectl("run", study, "--quiet", store=folder / "store")
    assert said.code == 0, said.err
    return study, folder / "store"


def test_on_the_other_machine_nothing_is_left_to_do(done: tuple[Path, Path], tmp_path: Path) -> None:
    study, store = done
    said = prunectl("cache", "export", tmp_path / "tiny.tar.gz", study, "--json", store=store)
    assert said.code == 0, said.err
    written = said.json()
    assert (written["missing"], written["damaged"]) == (0, {})
    there = tmp_path / "elsewhere" / "store"
    there.parent.mkdir()
    taken = prunectl("cache", "import", tmp_path / "tiny.tar.gz", "--json", store=there).json()
    assert len(taken["imported"]) == written["artefacts"] > 5
    again = prunectl("cache", "import", tmp_path / "tiny.tar.gz", store=there)
    assert f"0 artefacts imported, {written['artefacts']} were there already" in again.out
    run = prunectl("run", write_study(there.parent, SMALL), "--json", store=there).json()
    assert run["steps"]["done"] == run["steps"]["failed"] == run["steps"]["skipped"] == 0
    assert run["trials"] == prunectl("run", study, "--json", store=store).json()["trials"]
    assert prunectl("cache", "verify", store=there).code == 0


def test_only_what_a_study_needs_is_carried(done: tuple[Path, Path], tmp_path: Path) -> None:
    study, store = done
    less = ["--set", "sweep.sparsities=[0.0, 0.5]"]
    every = prunectl("cache", "export", tmp_path / "all.tar", "--json", store=store).json()
    some = prunectl("cache", "export", tmp_path / "some.tar", study, *less, "--json", store=store).json()
    more = ["--set", "sweep.sparsities=[0.0, 0.5, 0.7, 0.9]"]
    said = prunectl("cache", "export", tmp_path / "more.tar", study, *more, store=store)
    assert some["artefacts"] < every["artefacts"]
    assert f"more.tar: {every['artefacts']} artefacts" in said.out
    assert "steps have no artefact yet" in said.err


def test_a_damaged_archive_is_refused_in_words(done: tuple[Path, Path], tmp_path: Path) -> None:
    _, store = done
    path = tmp_path / "all.tar"
    assert prunectl("cache", "export", path, store=store).code == 0
    sound = path.read_bytes()
    for content in (sound[: len(sound) // 2], sound.replace(b'"top1"', b'"top9"', 1), b"no archive"):
        path.write_bytes(content)
        said = prunectl("cache", "import", path, store=tmp_path / "other")
        assert said.code == 2
        assert "was not imported" in said.err
        assert "Traceback" not in said.err
        assert prunectl("cache", "ls", "--json", store=tmp_path / "other").json()["artefacts"] == []


def test_a_damaged_artefact_is_not_carried(tmp_path: Path) -> None:
    store = tmp_path / "store"
    study = write_study(tmp_path, SMALL)
    assert prunectl("train", study, "--quiet", store=store).code == 0
    file = next(store.glob("objects/*/*/metrics.json"))
    file.chmod(0o644)
    file.write_bytes(b"{}")
    said = prunectl("cache", "export", tmp_path / "all.tar", "--json", store=store)
    assert said.code == 4
    assert said.json()["damaged"] == {file.parent.name: "metrics.json is not what was written"}
    assert prunectl("cache", "import", tmp_path / "all.tar", store=tmp_path / "other").code == 0


def test_a_damaged_artefact_is_missing_from_report_and_comparison(tmp_path: Path) -> None:
    store = tmp_path / "store"
    study = write_study(tmp_path, SMALL)
    assert prunectl("train", study, "--quiet", store=store).code == 0
    for arguments in (["report"], ["compare", "published:comp6258-figure1"]):
        file = next(store.glob("objects/*/*/metrics.json"))
        sound = file.parent.rename(tmp_path / "kept") / "metrics.json"
        shutil.copytree(sound.parent, file.parent)
        file.chmod(0o644)
        file.write_bytes(b"{}")
        said = prunectl(arguments[0], study, *arguments[1:], store=store)
        assert said.code == 0, said.err
        assert "it has been set aside" in said.err
        sound.parent.rename(file.parent)


def test_bad_command_lines_are_refused(tmp_path: Path) -> None:
    for arguments in (["export", "x.zip"], ["import", "nothing.tar"], ["export", "x.tar", "nothing.toml"]):
        said = prunectl("cache", *arguments, store=tmp_path / "store")
        assert said.code == 2
        assert "Traceback" not in said.err
