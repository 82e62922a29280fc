"""Selectors of claims against the labels of the table."""

from __future__ import annotations

from typing import Any

import pytest
from prunectl.results.selecting import means
from prunectl.study.labels import Labels

from prunectl.catalog.table import resolve
from prunectl.study.arms import matches, selects, ways
from prunectl.study.schema import PruneSection


@pytest.mark.parametrize(
    ("column", "wanted", "label", "meant"),
    [
        ("criterion", "snip", "snip", True),
        ("criterion", "snip", "snip(wrt=weight)", True),
        ("criterion", "snip", "snip-iterative", False),
        ("criterion", {"name": "snip", "wrt": "weight"}, "snip(wrt=weight)", True),
        ("criterion", {"name": "snip", "wrt": "weight"}, "snip", False),
        ("criterion", {"name": "snip", "wrt": "mask"}, "snip", True),
        ("criterion", {"name": "theirs", "k": 2}, "theirs(k=2)", True),
        ("at", {"epoch": 20}, "epoch=20", True),
        ("at", {"step": 20}, "epoch=20", False),
        ("at", {"epoch": 0}, "init", True),
        ("rounds", "iterative", "iterative(rate=0.2)", True),
        ("rounds", {"name": "iterative", "rate": 0.2}, "iterative(rate=0.2)", True),
        ("rounds", {"name": "exponential", "count": 100}, "exponential(count=10)", False),
        ("retrain", "weight-rewind", "weight-rewind(epoch=2)", True),
        ("ablation", 7, "none", False),
        ("criterion", {"name": "grasp", "temperature": 100}, "grasp(temperature=100.0)", True),
        ("criterion", {"name": "grasp", "temperature": 10}, "grasp(temperature=100.0)", False),
        ("criterion", {"name": "grasp", "temperature": 200}, "grasp", True),
        ("criterion", {"name": "theirs", "k": 2}, "theirs(j=[1, 2], k=2.0)", True),
        ("criterion", {"name": "theirs", "j": [1, 2]}, "theirs(j=[1, 2], k=2.0)", True),
        (
            "scope",
            {"name": "rates", "per_layer": {"conv2": 1, "conv1": 0.5}},
            "rates(per_layer={'conv1': 0.5, 'conv2': 1.0})",
            True,
        ),
        (
            "scope",
            {"name": "rates", "per_layer": {"conv1": 0.5}},
            "rates(per_layer={'conv1': 0.5, 'conv2': 1.0})",
            False,
        ),
        ("at", {"epoch": 20.0}, "epoch=20", True),
        ("at", {"epoch": 4}, "epoch=4(schedule=restart)", True),
        ("at", {"epoch": 0}, "end", False),
        ("rounds", {"name": "iterative", "rate": 0.1234567}, "iterative(rate=0.1234567)", True),
        ("retrain", "finetune", "finetune(budget=0.25, lr=0.01)", True),
        ("rewind_to", "init", "weight-rewind", True),
        ("rewind_to", {"step": 0}, "weight-rewind", True),
        ("rewind_to", {"epoch": 2}, "weight-rewind", False),
        ("rewind_to", {"epoch": 2}, "weight-rewind(epoch=2)", True),
        ("rewind_to", "init", "weight-rewind(epoch=2)", False),
        ("rewind_to", {"step": 2}, "weight-rewind(epoch=2)", False),
        ("rewind_to", "init", "weight-rewind(budget=0.25)", False),
        ("rewind_to", "init", "lr-rewind", False),
        ("rewind_to", "end", "weight-rewind", False),
        ("budget", 0.25, "finetune(budget=0.25, lr=0.01)", True),
        ("budget", 1 / 3, "lr-rewind(budget=0.333333)", True),
        ("budget", 0.5, "lr-rewind(budget=0.25)", False),
        ("budget", {"epochs": 2}, "lr-rewind(budget=2 epochs)", True),
        ("budget", {"steps": 2}, "lr-rewind(budget=2 epochs)", False),
        ("budget", 2, "lr-rewind(budget=2 epochs)", False),
        ("budget", {"epochs": 1}, "lr-rewind", False),
        ("budget", 1, "finetune(lr=0.01)", True),
        ("budget", 1, "weight-rewind", True),
        ("budget", 1, "weight-rewind(epoch=2)", False),
        ("budget", 1, "recalibrate", False),
        ("budget", True, "lr-rewind", False),
        ("budget", "all", "lr-rewind", False),
        ("retrain", "finetune", "finetune(lr=0.01, schedule=step(milestones=[5, 8], gamma=0.2))", True),
    ],
)
def test_what_a_selector_means(column: str, wanted: Any, label: str, meant: bool) -> None:
    assert means(column, wanted, label) is meant


@pytest.mark.parametrize(
    ("column", "catalog", "wanted"),
    [
        ("criterion", "criteria", {"name": "grasp", "temperature": 100}),
        ("criterion", "criteria", {"name": "snip", "samples_per_class": 5, "wrt": "weight"}),
        ("criterion", "criteria", {"name": "snip", "wrt": "mask"}),
        ("scope", "scopes", {"name": "rates", "per_layer": {"conv2": 1, "conv1": 0.5}}),
        ("scope", "scopes", {"name": "rates", "per_layer": {"features.[0-9]": 0.5, "*": 1.0}}),
    ],
)
def test_an_arm_that_a_claim_may_name_is_found_in_the_table(column: str, catalog: str, wanted: dict[str, Any]) -> None:
    entry = resolve(catalog, wanted)
    assert matches(wanted, entry)
    assert means(column, wanted, entry.label())


@pytest.mark.parametrize(
    ("selector", "meant"),
    [
        ({"retrain": "weight-rewind"}, 4),
        ({"retrain": "weight-rewind", "rewind_to": "init"}, 1),
        ({"rewind_to": {"epoch": 2}}, 1),
        ({"budget": 0.5}, 3),
        ({"budget": 1}, 3),
        ({"retrain": "finetune", "budget": {"epochs": 3}}, 1),
        ({"retrain": "none", "budget": 1}, 0),
        ({"retrain": "lr-rewind", "rewind_to": "init"}, 0),
    ],
)
def test_study_and_table_agree_on_which_retrainings_are_meant(selector: dict[str, Any], meant: int) -> None:
    """Each arm stands alone, so that what is said of a study's arms is said of its rows."""
    tables: list[dict[str, Any]] = [
        {"retrain": ["none"]},
        {"retrain": ["weight-rewind"], "rewind_to": ["init"]},
        {"retrain": ["weight-rewind"], "rewind_to": [{"epoch": 2}]},
        {"retrain": ["weight-rewind"], "rewind_to": [{"step": 7}]},
        {"retrain": ["weight-rewind"], "budget": [0.5]},
        {"retrain": ["lr-rewind"], "budget": [0.5]},
        {"retrain": ["lr-rewind"], "budget": [1.0]},
        {"retrain": ["finetune"], "budget": [0.5]},
        {"retrain": ["finetune"], "budget": [{"epochs": 3}]},
        {"retrain": ["finetune"]},
    ]
    sections = [PruneSection.model_validate({"criterion": "snip", "at": "end", **table}) for table in tables]
    labels = Labels.of(sections, None)
    rows = [
        labels.retrain(kind, way, section)
        for section in sections
        for kind in section.retrain
        for way in ways(section, kind)
    ]
    in_study = [selects(selector, section) for section in sections]
    in_table = [all(means(key, wanted, row) for key, wanted in selector.items()) for row in rows]
    assert in_table == in_study
    assert sum(in_study) == meant
