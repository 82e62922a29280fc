"""Selectors of claims against the labels of the table."""

from __future__ import annotations

from typing import Any

import pytest

from prunectl.results.selecting import means


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
    ],
)
def test_what_a_selector_means(column: str, wanted: Any, label: str, meant: bool) -> None:
    assert means(column, wanted, label) is meant
