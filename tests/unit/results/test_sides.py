"""What is subtracted from what, in the sentence of a verdict."""

from __future__ import annotations

from typing import Any

import pytest

from prunectl.results.sides import difference_of, sides_of
from prunectl.study.schema import Claim
from unit.results.claiming import judged, rows

LOW: list[float | None] = [0.5, 0.51, 0.49]
HIGH: list[float | None] = [0.7, 0.72, 0.74]


def named(better: dict[str, Any], than: Any, **more: Any) -> str:
    claim = Claim.model_validate({"text": "t", "better": better, "than": than, **more})
    return difference_of(claim, sides_of(claim, (), {}))


@pytest.mark.parametrize(
    ("better", "than", "expected"),
    [
        ({"criterion": "magnitude"}, {"criterion": "grasp"}, "magnitude − grasp"),
        ({"criterion": "snip", "ablation": "none"}, {"criterion": "random"}, "snip − random"),
        (
            {"criterion": "snip", "ablation": "shuffle"}, {"criterion": "snip", "ablation": "none"},
            "ablation shuffle − ablation none",
        ),
        ({"at": {"epoch": 1}}, {"at": "init"}, "at epoch 1 − at init"),
        (
            {"criterion": "snip", "at": "init"}, {"criterion": "magnitude", "at": "end"},
            "snip · at init − magnitude · at end",
        ),
        ({"rounds": {"name": "gradual"}}, {"criterion": "snip", "at": "init"}, "gradual − snip · at init"),
        ({"retrain": "finetune"}, {"retrain": "none"}, "finetune − no retraining"),
        ({"budget": 0.25}, {"budget": 1.0}, "budget 25 % − budget 100 %"),
        ({"criterion": "magnitude"}, "dense", "magnitude − dense"),
        ({"criterion": "magnitude"}, {"criterion": "none"}, "magnitude − dense, retrained"),
    ],
)  # fmt: skip
def test_the_sides_are_named_by_what_the_claim_asks_them_apart_in(better: Any, than: Any, expected: str) -> None:
    assert named(better, than) == expected


def test_where_low_is_better_the_sides_change_places() -> None:
    assert named({"criterion": "snip"}, {"criterion": "grasp"}, metric="loss") == "grasp − snip"


def test_a_verdict_names_both_sides() -> None:
    """'GraSP is worse: −25.54 points' did not show whose the lower accuracy was."""
    trials = [*rows(LOW, criterion="magnitude"), *rows(HIGH, criterion="grasp")]
    refuted = judged(trials, better={"criterion": "magnitude"}, than={"criterion": "grasp"})
    assert refuted.reason.startswith("The difference (magnitude − grasp) is not at least 0.00 points at 90 % sparsity")
    average = judged(trials, better={"criterion": "grasp"}, than={"criterion": "magnitude"}, over="average")
    assert average.reason.startswith("The difference (grasp − magnitude) is at least 0.00 points on average")


def test_single_arms_have_the_labels_that_the_study_gives_them() -> None:
    trials = [*rows(LOW, criterion="magnitude", label="Han"), *rows(HIGH, criterion="grasp", label="Wang")]
    found = judged(trials, better={"criterion": "grasp"}, than={"criterion": "magnitude"})
    assert found.reason.startswith("The difference (Wang − Han) is at least")
