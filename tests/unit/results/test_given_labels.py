"""Labels of arms: what a study calls them, and what is wrong with a label."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import made_up
from prunectl.base.errors import StudyError
from prunectl.report import formats
from prunectl.study.arms import Arm, expand
from prunectl.study.schema import PruneSection

RATES = {"name": "rates", "per_layer": {"features.*": 1.0, "classifier": 0.5}}
HEAD = made_up.STUDY.split("[[prune]]")[0]


def arms(**table: Any) -> list[Arm]:
    return list(expand([PruneSection.model_validate({"criterion": "snip", **table})], "kaiming-normal"))


def refused(tables: str) -> list[tuple[str, str, str]]:
    """Where, what and what to do, of each problem of a study with these [[prune]] tables."""
    with pytest.raises(StudyError) as error:
        made_up.study(HEAD + tables, seeds=1)
    problems = error.value.problems
    return [(Path(each.where or "").name, each.message, each.hint or "") for each in problems]


def test_a_label_is_the_name_of_its_arm_and_ablations_come_after_it() -> None:
    found = arms(label="SNIP", scope=RATES, ablation=["none", "shuffle"])
    assert [arm.label for arm in found] == ["SNIP", "SNIP · shuffle"]
    assert "rates(" in found[0].described, "what was chosen stays known"


def test_placeholders_are_the_choices_in_words() -> None:
    found = arms(
        criterion="magnitude", at="end", retrain=["finetune", "lr-rewind"], budget=[0.25, 1.0],
        label="{retrain}, {budget} of the training",
    )  # fmt: skip
    assert [arm.label for arm in found] == [
        "finetune, 0.25 of the training", "finetune, 1.0 of the training",
        "lr-rewind, 0.25 of the training", "lr-rewind, 1.0 of the training",
    ]  # fmt: skip


def test_a_label_changes_no_arm() -> None:
    """Steps, and so keys, are made of arms: an arm with a label is the same."""
    assert arms(label="SNIP") == arms() and arms(label="SNIP")[0].columns() == arms()[0].columns()


@pytest.mark.parametrize(
    ("label", "message", "hint"),
    [
        ("{criteron}", 'no placeholder "criteron"', "did you mean {criterion}?"),
        ("{ablation}", "the ablation is added after the label", "leave {ablation} out"),
        ("{budget:.2f}", "no placeholder", ""),
        ("SNIP }", "has a brace that belongs to no placeholder", "{{ and }}"),
        ("two\\nlines", "must be one line", ""),
    ],
)
def test_what_is_wrong_with_a_label_is_reported_with_its_place(label: str, message: str, hint: str) -> None:
    ((where, said, todo),) = refused(f'[[prune]]\ncriterion = "snip"\nlabel = "{label}"\n')
    assert where == "made_up.toml:24:1"
    assert message in said and hint in todo


def test_one_label_for_several_arms_lists_them_and_what_sets_them_apart() -> None:
    ((where, said, todo),) = refused('[[prune]]\ncriterion = ["snip", "grasp"]\nlabel = "mine"\n')
    assert where == "made_up.toml:24:1"
    assert said == '"mine" is the label of 2 arms: snip · at init; grasp · at init'
    assert todo == "add what they differ in: {criterion}"


def test_no_label_is_that_of_another_table() -> None:
    one, other = ('[[prune]]\ncriterion = "snip"\nlabel = "A"\n', '[[prune]]\ncriterion = "grasp"\nlabel = "A"\n')
    ((where, said, _),) = refused(one + other)
    assert where == "made_up.toml:27:1" and said == '"A" is what an arm of prune[0] is called'
    plain = '[[prune]]\ncriterion = "grasp"\n'
    ((where, said, _),) = refused(plain + one.replace('"A"', '"grasp · at init"'))
    assert where == "made_up.toml:26:1" and "is what an arm of prune[0] is called" in said
    ((_, said, _),) = refused(one + one.replace('"A"', '"B"'))
    assert said == "the arm snip · at init is in prune[0] already", "whatever it is called there"


def test_reports_call_arms_by_their_labels() -> None:
    text = HEAD + (
        '[[prune]]\ncriterion = "snip"\n'
        'scope = { name = "rates", per_layer = { "features.*" = 1.0, classifier = 0.5 } }\n'
        'label = "SNIP (by layer)"\nablation = ["none", "shuffle"]\n'
        '[[prune]]\ncriterion = "magnitude"\nat = "end"\nretrain = "weight-rewind"\nlabel = "IMP"\n'
        '[[claim]]\ntext = "t"\nbetter = { ablation = "none" }\nthan = "dense"\nmargin = -0.05\n'
    )
    results = made_up.results(text, seeds=3, failed=0, epochs=2)
    latex, markdown = (str(formats.render(results, name)) for name in ("latex", "md"))
    for written in (latex, markdown):
        assert "SNIP (by layer)" in written and "IMP" in written
        assert "rates(" not in written and "per\\_layer" not in written
    assert "\n| 98 % | IMP | " in markdown or "\n| 98 % | SNIP (by layer) | " in markdown
    assert "IMP" in markdown.split("Claims")[1], "cases of claims too"
