"""`plan --check`: every problem that only torch can find, with its place in the file."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from cli import write_study
from in_process import ENGINES
from prunectl.api.check import check, located
from prunectl.api.session import Session, open_study
from prunectl.base.errors import Problem, StudyError
from small import HERE, SMALL

BAD = """
[[prune]]
criterion = "magnitude"
scope = { name = "rates", per_layer = { "conv9" = 0.5 } }
[prunable]
exclude = ["hed", "convv*"]
"""


def test_a_sound_study_passes_and_leaves_nothing(tmp_path: Path) -> None:
    session = open_study(write_study(tmp_path, SMALL), store=tmp_path / "store")
    check(session, HERE)
    assert list(session.store.keys()) == []
    assert len(ENGINES[-1].started) == 1
    assert ENGINES[-1].stopped == 1


def test_all_problems_are_one_error_with_lines_and_columns(tmp_path: Path) -> None:
    study = write_study(tmp_path, SMALL + BAD)
    session = open_study(study, store=tmp_path / "store")
    with pytest.raises(StudyError, match="3 problems") as raised:
        check(session, HERE)
    assert raised.value.exit_code == 2
    lines = (SMALL + BAD).splitlines()
    for problem, text in zip(raised.value.problems, ('"hed"', '"convv*"', "scope ="), strict=True):
        assert problem.where is not None
        file, line, column = problem.where.rsplit(":", 2)
        assert file == str(study)
        assert lines[int(line) - 1][int(column) - 1 :].startswith(text)
    assert ENGINES[-1].stopped == 1


def test_only_the_selected_trials_are_checked(tmp_path: Path) -> None:
    arm = BAD.partition("[prunable]")[0]
    study = write_study(tmp_path, SMALL + arm)
    check(open_study(study, only="scope=global", store=tmp_path / "store"), HERE)
    with pytest.raises(StudyError):
        check(open_study(study, only="scope=rates", store=tmp_path / "store"), HERE)


def test_a_problem_of_a_key_that_the_file_does_not_have_is_placed_at_its_table(session: Session) -> None:
    (problem,) = located(session, [Problem(path=("train", "nothing"), message="x")])
    assert problem.where is not None
    line = session.text.splitlines()[int(problem.where.split(":")[-2]) - 1]
    assert line == "[train]"
    (nowhere,) = located(dataclasses.replace(session), [Problem(message="x")])
    assert nowhere.where is not None and nowhere.where.endswith(":1:1")
