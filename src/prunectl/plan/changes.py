"""Why a step is new: what differs from the most similar thing that the store holds."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from dataclasses import fields
from typing import Any

from prunectl.base.keys import canonical
from prunectl.catalog.entry import CODE
from prunectl.plan.graph import Plan
from prunectl.plan.steps import PARENTS, Key, Step, preimage

MOST = 4
"""More differences than this are another study, not a change of one."""


def changes(plan: Plan, todo: Collection[Key], stored: Iterable[str]) -> list[str]:
    """What differs from the store: 'changed: the code of criterion mine', then 'train: recipe.lr 0.1 → 0.05'.

    There is a line for each entry of a third party whose code has changed, and one per kind of step that is to do,
    against the nearest stored one. `stored` holds pre-images. Parents' keys are left out: they follow from changes
    that are listed further up.
    """
    before = [json.loads(text) for text in stored]
    wanted = [plan.steps[key] for key in todo]
    by_kind: dict[str, list[dict[str, Any]]] = {}
    for body in before:
        by_kind.setdefault(body["kind"], []).append(flat(without_code(body)))
    changes = changed_code(wanted, before)
    seen: set[str] = set()
    for step in wanted:
        if step.kind in seen or step.kind not in by_kind:
            continue
        seen.add(step.kind)
        mine = flat(without_code(json.loads(preimage(step))))
        parents = set(PARENTS[type(step)])
        nearest = min((difference(mine, other, parents) for other in by_kind[step.kind]), key=len)
        if nearest and len(nearest) <= MOST:
            changes.append(f"{step.kind}: {', '.join(nearest)}")
        elif not nearest and not changed_code([step], before):
            changes.append(f"{step.kind}: starts from something new")
    return changes


def changed_code(wanted: Iterable[Step], stored: Iterable[Any]) -> list[str]:
    """A line for each entry whose code differs from that of every stored step with an entry of the name."""
    before: dict[str, set[str | None]] = {}
    for body in stored:
        for entry, code in codes(body):
            before.setdefault(entry, set()).add(code)
    lines: list[str] = []
    if not before:
        return lines
    for entry, code in _codes_of(wanted).items():
        known = before.get(entry, {code})
        if code is not None and code not in known:
            new = f"the code of {entry} is part of its keys now"
            lines.append(new if known == {None} else f"changed: the code of {entry}")
    return lines


def _codes_of(steps: Iterable[Step]) -> dict[str, str | None]:
    """The entries of steps with the digests of their code. Steps share networks and recipes: each is read once."""
    values = {id(value): (field.name, value) for step in steps for field in fields(step)
              if not isinstance(value := getattr(step, field.name), str | int | float | None)}  # fmt: skip
    return dict(pair for role, value in values.values() for pair in codes(json.loads(canonical(value)), role))


def codes(body: Any, role: str = "") -> Iterator[tuple[str, str | None]]:
    """Each entry in a pre-image, 'criterion mine', with the digest of its code; None for an entry without one."""
    if isinstance(body, list):
        for item in body:
            yield from codes(item, role)
    if isinstance(body, dict):
        if "name" in body and "version" in body:
            yield f"{role} {body['name']}", body.get(CODE)
        for key, value in body.items():
            yield from codes(value, key)


def without_code(body: Any) -> Any:
    """A pre-image without the digests of code."""
    if isinstance(body, list):
        return [without_code(item) for item in body]
    if isinstance(body, dict):
        return {key: without_code(value) for key, value in body.items() if key != CODE}
    return body


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
