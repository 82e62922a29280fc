"""A command that only reads makes no store: one that does not exist reads as an empty one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Prunectl = Callable[..., Any]
STUDY = Path(__file__).parents[3] / "studies" / "smoke.toml"
READING = [
    ("plan", str(STUDY)),
    ("report", str(STUDY), "--format", "csv", "-o", "-"),
    ("compare", str(STUDY), f"{STUDY}"),
    ("export", str(STUDY), "--only", "criterion=snip,sparsity=0.9,seed=1", "-o", "out"),
    ("log", "abc"),
    ("doctor",),
    ("cache", "ls"),
    ("cache", "runs"),
    ("cache", "show", "ab" * 32),
    ("cache", "verify"),
    ("cache", "gc", "--yes"),
    ("cache", "rm", "ab" * 32, "--yes"),
    ("cache", "export", "all.tar"),
    ("cache", "push", "--to", "other"),
]  # fmt: skip


@pytest.mark.parametrize("command", READING, ids=lambda command: " ".join(command[:2]))
def test_what_only_reads_makes_no_store(
    command: tuple[str, ...], prunectl: Prunectl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = tmp_path / "nowhere" / "store"
    monkeypatch.setenv("PRUNECTL_STORE", str(store))
    shown = prunectl(*command)
    assert "Traceback" not in shown.err
    assert not store.parent.exists()


def test_where_nothing_was_checked_the_store_is_named(prunectl: Prunectl, tmp_path: Path) -> None:
    assert prunectl("cache", "verify", "--store", str(tmp_path / "typo")).out == f"{tmp_path}/typo: no artefacts\n"
