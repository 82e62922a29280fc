"""`prunectl judge`: how an error in the study file that it writes is explained."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

Prunectl = Callable[..., Any]

MINE = """\
from prunectl import Criterion


class Mine(Criterion):
    def score(self, subject):
        return subject.weights
"""


def test_an_error_in_the_study_that_judge_wrote_names_its_author(prunectl: Prunectl, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(MINE)
    ran = prunectl("judge", "mine.py:Mien")
    assert ran.code == 2 and "mine.py has no Mien" in ran.err
    written = "judge-mine-mien-digits.toml"
    hint = f"{written} was written by this command: fix mine.py:Mien and judge again, or delete {written}"
    assert hint in ran.err
    assert (tmp_path / written).exists()
