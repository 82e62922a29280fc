"""A study of two arms that takes a second, run once in the process of the tests."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli import write_study
from prunectl.api.run import Completed, complete
from prunectl.api.session import Session, open_study
from small import HERE, SMALL


@pytest.fixture(scope="session")
def completed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Completed]]:
    """The folder of the study and its store, and what the run returned. Tests leave them as they are."""
    folder = tmp_path_factory.mktemp("small")
    session = open_study(write_study(folder, SMALL), store=folder / "store")
    yield folder, complete(session, HERE)


@pytest.fixture(scope="session")
def session(completed: tuple[Path, Completed]) -> Session:
    """The study, with everything in its store."""
    folder, _ = completed
    return open_study(folder / "study.toml", store=folder / "store")


@pytest.fixture
def own(completed: tuple[Path, Completed], tmp_path: Path) -> Session:
    """The same in a copy that a test may damage."""
    folder, _ = completed
    shutil.copytree(folder, tmp_path / "own")
    return open_study(tmp_path / "own" / "study.toml", store=tmp_path / "own" / "store")
