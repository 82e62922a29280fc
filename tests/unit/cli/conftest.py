"""The command line in the process of the tests, on a study whose store has everything."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from prunectl.api.run import Completed
from prunectl.cli import app


@dataclass(frozen=True, kw_only=True)
class Ran:
    """What a command left."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def prunectl(
    completed: tuple[Path, Completed],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[..., Ran]:
    """Runs a command in an empty directory; STUDY in its arguments is the study. The real boundary, the real exit."""
    folder, _ = completed
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PRUNECTL_STORE", str(folder / "store"))
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv("PRUNECTL_DEBUG", raising=False)
    monkeypatch.setattr(app, "listen", lambda: None)  # signals are the test runner's

    def call(*arguments: str | Path) -> Ran:
        words = [str(folder / "study.toml") if word == "STUDY" else str(word) for word in arguments]
        monkeypatch.setattr(sys, "argv", ["prunectl", *words])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            app.main()
        out, err = capsys.readouterr()
        return Ran(code=int(ended.value.code or 0), out=out, err=err)

    return call
