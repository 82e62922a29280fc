"""The arms that a study asks for, as far as its file tells: how many, and which a claim means."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping
from typing import Any

from prunectl.catalog.entry import Entry
from prunectl.catalog.table import tupled
from prunectl.catalog.values import Length, Moment
from prunectl.study.labels import Labels, Way
from prunectl.study.schema import PruneSection

LISTS = ("criterion", "at", "scope", "structure", "rounds", "ablation", "retrain")
"""The keys of [[prune]] whose lists span the arms (and `rewind_to`, for the arms that rewind)."""

RETRAINING = ("retrain", "rewind_to", "budget")
"""The keys of [[prune]] that the column `retrain` tells of."""

TIMED = ("finetune", "weight-rewind", "lr-rewind")
"""The kinds of retraining that last as long as a budget says."""

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
            for own in [criterion.own_rounds().label()]
            for rounds in ([way.label() for way in section.rounds] if section.rounds else [own])
        ),
        tuple(labels.at(when, section) for when in section.at),
        tuple(scope.label() for scope in section.scope),
        tuple(structure.label() for structure in section.structure),
        tuple(ablation.label() for ablation in section.ablation),
        tuple(labels.retrain(kind, way, section) for kind in section.retrain for way in ways(section, kind)),
    )


def rewinds(section: PruneSection) -> bool:
    """Whether some arm of the table goes back to earlier weights."""
    return "weight-rewind" in section.retrain


def selects(selector: Mapping[str, Any], section: PruneSection) -> bool:
    """Whether some arm of a [[prune]] table is one that a claim's selector means."""
    wanted = {key: value for key, value in selector.items() if key not in ("criterion", "rounds", *RETRAINING)}
    if not all(any(matches(value, each) for each in values(section, key)) for key, value in wanted.items()):
        return False
    if not any(_retrained(selector, kind, way) for kind in section.retrain for way in ways(section, kind)):
        return False
    return any(
        ("criterion" not in selector or matches(selector["criterion"], criterion))
        and ("rounds" not in selector or any(matches(selector["rounds"], each) for each in rounds))
        for criterion in section.criterion
        for rounds in [section.rounds or (criterion.own_rounds(),)]
    )


def _retrained(selector: Mapping[str, Any], kind: str, way: Way) -> bool:
    """Whether a kind of retraining, done so, is what a selector asks for."""
    if "retrain" in selector and not matches(selector["retrain"], kind):
        return False
    if "rewind_to" in selector and not (isinstance(way, str | Moment) and matches(selector["rewind_to"], way)):
        return False
    return "budget" not in selector or (kind in TIMED and _lasts(selector["budget"], way))


def _lasts(wanted: Any, way: Way) -> bool:
    """Whether a retraining done so lasts as long as a selector asks; rewound to the start, it is the whole recipe."""
    if isinstance(way, Length):
        return matches(wanted, way)
    if isinstance(wanted, bool) or not isinstance(wanted, int | float):
        return False
    return bool(wanted == (1.0 if way in (None, "init") else way))


def values(section: PruneSection, key: str) -> tuple[Any, ...]:
    """What the arms of a table have for a key of selectors; rounds not given are those of the criteria."""
    if key == "rounds" and section.rounds is None:
        return tuple(criterion.own_rounds() for criterion in section.criterion)
    if key in ("rewind_to", "budget"):
        kinds = (str, Moment) if key == "rewind_to" else (float, Length)
        return tuple(way for kind in section.retrain for way in ways(section, kind) if isinstance(way, kinds))
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
    return ""


def names_of(sections: Iterable[PruneSection], key: str) -> list[str]:
    """What the arms of the tables have for a column, each once, as a selector asks for it."""
    return list(dict.fromkeys(_asked(value) for section in sections for value in values(section, key)))


def _asked(value: Any) -> str:
    if isinstance(value, Moment | Length):
        return as_table(value)
    return f"{value:g}" if isinstance(value, float) else name_of(value)


def as_table(value: Moment | Length) -> str:
    """A moment or a length as a study writes it: '{ epoch = 3 }'."""
    return "{ " + ", ".join(f"{key} = {number}" for key, number in value if number is not None) + " }"
