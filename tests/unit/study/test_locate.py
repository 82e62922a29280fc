"""Places in a TOML text, counted by hand. (That every key is found is in tests/property.)"""

from __future__ import annotations

import pytest
import tomli

from prunectl.base.errors import Path, Problem
from prunectl.study.locate import locate, located

TEXT = (
    """\
# a = 0, no key
name = "x # no comment"  # a comment
a . "b c".d = 1
[train.schedule]
kind = "step"; """.replace("; ", "\n")
    + '''\
milestones = [  # a list
    5,  # ]
    8, [1, { deep = 2 }],
]
[[prune]]
at = { epoch = 3,  # TOML 1.1
       'step' = 4 }
text = """
at = "end"
"""
[[prune]]  # the second
at = ["init", { epoch = 7 }]
[prune.finetune]
lr = 1
[[prune.more]]
x = 1
[[prune.more]]
x = 2
[last]
dates = [1979-05-27T07:32:00Z, 1979-05-27]'''
)


@pytest.mark.parametrize(
    ("path", "line", "column"),
    [
        (("name",), 2, 1),
        (("a",), 3, 1),
        (("a", "b c"), 3, 5),
        (("a", "b c", "d"), 3, 11),
        (("train",), 4, 2),
        (("train", "schedule"), 4, 8),
        (("train", "schedule", "kind"), 5, 1),
        (("train", "schedule", "milestones", 0), 7, 5),
        (("train", "schedule", "milestones", 2, 1, "deep"), 8, 14),
        (("prune",), 10, 3),
        (("prune", 0), 10, 3),
        (("prune", 0, "at", "step"), 12, 8),
        (("prune", 0, "text"), 13, 1),
        (("prune", 1), 16, 3),
        (("prune", 1, "at", 1, "epoch"), 17, 17),
        (("prune", 1, "finetune", "lr"), 19, 1),
        (("prune", 1, "more", 0, "x"), 21, 1),
        (("prune", 1, "more", 1, "x"), 23, 1),
        (("last", "dates", 1), 25, 32),
        # what is not there: the nearest table around it
        (("prune", 1, "retrain"), 16, 3),
        (("prune", 1, "finetune", "epochs", 3), 18, 8),
        (("nothing", "at", "all"), 1, 1),
        ((), 1, 1),
    ],
)  # fmt: skip
def test_a_path_is_found_at_its_line_and_column(path: Path, line: int, column: int) -> None:
    assert locate(TEXT, path) == (line, column)


def test_the_text_is_toml() -> None:
    assert tomli.loads(TEXT)["prune"][1]["more"] == [{"x": 1}, {"x": 2}]


def test_a_problem_of_a_table_that_is_missing_is_one_of_the_whole_file() -> None:
    text = 'name = "x"\n[model]\nname = "y"\n'
    paths = [("prunable", "exclude"), ("model", "init"), ("model", "name"), ()]
    problems = located(text, "x.toml", [Problem(message="wrong", path=path) for path in paths])
    assert [problem.where for problem in problems] == ["x.toml", "x.toml:2:2", "x.toml:3:1", "x.toml:1:1"]
