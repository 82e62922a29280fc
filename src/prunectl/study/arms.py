"""The arms that a study asks for, as far as its file tells: how many, and which a claim means."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping
from typing import Any

from prunectl.base.entry import Entry
from prunectl.study.labels import Labels, Way, rounds_label
from prunectl.study.schema import PruneSection
from prunectl.study.section import tupled
from prunectl.study.values import Moment

LISTS = ("criterion", "at", "scope", "structure", "rounds", "ablation", "retrain")
"""The keys of [[prune]] whose lists span the arms (and `rewind_to`, for the arms that rewind)."""

Spanned = tuple[tuple[Hashable, ...], ...]
"""What the arms of a table are called, a list for each choice: the arms are the product of the lists."""


def number_of_arms(section: PruneSection) -> int:
    """How many arms one [[prune]] table spans."""
    retrainings = sum(len(ways(section, kind)) for kind in section.retrain)
    others = [len(getattr(section, key) or (None,)) for key in LISTS if key != "retrain"]
    return math.prod(others) * retrainings


def ways(section: PruneSection, kind: str) -> tuple[Way, ...]:
    """How one kind of retraining is done in a table: to each moment, or with each budget; a single None for neither."""
    if kind in ("none", "recalibrate"):
        return (None,)
    if kind == "weight-rewind" and section.budget is None:
        return section.rewind_to
    return section.budget or (None,)


def spanned(section: PruneSection, labels: Labels) -> Spanned:
    """What the arms of a table are called. A criterion stands with its rounds; those that are its own are not said."""
    return (
        tuple(
            (criterion.label(), "" if rounds == own else rounds)
            for criterion in section.criterion
            for own in [rounds_label(getattr(criterion, "rounds", None))]
            for rounds in (map(rounds_label, section.rounds) if section.rounds else [own])
        ),
        tuple(labels.at(when, section) for when in section.at),
        tuple(scope.label() for scope in section.scope),
        section.structure,
        section.ablation,
        tuple(labels.retrain(kind, way, section) for kind in section.retrain for way in ways(section, kind)),
    )


def rewinds(section: PruneSection) -> bool:
    """Whether some arm of the table goes back to earlier weights."""
    return "weight-rewind" in section.retrain


def selects(selector: Mapping[str, Any], section: PruneSection) -> bool:
    """Whether some arm of a [[prune]] table is one that a claim's selector means."""
    wanted = {key: value for key, value in selector.items() if key not in ("criterion", "rounds")}
    if not all(any(matches(value, each) for each in values(section, key)) for key, value in wanted.items()):
        return False
    return any(
        ("criterion" not in selector or matches(selector["criterion"], criterion))
        and ("rounds" not in selector or any(matches(selector["rounds"], each) for each in rounds))
        for criterion in section.criterion
        for rounds in [section.rounds or (getattr(criterion, "rounds", None),)]
    )


def values(section: PruneSection, key: str) -> tuple[Any, ...]:
    """What the arms of a table have for a column; rounds not given are those of the criteria."""
    if key == "rounds" and section.rounds is None:
        return tuple(getattr(criterion, "rounds", None) for criterion in section.criterion)
    found: tuple[Any, ...] = getattr(section, key)
    return found


def matches(wanted: Any, value: Any) -> bool:
    """Whether a value of an arm is what a selector asks for: a name, or a table of what has to be equal."""
    if isinstance(wanted, str):
        return wanted == name_of(value)
    if not isinstance(wanted, dict):
        return False
    if isinstance(value, Entry):
        wanted = dict(wanted)
        if "name" in wanted and wanted.pop("name") != value.name:
            return False
    elif isinstance(value, str):
        return value == "init" and wanted in ({"epoch": 0}, {"step": 0})
    return all(_has(value, key, item) for key, item in wanted.items())


def _has(value: Any, key: str, item: Any) -> bool:
    if isinstance(value, Entry):
        there = value.model_dump().get(key)  # as a study writes it
    else:
        there = getattr(value, key, None) if not key.startswith("_") else None
    return there is not None and bool(tupled(there) == tupled(item))


def name_of(value: Any) -> str:
    """What a value of an arm is called in a selector; empty for a moment, which needs a table."""
    if isinstance(value, str):
        return value
    if isinstance(value, Entry):
        return value.name
    return "" if isinstance(value, Moment) else str(getattr(value, "kind", ""))


def names_of(sections: Iterable[PruneSection], key: str) -> list[str]:
    """The names that the arms of the tables have for a column, each once."""
    every = [name_of(value) for section in sections for value in values(section, key)]
    return [name for name in dict.fromkeys(every) if name]
