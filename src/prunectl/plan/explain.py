"""What of a plan is to do, what is reused, and why. Pure: what the store holds is given."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import Enum

from prunectl.plan.graph import Plan
from prunectl.plan.steps import Key, parent_keys


class Reason(Enum):
    """Why a step is to do."""

    MISSING = "never made"
    UNDER_WAY = "stopped on the way, goes on from its snapshot"
    CRASHED = "failed before, tried again"


@dataclass(frozen=True, kw_only=True, slots=True)
class Todo:
    """`todo`, in an order in which parents come first. `failed` are steps whose failure is an outcome already."""

    todo: Mapping[Key, Reason]
    reused: frozenset[Key]
    failed: frozenset[Key]
    skipped: Mapping[Key, Key]  # step → the failed one that it rests on


def explain(
    plan: Plan,
    targets: Collection[Key],
    *,
    has: Callable[[Key], bool],
    failure: Callable[[Key], str | None],
    under_way: Callable[[Key], bool] = lambda key: False,
) -> Todo:
    """What is needed for the targets and is not there.

    A step is needed if it is a target, or if a needed step that is not there starts from it. `failure` gives how a
    step failed before ("method": it would fail again, and is not repeated; "crash": it is).
    """
    missing: set[Key] = set()
    reused: set[Key] = set()
    stack = list(targets)
    while stack:
        key = stack.pop()
        if key in missing or key in reused:
            continue
        if has(key):
            reused.add(key)
        else:
            missing.add(key)
            stack.extend(parent_keys(plan.steps[key]))
    todo: dict[Key, Reason] = {}
    failed: set[Key] = set()
    skipped: dict[Key, Key] = {}
    for key, step in plan.steps.items():  # parents come first
        if key not in missing:
            continue
        broken = next((parent for parent in parent_keys(step) if parent in failed or parent in skipped), None)
        if broken is not None:
            skipped[key] = skipped.get(broken, broken)
        elif (how := failure(key)) == "method":
            failed.add(key)
        elif how is not None:
            todo[key] = Reason.CRASHED
        else:
            todo[key] = Reason.UNDER_WAY if under_way(key) else Reason.MISSING
    return Todo(todo=todo, reused=frozenset(reused), failed=frozenset(failed), skipped=skipped)
