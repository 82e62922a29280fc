"""An arm: its columns, its label, and which selectors mean it."""

from __future__ import annotations

from typing import Any

import pytest

from prunectl.study.arms import COLUMNS, Arm, expand, number_of_arms
from prunectl.study.schema import PruneSection

pytestmark = pytest.mark.usefixtures("real_catalogs")


def arms(*tables: dict[str, Any], init: str = "kaiming-normal") -> list[Arm]:
    return list(expand([PruneSection.model_validate(table) for table in tables], init))


def arm(**table: Any) -> Arm:
    (single,) = arms({"criterion": "magnitude", **table})
    return single


def test_a_cell_is_what_the_study_file_would_say() -> None:
    columns = arm(
        criterion={"name": "snip", "samples_per_class": 5}, at={"epoch": 4, "schedule": "restart"}, init="orthogonal"
    ).columns()
    assert columns == {
        "criterion": '{ name = "snip", samples_per_class = 5 }',
        "scope": "global",
        "structure": "weights",
        "at": '{ epoch = 4, schedule = "restart" }',
        "rounds": "one-shot",
        "init": "orthogonal",
        "ablation": "none",
        "retrain": "none",
        "budget": None,
    }
    assert tuple(columns) == COLUMNS


def test_a_label_leaves_out_what_is_usual() -> None:
    assert arm().label == "magnitude · at init"
    assert arm(criterion="synflow").label == "synflow · at init"  # 100 rounds are SynFlow's own
    assert arm(criterion="synflow", rounds="one-shot").label == "synflow · at init · one-shot"
    assert arm(init="kaiming-normal").label == "magnitude · at init"
    assert arm(init="orthogonal").label == "magnitude · at init · orthogonal"
    late = arm(at="end", scope="erk", retrain="lr-rewind", budget=0.5, ablation="shuffle")
    assert late.label == "magnitude · at end · erk · lr-rewind, budget 0.5 · shuffle"


def test_arms_of_one_choice_are_equal_whichever_way_it_is_written() -> None:
    assert arm(at={"step": 0}) == arm(at={"epoch": 0}) == arm()
    assert arm(criterion={"name": "magnitude"}) == arm(init="kaiming-normal") == arm()
    end = {"at": "end"}
    whole = arm(**end, retrain="weight-rewind")
    assert whole == arm(**end, retrain={"name": "weight-rewind", "to": "init"})
    assert whole == arm(**end, retrain="weight-rewind", budget=1.0)
    assert whole.columns()["budget"] == "1.0"


def test_the_number_of_arms_is_that_of_the_expansion() -> None:
    tables: list[dict[str, Any]] = [
        {"criterion": ["snip", "magnitude"], "ablation": ["none", "invert"], "init": ["orthogonal", "xavier-normal"]},
        {"criterion": "magnitude", "at": "end", "retrain": ["none", "lr-rewind", "recalibrate"], "budget": [0.2, 0.4]},
        {"criterion": "magnitude", "at": "end", "retrain": [{"name": "weight-rewind", "to": {"epoch": 1}}, "finetune"]},
    ]
    for table in tables:
        assert number_of_arms(PruneSection.model_validate(table)) == len(arms(table))


def test_a_table_of_a_billion_arms_is_counted_without_expanding_it() -> None:
    section = PruneSection.model_validate(
        {
            "criterion": [{"name": "snip", "samples_per_class": k} for k in range(1, 1001)],
            "at": "end",
            "rounds": [{"name": "linear", "count": k} for k in range(1, 1001)],
            "retrain": ["none", "lr-rewind", {"name": "finetune", "epochs": 3}],
            "budget": [k / 998 for k in range(1, 999)],
        }
    )
    assert number_of_arms(section) == 1000 * 1000 * (1 + 998 + 1)


@pytest.mark.parametrize(
    ("selector", "meant"),
    [
        ({"retrain": {"name": "weight-rewind", "to": "init"}}, ["weight-rewind"]),
        ({"retrain": {"name": "weight-rewind", "to": {"step": 0}}}, ["weight-rewind"]),
        ({"retrain": {"name": "weight-rewind", "to": "end"}}, ["weight-rewind(to=end)"]),
        ({"retrain": {"to": {"epoch": 2}}}, ["weight-rewind(to=epoch 2)"]),
        ({"retrain": "weight-rewind"}, ["weight-rewind", "weight-rewind(to=end)", "weight-rewind(to=epoch 2)"]),
        ({"budget": 1.0}, ["weight-rewind"]),
        ({"budget": 1}, ["weight-rewind"]),
        ({"budget": True}, []),
        ({"retrain": {"name": "weight-rewind", "from": "end"}}, []),
        ({"retrain": {}}, []),
    ],
)
def test_two_rewinding_points_are_told_apart(selector: dict[str, Any], meant: list[str]) -> None:
    points = ["weight-rewind", *({"name": "weight-rewind", "to": to} for to in ("end", {"epoch": 2}))]
    expanded = arms({"criterion": "magnitude", "at": "end", "retrain": points})
    assert [each.retrain.label() for each in expanded if each.matches(selector)] == meant


def test_a_budget_of_a_rewinding_has_no_moment() -> None:
    half = arm(at="end", retrain="weight-rewind", budget=0.5)
    assert not half.matches({"retrain": {"name": "weight-rewind", "to": "init"}})
    assert half.matches({"retrain": "weight-rewind", "budget": 0.5})
    assert half.columns()["retrain"] == "weight-rewind"


@pytest.mark.parametrize(
    ("selector", "means"),
    [
        ({"at": {"epoch": 4}}, True),
        ({"at": {"epoch": 4, "schedule": "restart"}}, True),
        ({"at": {"schedule": "restart"}}, True),
        ({"at": {"schedule": "continue"}}, False),
        ({"at": {"step": 4}}, False),
        ({"at": "init"}, False),
        ({"rounds": {"name": "exponential", "count": 100}}, True),
        ({"rounds": "exponential"}, True),
        ({"rounds": {"count": 10}}, False),
        ({"criterion": "synflow", "scope": "global", "init": "orthogonal"}, True),
        ({"init": "kaiming-normal"}, False),
        ({"criterion": 3}, False),
    ],
)
def test_every_column_can_be_asked_for(selector: dict[str, Any], means: bool) -> None:
    one = arm(criterion="synflow", at={"epoch": 4, "schedule": "restart"}, init="orthogonal")
    assert one.matches(selector) is means
