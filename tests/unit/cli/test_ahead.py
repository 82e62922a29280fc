"""Imports while a command waits."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from prunectl.cli.ahead import REPORT, import_ahead


def test_modules_are_there_when_the_thread_has_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken_ahead.py").write_text("raise RuntimeError('broken')\n")
    (tmp_path / "sound_ahead.py").write_text("value = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    import_ahead(["broken_ahead", "missing_ahead", "sound_ahead"]).join()
    assert sys.modules["sound_ahead"].value == 1
    assert "broken_ahead" not in sys.modules


@pytest.mark.parametrize("module", REPORT)
def test_what_is_imported_ahead_exists(module: str) -> None:
    importlib.import_module(module)
