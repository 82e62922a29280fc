"""The studies at hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli import write_study
from prunectl.api import studies
from prunectl.api.studies import looks_like_a_study, no_study, shipped, studies_here
from small import SMALL


def test_studies_are_found_here_and_in_a_folder(tmp_path: Path) -> None:
    (tmp_path / "studies").mkdir()
    for name in ("b.toml", "a.toml", "studies/c.toml"):
        write_study(tmp_path, SMALL, name)
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\n')
    assert studies_here(tmp_path) == [tmp_path / name for name in ("a.toml", "b.toml", "studies/c.toml")]


@pytest.mark.parametrize("content", [b"", b"name = ", b"\xff", b'name = "x"\n[train]\n', b"[train]\n[data]\n"])
def test_other_files_are_no_studies(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.toml").write_bytes(content)
    assert not looks_like_a_study(tmp_path / "x.toml")
    assert not looks_like_a_study(tmp_path)
    assert not looks_like_a_study(tmp_path / "nothing.toml")


def test_the_error_lists_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for number in range(studies.SHOWN + 2):
        write_study(tmp_path, SMALL, f"{number:02}.toml")
    monkeypatch.setattr(studies, "shipped", lambda: [Path("smoke.toml")])
    error = no_study()
    text = str(error)
    assert error.exit_code == 2
    assert text.startswith("no study is named\n  studies here:\n    00.toml\n")
    assert "    and 2 more files\n  installed with prunectl:\n    smoke.toml\n  name one of them" in text


def test_without_any_it_names_the_command_that_writes_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(studies, "shipped", list)
    text = str(no_study())
    assert "no study file is in this directory or in studies/" in text
    assert text.endswith("`prunectl new NAME` writes one to begin with")


def test_what_is_installed_are_studies() -> None:
    assert all(looks_like_a_study(path) for path in shipped())
