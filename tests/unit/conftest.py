"""A study of two arms that takes a second, run once in the process of the tests; and packages with plug-ins."""

from __future__ import annotations

import importlib
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from cli import write_study
from plugged import Install, install
from prunectl.api.run import Completed, complete
from prunectl.api.session import Session, open_study
from prunectl.catalog import lookup
from prunectl.catalog.plug_ins import registrations
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


@pytest.fixture(autouse=True)
def _read_again() -> None:
    """No test gets the data set that another has read."""
    if (held := sys.modules.get("prunectl.work.held")) is not None:
        held._READ.clear()
        held._LAID_OUT.clear()
        held.originals._READ.clear()


def forget() -> None:
    """Nothing that was read of one set of packages reaches another test."""
    for kept in (registrations, lookup.places, lookup._entry_type):
        kept.cache_clear()


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Install a package: `installed("[prunectl.criteria]\\nmine = net:Mine\\n", {"net.py": ...})`."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(tmp_path)

    def install_(points: str, modules: Mapping[str, str] | None = None, *, package: str = "net") -> Path:
        file = install(tmp_path, points, modules, package=package)
        importlib.invalidate_caches()
        forget()
        return file

    yield install_
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]
    monkeypatch.undo()
    forget()
