"""Claims are about arms and sparsities that the study has; the arms are looked up by what they chose."""

from __future__ import annotations

from typing import Any

import pytest

from prunectl.study import claimed
from prunectl.study.arms import Arm, agrees, expand
from prunectl.study.claimed import SHOWN, Index
from prunectl.study.schema import Claim, PruneSection, SweepSection

pytestmark = pytest.mark.usefixtures("real_catalogs")

TABLES: list[dict[str, Any]] = [
    {"criterion": ["magnitude", {"name": "snip", "samples_per_class": 5}, "synflow"], "ablation": ["none", "shuffle"]},
    {"criterion": "magnitude", "at": "end", "retrain": ["none", "weight-rewind", "lr-rewind"], "budget": [0.5, 1.0]},
    {"criterion": "snip", "at": [{"epoch": k} for k in range(1, 40)], "init": "orthogonal"},
]


def arms(*tables: dict[str, Any]) -> list[Arm]:
    return list(expand([PruneSection.model_validate(table) for table in tables], "kaiming-normal"))


def messages(better: dict[str, Any], than: dict[str, Any], **more: Any) -> dict[str, str]:
    """What is wrong with a claim about the arms above, by path."""
    claim = Claim.model_validate({"text": "t", "better": better, "than": than, **more})
    sweep = SweepSection.model_validate({"sparsities": [0.0, 0.5, 1 - 0.8**3]})
    return {each.key: each.message for each in claimed.claimed(claim, Index(arms(*TABLES)), sweep)}


@pytest.mark.parametrize(
    "selector",
    [
        {},
        {"criterion": "snip"},
        {"criterion": {"name": "snip", "samples_per_class": 5}},
        {"criterion": {"name": "snip", "samples_per_class": 10}},
        {"criterion": {"name": "snip", "samples_per_class": 5}, "init": "orthogonal"},
        {"criterion": "synflow", "ablation": "shuffle"},
        {"criterion": "synflow", "at": "end"},
        {"budget": 0.5},
        {"budget": 1, "retrain": "weight-rewind"},
        {"budget": 0.5, "retrain": {"name": "weight-rewind", "to": "init"}},
        {"budget": 0.5, "retrain": "none"},
        {"at": {"epoch": 39}},
        {"at": {"epoch": 40}},
        {"at": {"epoch": 3}, "init": "kaiming-normal"},
    ],
)
def test_a_selector_means_an_arm_of_the_index_exactly_if_some_arm_matches_it(selector: dict[str, Any]) -> None:
    every = arms(*TABLES)
    assert Index(every).meant(selector) == any(arm.matches(selector) for arm in every)


def test_no_arm_is_meant_where_there_is_none() -> None:
    assert not Index([]).meant({})
    assert Index([]).cells("criterion") == []


def test_distinct_choices_are_listed_in_the_order_of_the_file_and_no_choice_is_none() -> None:
    index = Index(arms(*TABLES))
    assert index.cells("criterion") == ["magnitude", '{ name = "snip", samples_per_class = 5 }', "synflow", "snip"]
    assert index.cells("budget") == ["0.5", "1.0"]


def test_a_selector_is_compared_with_choices_and_not_with_arms(monkeypatch: pytest.MonkeyPatch) -> None:
    """20,000 arms and 500 claims are ten million comparisons otherwise: minutes."""
    compared = []

    def counting(wanted: Any, value: Any) -> bool:
        compared.append(value)
        return agrees(wanted, value)

    monkeypatch.setattr(claimed, "agrees", counting)
    many = arms({"criterion": ["magnitude", "snip"], "at": [{"epoch": k} for k in range(1, 500)]})
    index = Index(many)
    for _ in range(100):
        assert index.meant({"criterion": "snip", "at": {"epoch": 7}})
        assert not index.meant({"criterion": "grasp"})
    assert len(many) == 2 * 499
    assert len(compared) == 2 + 499 + 2


def test_what_no_arm_has_is_reported_with_what_they_have() -> None:
    found = messages({"criterion": "grasp"}, {"ablation": "invert", "at": "init"})
    assert found == {
        "better.criterion": (
            'no arm of the study has criterion = "grasp"; they have magnitude, '
            '{ name = "snip", samples_per_class = 5 }, synflow, snip'
        ),
        "than.ablation": 'no arm of the study has ablation = "invert"; they have none, shuffle',
    }


def test_what_arms_have_is_not_listed_without_end() -> None:
    (message,) = messages({"at": {"epoch": 50}}, {"ablation": "none"}).values()
    assert message.endswith(", { epoch = 18 }, ...")
    assert message.count("epoch = ") == 1 + SHOWN - 2  # what was asked for; init and end are listed too


def test_choices_that_no_arm_has_together_are_reported_together() -> None:
    found = messages({"criterion": "synflow", "at": "end"}, {"ablation": "none"})
    assert found == {"better": 'no arm of the study has criterion = "synflow" and at = "end" together'}


def test_sparsities_are_those_of_the_sweep_to_four_digits() -> None:
    sides = {"better": {"ablation": "shuffle"}, "than": {"ablation": "none"}}
    assert messages(**sides, at_sparsity=[0.5, 0.488]) == {}
    assert messages(**sides, at_sparsity=[0.4, 0.5]) == {
        "at_sparsity[0]": "0.4 is no sparsity of the sweep: 0, 0.488, 0.5"
    }


@pytest.mark.parametrize(("metric", "value", "wrong"), [("top1", 1.0, False), ("top1", 2.0, True), ("ece", -1.5, True),
                                                        ("loss", 2.0, False), ("loss", -30.0, False)])  # fmt: skip
def test_a_margin_has_the_range_of_its_metric(metric: str, value: float, wrong: bool) -> None:
    """A fraction differs by at most 1: a margin of 2 was meant in points. A loss has no such bound."""
    sides = {"better": {"ablation": "shuffle"}, "than": {"ablation": "none"}}
    problems = list(claimed.margin(Claim.model_validate({"text": "t", **sides, "metric": metric, "margin": value})))
    assert [problem.key for problem in problems] == (["margin"] if wrong else [])
    if value == 2.0 and wrong:
        assert problems[0].message == "must be a number, at least -1 and at most 1, not 2"
        assert problems[0].hint == "top-1 accuracy is a fraction: write 0.02 for 2 points"
