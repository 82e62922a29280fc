"""`prunectl judge`: how an error in the study file that it writes is explained."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Prunectl = Callable[..., Any]

MINE = """\
from prunectl import Criterion


class Mine(Criterion):
    def score(self, subject):
        return subject.weights
"""


@pytest.mark.parametrize(
    ("criterion", "message"),
    [
        ("mine.py:Mien", "mine.py has no Mien; it has Mine and Other\n  did you mean 'Mine'?"),
        ("mine.py:Other", "Other of mine.py is not a Criterion"),
        ("broken.py:Mine", "broken.py cannot be imported: ZeroDivisionError: division by zero (broken.py:1)"),
    ],
)
def test_a_class_that_is_no_criterion_leaves_nothing_behind(
    criterion: str, message: str, prunectl: Prunectl, tmp_path: Path
) -> None:
    (tmp_path / "mine.py").write_text(f"{MINE}\n\nclass Other:\n    pass\n")
    (tmp_path / "broken.py").write_text("1 / 0\n")
    before = {path.name for path in tmp_path.iterdir()}
    ran = prunectl("judge", criterion)
    assert ran.code == 2 and message in ran.err
    assert {path.name for path in tmp_path.iterdir()} == before


def test_a_study_that_cannot_be_run_is_removed_again(prunectl: Prunectl, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(MINE.replace("    def", "    power: float\n\n    def"))
    ran = prunectl("judge", "mine.py")
    assert ran.code == 2 and "power" in ran.err
    assert "judge-mine-digits.toml, which this command had written, is removed: nothing could be run" in ran.err
    assert not list(tmp_path.glob("judge-*"))
