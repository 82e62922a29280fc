"""The studies at hand."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from cli import write_study
from prunectl.api import studies
from prunectl.api.studies import looks_like_a_study, no_study, shipped, studies_here, study_file
from prunectl.base.errors import PrunectlError
from prunectl.study.load import load
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
    monkeypatch.setattr(studies, "shipped", lambda: {"smoke": Path("smoke.toml")})
    error = no_study()
    text = str(error)
    assert error.exit_code == 2
    assert text.startswith("no study is named\n  studies here:\n    00.toml\n")
    assert "    and 2 more\n  installed with prunectl (`prunectl list studies`):\n    smoke\n  name one of them" in text


def test_without_any_it_names_the_command_that_writes_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(studies, "shipped", dict)
    text = str(no_study())
    assert "no study file is in this directory or in studies/" in text
    assert text.endswith("`prunectl new NAME` writes one to begin with")


def test_what_is_installed_are_studies() -> None:
    assert all(looks_like_a_study(path) for path in shipped().values())


def test_installed_studies_are_called_like_their_files() -> None:
    assert {name: load(path).study.name for name, path in shipped().items()} == {name: name for name in shipped()}


def test_studies_are_part_of_the_wheel() -> None:
    project = tomllib.loads((studies.PACKAGE.parents[1] / "pyproject.toml").read_text())
    assert project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"] == {"studies": "prunectl/studies"}


def test_an_installed_package_has_its_own_studies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "site-packages" / "prunectl"
    (package / "studies").mkdir(parents=True)
    file = write_study(package / "studies", SMALL, "small_one.toml")
    monkeypatch.setattr(studies, "PACKAGE", package)
    assert shipped() == {"small-one": file}


def test_a_path_wins_over_the_name_of_an_installed_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert study_file("smoke") == shipped()["smoke"]
    (tmp_path / "smoke").mkdir()
    assert study_file("smoke") == shipped()["smoke"], "a directory is no study"
    write_study(tmp_path, SMALL, "smoke.toml")
    assert study_file("smoke") == Path("smoke.toml")
    assert study_file("comp6258_vgg16") == shipped()["comp6258-vgg16"]
    for path in ("x.toml", "studies/smoke", "./smoke.toml"):
        assert study_file(path) == Path(path)


def test_the_nearest_name_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_study(tmp_path, SMALL, "mine-own.toml")
    with pytest.raises(PrunectlError, match="did you mean mine-own"):
        study_file("mine-ovn")
    with pytest.raises(PrunectlError, match="`prunectl list studies` lists those that were"):
        study_file("qqqq")
