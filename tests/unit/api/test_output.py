"""Where results go: no study, and no selection of one, overwrites the results of another."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from cli import write_study
from prunectl.api.output import OWNER, claim, folder_of, save
from prunectl.api.run import Completed
from prunectl.api.session import Session, open_study
from prunectl.base.errors import PrunectlError
from small import SMALL


@pytest.fixture
def here(own: Session, monkeypatch: pytest.MonkeyPatch) -> Session:
    """A session in its folder. Pages take seconds to render, and what is on them does not matter here."""
    monkeypatch.chdir(own.path.parent)
    monkeypatch.setattr("prunectl.report.page.build", lambda *given, **more: "<p>a page</p>")
    return own


def another(session: Session, name: str = "other.toml") -> Session:
    """A study of the same name in another file."""
    path = write_study(session.path.parent, SMALL.replace("epochs = 1", "epochs = 3"), name)
    return open_study(path, store=session.store.root)


def test_another_study_of_the_same_name_has_another_folder(here: Session, completed: tuple[Path, Completed]) -> None:
    results = completed[1].results
    save(here, results)
    table = Path("results/small/table.csv").read_bytes()
    warnings: list[str] = []
    written = save(another(here), results, warn=warnings.append)
    assert written == [Path("results/small-2/table.csv"), Path("results/small-2/report.html")]
    assert warnings == [
        "results/small holds results of study.toml; it is left as it is, and results go to results/small-2"
    ]
    assert Path("results/small/table.csv").read_bytes() == table
    assert folder_of(another(here, "third.toml")) == Path("results/small-3")


def test_a_repeated_run_has_the_same_folder(here: Session) -> None:
    for session in (here, another(here), here, another(here)):
        claim(folder_of(session), session)
    assert sorted(path.name for path in Path("results").iterdir()) == ["small", "small-2"]


PROFILES = """
[profile.quick]
"name" = "small-quick"
"train.epochs" = 1

[profile.short]
"name" = "small-quick"

[profile.plain]
"name" = "small"

[profile.other]
"train.epochs" = 1
"""


@pytest.mark.parametrize(
    ("profile", "changed", "folder"),
    [
        ("quick", (), "small-quick"),
        ("quick", ("train.lr=0.06",), "small-quick+train.lr=0.06"),
        ("quick", ("name=mine",), "mine@quick+name=mine"),
        ("plain", (), "small@plain"),
        ("other", (), "small@other"),
    ],
)
def test_a_profile_that_names_the_study_names_the_folder(
    here: Session, profile: str, changed: tuple[str, ...], folder: str
) -> None:
    """The results of comp6258-vgg16 were in comp6258-vgg16-quick@quick."""
    here.path.write_text(SMALL + PROFILES)
    session = open_study(here.path, profile=profile, set=changed, store=here.store.root)
    assert folder_of(session) == Path("results") / folder


def test_a_name_that_the_profile_gives_overwrites_no_other_study(here: Session) -> None:
    here.path.write_text(SMALL + PROFILES)
    alike = write_study(here.path.parent, SMALL.replace('name = "small"', 'name = "small-quick"'), "alike.toml")
    for session in (
        open_study(alike, store=here.store.root),
        open_study(here.path, profile="quick", store=here.store.root),
        open_study(here.path, profile="short", store=here.store.root),
    ):
        claim(folder_of(session), session)
    assert sorted(path.name for path in Path("results").iterdir()) == ["small-quick", "small-quick-2", "small-quick-3"]


def test_a_changed_study_keeps_its_folder(here: Session) -> None:
    claim(folder_of(here), here)
    here.path.write_text(SMALL.replace("epochs = 1", "epochs = 2"))
    assert folder_of(open_study(here.path, store=here.store.root)) == Path("results/small")


def test_a_study_and_its_results_can_move_together(
    here: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim(folder_of(here), here)
    shutil.move(here.path.parent, tmp_path / "moved")
    monkeypatch.chdir(tmp_path / "moved")
    assert folder_of(open_study("study.toml", store="store")) == Path("results/small")


@pytest.mark.parametrize("content", [None, "{}", "[", '{"study": 1}'])
def test_what_nobody_is_known_to_own_is_not_overwritten(here: Session, content: str | None) -> None:
    folder = Path("results/small")
    folder.mkdir(parents=True)
    (folder / "table.csv").touch()
    if content is not None:
        (folder / OWNER).write_text(content)
    assert folder_of(here) == Path("results/small-2")


def test_a_folder_without_results_is_free(here: Session) -> None:
    Path("results/small/notes").mkdir(parents=True)
    assert folder_of(here) == Path("results/small")


def test_a_given_folder_is_used_as_it_is(here: Session, completed: tuple[Path, Completed]) -> None:
    for session in (here, another(here)):
        assert save(session, completed[1].results, Path("mine"))[0] == Path("mine/table.csv")


def test_a_folder_that_cannot_be_created_is_an_error(here: Session) -> None:
    Path("results").write_text("a file")
    with pytest.raises(PrunectlError, match="cannot be written"):
        claim(folder_of(here), here)


def test_it_ends_when_no_folder_is_free(here: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("prunectl.api.output.MOST_FOLDERS", 3)
    for name in ("a.toml", "b.toml"):
        session = another(here, name)
        claim(folder_of(session), session)
    with pytest.raises(PrunectlError, match=r"results/small holds results of a\.toml"):
        folder_of(here)
