"""No arm twice, and no two arms with one label: their rows would look the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from prunectl.base.errors import Path, Problem
from prunectl.catalog.wording import shown
from prunectl.study.arms import Arm
from prunectl.study.labels import PLACEHOLDERS

LISTED = 3
"""The maximum number of arms that a message lists."""


def repeated_arms(tables: Sequence[Sequence[Arm] | None], key: str) -> Iterator[Problem]:
    """No arm stands in two tables, nor twice in one, whatever it is called there."""
    first: dict[str, int] = {}
    for place, arms in enumerate(tables):
        names = [arm.described for arm in arms or ()]
        for name, count in Counter(names).items():
            if count > 1:
                hint = "keep one, or let their numbers differ in the first six digits"
                yield Problem(path=(key, place), message=f"two arms are called {name}", hint=hint)
        for name in names:
            before = first.setdefault(name, place)
            if before != place:
                message = f"the arm {name} is in {key}[{before}] already"
                yield Problem(path=(key, place), message=message, hint="take it out of one of the two tables")
                break


def repeated_labels(tables: Sequence[Sequence[Arm] | None]) -> Iterator[Problem]:
    """No label is that of two arms of [[prune]]."""
    first: dict[str, int] = {}
    for place, arms in enumerate(tables):
        path: Path = ("prune", place, "label")
        alike = _alike([arm for arm in arms or () if arm.given])
        yield from (_of_several(path, label, group) for label, group in alike.items() if len(group) > 1)
        for label in dict.fromkeys(arm.label for arm in arms or ()):
            before = first.setdefault(label, place)
            if before != place and any(arm.given for table in (tables[before], arms) for arm in table or ()):
                given = path if any(arm.given for arm in arms or ()) else ("prune", before, "label")
                message = f"{shown(label)} is what an arm of prune[{before if given == path else place}] is called"
                yield Problem(path=given, message=message, hint="give each arm a label that no other has")
                break


def _alike(arms: Sequence[Arm]) -> dict[str, list[Arm]]:
    """The different arms of each label; those of one ablation are enough."""
    groups: dict[str, list[Arm]] = {}
    for arm in arms:
        if arm not in groups.setdefault(arm.label, []):
            groups[arm.label].append(arm)
    return groups


def _of_several(path: Path, label: str, arms: Sequence[Arm]) -> Problem:
    more = f" and {len(arms) - LISTED} more" if len(arms) > LISTED else ""
    names = "; ".join(arm.described for arm in arms[:LISTED])
    apart = [name for name in PLACEHOLDERS if len({arm.cell(name) for arm in arms}) > 1]
    return Problem(
        path=path,
        message=f"{shown(label)} is the label of {len(arms)} arms: {names}{more}",
        hint=f"add what they differ in: {', '.join('{' + name + '}' for name in apart)}",
    )
