"""Why a step is new: what differs from the most similar thing that the store holds."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from typing import Any

from prunectl.plan.graph import Plan
from prunectl.plan.steps import PARENTS, Key, preimage

MOST = 4
"""More differences than this are another study, not a change of one."""


def changes(plan: Plan, todo: Collection[Key], stored: Iterable[str]) -> list[str]:
    """One line per kind of step that is to do: 'train: recipe.lr 0.1 → 0.05', against the nearest stored one.

    `stored` holds pre-images. Parents' keys are left out: they follow from changes that are listed further up.
    """
    by_kind: dict[str, list[dict[str, Any]]] = {}
    for text in stored:
        body = json.loads(text)
        by_kind.setdefault(body["kind"], []).append(flat(body))
    changes: list[str] = []
    seen: set[str] = set()
    for key in todo:
        step = plan.steps[key]
        if step.kind in seen or step.kind not in by_kind:
            continue
        seen.add(step.kind)
        mine = flat(json.loads(preimage(step)))
        parents = set(PARENTS[type(step)])
        differences = [difference(mine, other, parents) for other in by_kind[step.kind]]
        nearest = min(differences, key=len)
        if not nearest:
            changes.append(f"{step.kind}: starts from something new")
        elif len(nearest) <= MOST:
            changes.append(f"{step.kind}: {', '.join(nearest)}")
    return changes


def flat(body: Any, prefix: str = "") -> dict[str, Any]:
    """Nested tables as dotted keys."""
    if not isinstance(body, dict):
        return {prefix: body}
    found: dict[str, Any] = {}
    for key, value in body.items():
        found |= flat(value, f"{prefix}.{key}" if prefix else key)
    return found


def difference(mine: dict[str, Any], other: dict[str, Any], leave_out: set[str]) -> list[str]:
    """'key old → new' for every key that differs."""
    keys = dict.fromkeys([*other, *mine])
    return [
        f"{key} {other.get(key, 'nothing')} → {mine.get(key, 'nothing')}"
        for key in keys
        if key not in leave_out and mine.get(key) != other.get(key)
    ]
