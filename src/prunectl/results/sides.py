"""The names of the two sides of a claim, as short as they can be told apart: 'magnitude' and 'grasp'."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl

from prunectl.base.cells import cell
from prunectl.catalog.criterion import Unpruned
from prunectl.plan.graph import Placed
from prunectl.results.wording import wording
from prunectl.study.claimed import selectors_of
from prunectl.study.schema import Claim

Sides = tuple[str, str]
"""The names of what `better` and what `than` selects."""

WITH_COLUMN = {"at": "at {}", "ablation": "ablation {}", "init": "init {}"}
"""Columns whose cells mean little without a word before them."""


def asked_apart(claim: Claim) -> set[str]:
    """The columns that a claim compares: those in which its two sides ask for different things."""
    better, than = claim.better, selectors_of(claim).get("than", {})
    return {name for name in better if name in than and better[name] != than[name]}


def sides_of(claim: Claim, pairs: Iterable[pl.DataFrame], arms: Mapping[str, Placed]) -> Sides:
    """The labels that the study gives to the two arms; of other arms and of several what the claim asks them apart in.

    `pairs` have a row for two trials, with the columns `arm` and `arm_other`; `arms` are the study's, by label.
    """
    frames = list(pairs)
    labels = tuple(_given((each for frame in frames for each in frame[name]), arms) for name in ("arm", "arm_other"))
    apart = asked_apart(claim)
    better = _named(claim.better, apart)
    than = "dense" if isinstance(claim.than, str) else _named(claim.than, apart)
    return labels[0] or better, labels[1] or than


def difference_of(claim: Claim, sides: Sides) -> str:
    """What is subtracted from what, 'magnitude − grasp': the sign is turned where a low metric is better."""
    return " − ".join(sides if claim.metric.better == "high" else reversed(sides))


def _given(labels: Iterable[str], arms: Mapping[str, Placed]) -> str:
    """The label of the only arm, if the study gives it one; else nothing."""
    different = set(labels)
    only = different.pop() if len(different) == 1 else ""
    return only if only in arms and arms[only].arm.given else ""


def _named(selector: Mapping[str, Any], apart: set[str]) -> str:
    """What a selector asks for in the columns in which the sides are apart; everything where there are none."""
    return " · ".join(_spoken(name, value) for name, value in selector.items() if name in apart or not apart)


def _spoken(column: str, value: Any) -> str:
    if column == "criterion" and value == Unpruned.name:
        return "dense, retrained"
    return WITH_COLUMN.get(column, "{}").format(wording(column, cell(value)))
