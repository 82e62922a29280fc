"""Selectors of claims against the labels of the table."""

from __future__ import annotations

from typing import Any

import pytest

from prunectl.results.selecting import means
from prunectl.study.arms import matches
from prunectl.study.section import resolve


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
        ("rounds", {"kind": "iterative", "rate": 0.2}, "iterative(rate=0.2)", True),
        ("rounds", {"kind": "exponential", "count": 100}, "exponential(count=10)", False),
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
        ("rounds", {"kind": "iterative", "rate": 0.1234567}, "iterative(rate=0.123457)", True),
        ("retrain", "finetune", "finetune(budget=0.25, lr=0.01)", True),
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
