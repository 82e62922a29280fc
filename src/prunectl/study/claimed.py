"""Whether the claims of a study mean something: both selectors some of its arms, and sparsities of its sweep."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from prunectl.base.errors import Problem, path_text
from prunectl.base.text import did_you_mean
from prunectl.catalog.criterion import Unpruned
from prunectl.catalog.entry import Entry
from prunectl.catalog.problems import unknown
from prunectl.catalog.wording import listing, shown
from prunectl.catalog.written_keys import written_keys
from prunectl.study.arms import COLUMNS, Arm, agrees
from prunectl.study.schema import Claim, SweepSection

SAME_SPARSITY = 1e-4
"""Two sparsities nearer than this are meant to be the same (0.488 for 1 − 0.8³)."""

SHOWN = 20
"""Most values that a message lists."""


class Index:
    """The arms of a study by what they chose: sets of arms are bits of whole numbers.

    A study may have 20,000 arms and 500 claims: a selector is compared with each distinct choice, not with each arm.
    """

    def __init__(self, arms: Sequence[Arm]) -> None:
        self._all = (1 << len(arms)) - 1
        self._choices = {column: _by_cell(arms, column) for column in COLUMNS}
        self._meant: dict[tuple[str, str], int] = {}

    def cells(self, column: str) -> list[str]:
        """The distinct choices of a column, as the study file writes them, in its order."""
        return [cell for cell in self._choices[column] if cell is not None]

    def choices(self, column: str) -> list[Any]:
        """The distinct choices of a column."""
        return [value for value, _ in self._choices[column].values()]

    def meant(self, selector: Mapping[str, Any]) -> bool:
        """Whether a selector means an arm."""
        left = self._all
        for column, wanted in selector.items():
            left &= self._having(column, wanted)
        return left != 0

    def _having(self, column: str, wanted: Any) -> int:
        key = (column, repr(wanted))
        if key not in self._meant:
            chosen = self._choices[column].values()
            self._meant[key] = sum(arms for value, arms in chosen if agrees(wanted, value))
        return self._meant[key]


def _by_cell(arms: Sequence[Arm], column: str) -> dict[str | None, tuple[Any, int]]:
    """For each distinct choice of a column, by its cell, the choice and the arms that have it."""
    places: dict[str | None, list[int]] = {}
    for place, arm in enumerate(arms):
        places.setdefault(arm.cell(column), []).append(place)
    return {cell: (getattr(arms[having[0]], column), _bits(having, len(arms))) for cell, having in places.items()}


def _bits(places: Sequence[int], count: int) -> int:
    held = bytearray(count // 8 + 1)
    for place in places:
        held[place >> 3] |= 1 << (place & 7)
    return int.from_bytes(held, "little")


def margin(claim: Claim) -> Iterator[Problem]:
    """A margin is no larger than differences in the metric can be."""
    metric, unit = claim.metric, claim.metric.differences()
    if abs(claim.margin) > unit.largest:
        message = f"must be a number, at least {-unit.largest:g} and at most {unit.largest:g}, not {claim.margin:g}"
        meant = f"{claim.margin / unit.factor:g} for {claim.margin:g} {unit.name}"
        hint = f"{metric.title} is a {metric.unit}: write {meant}"
        yield Problem(path=("margin",), message=message, hint=hint)


def selectors_of(claim: Claim) -> dict[str, Mapping[str, Any]]:
    """The selectors of a claim by its sides; `than = "dense"` selects no arm."""
    return {"better": claim.better} | ({} if isinstance(claim.than, str) else {"than": claim.than})


def swept(claim: Claim) -> Iterator[Problem]:
    """A claim about a number of the whole sweep names no sparsities of it, and no control, which has no sweep."""
    if not claim.metric.swept:
        return
    if claim.at_sparsity is not None:
        message = f"{claim.metric.title} is a number of the whole sweep, not of some of its sparsities"
        yield Problem(path=("at_sparsity",), message=message, hint="leave at_sparsity out")
    if isinstance(claim.than, str):
        message = f"{claim.metric.title} is that up to which an arm matches the dense network, which has none itself"
        yield Problem(path=("than",), message=message, hint='name an arm, or claim top1 with than = "dense"')
    for side, selector in selectors_of(claim).items():
        if selector.get("criterion") == Unpruned.name:
            message = f"a dense network that is retrained has no {claim.metric.title}"
            yield Problem(path=(side, "criterion"), message=message, hint="name a criterion that prunes")


def claimed(claim: Claim, arms: Index, sweep: SweepSection | None) -> Iterator[Problem]:
    """Both selectors of a claim mean arms of the study, and its sparsities are the study's."""
    for side, selector in selectors_of(claim).items():
        alone = [key for key in selector if not arms.meant({key: selector[key]})]
        for key in alone:
            misspelt = [problem.under((side, key)) for problem in misspelt_keys(selector[key], arms.choices(key))]
            yield from misspelt or [_unknown((side, key), selector[key], arms.cells(key))]
        if not alone and not arms.meant(selector):
            both = " and ".join(f"{key} = {_wanted(value)}" for key, value in selector.items())
            yield Problem(path=(side,), message=f"no arm of the study has {both} together")
    for place, sparsity in enumerate(claim.at_sparsity or ()):
        asked = sweep.asked if sweep is not None else (sparsity,)
        if not any(math.isclose(sparsity, each, abs_tol=SAME_SPARSITY, rel_tol=0) for each in asked):
            message = f"{sparsity} is no sparsity of the sweep: {', '.join(f'{each:.4g}' for each in asked)}"
            yield Problem(path=("at_sparsity", place), message=message)


def misspelt_keys(wanted: object, choices: Sequence[Any]) -> Iterator[Problem]:
    """The keys of a table in a selector that none of the choices has as a parameter, at any depth."""
    if not isinstance(wanted, Mapping):
        return
    tables = [each for each in choices if isinstance(each, BaseModel) and _named(each, wanted.get("name"))]
    known = list(dict.fromkeys(key for each in tables for key in _keys(each)))
    for key, value in wanted.items() if known else ():
        if key not in known:
            yield unknown((key,), known)
            continue
        inner = [getattr(each, names[key]) for each in tables if key in (names := written_keys(type(each)))]
        yield from (problem.under((key,)) for problem in misspelt_keys(value, inner))


def _named(choice: BaseModel, name: object) -> bool:
    return name is None or (isinstance(choice, Entry) and choice.name == name)


def _keys(choice: BaseModel) -> list[str]:
    return [*(["name"] if isinstance(choice, Entry) else []), *written_keys(type(choice))]


def _unknown(path: tuple[str, str], wanted: object, cells: Sequence[str]) -> Problem:
    """A choice that no arm has, with those that arms have and the nearest of them."""
    more = ", ..." if len(cells) > SHOWN else ""
    others = f"; they have {listing(cells[:SHOWN])}{more}" if cells else ""
    hint = did_you_mean(wanted, cells) if isinstance(wanted, str) else None
    return Problem(path=path, message=f"no arm of the study has {path[1]} = {_wanted(wanted)}{others}", hint=hint)


def _wanted(value: object) -> str:
    if isinstance(value, dict) and len(value) <= 3:
        return "{ " + ", ".join(f"{path_text((key,))} = {shown(item)}" for key, item in value.items()) + " }"
    return shown(value)
