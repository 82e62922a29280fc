"""Which rows of the table a claim's selector means."""

from __future__ import annotations

import ast
import functools
import operator
from collections.abc import Mapping
from typing import Any

import polars as pl

from prunectl.base.errors import PrunectlError
from prunectl.catalog.table import tupled
from prunectl.catalog.tables import entry_type
from prunectl.study.arms import RETRAINING, TIMED
from prunectl.study.labels import parts

TOLD_BY = dict.fromkeys(RETRAINING, "retrain")
"""What a selector asks for that the label of another column tells."""

CATALOGS = {
    "criterion": "criteria",
    "scope": "scopes",
    "structure": "structures",
    "rounds": "rounds",
    "ablation": "ablations",
}


def select(trials: pl.DataFrame, selector: Mapping[str, Any]) -> pl.DataFrame:
    """The rows whose arm columns are what the selector asks for.

    A name means every choice of parameters (`snip` is `snip` and `snip(wrt=weight)`); a table means what it says.
    """
    tests = [
        pl.col(column).is_in([label for label in trials[column].unique().drop_nulls() if means(name, wanted, label)])
        for name, wanted in selector.items()
        for column in [TOLD_BY.get(name, name)]
    ]
    return trials.filter(functools.reduce(operator.and_, tests, pl.lit(True)))


def means(key: str, wanted: Any, label: str) -> bool:
    """Whether a label of the table is what a selector asks for under a key."""
    name, parameters = parts(label)
    if key == "rewind_to":
        return name == "weight-rewind" and "budget" not in parameters and _moment(parameters, wanted)
    if key == "budget":
        return name in TIMED and _lasts(name, parameters, wanted)
    if isinstance(wanted, str):
        return wanted in (label, name)
    if not isinstance(wanted, Mapping):
        return False
    if key == "at":
        moment, _, number = name.partition("=")
        return _moment({moment: number} if number else {}, wanted) and name != "end"
    asked = {key: value for key, value in wanted.items() if key != "name"}
    known = {**_defaults(key, name), **parameters}
    return bool(wanted.get("name", name) == name) and _alike(known, asked)


def _moment(known: Mapping[str, str], wanted: Any) -> bool:
    """Whether a moment of a label is the wanted one. The initialization is said by nothing; it is epoch 0, step 0."""
    if not isinstance(wanted, Mapping):
        return not known and wanted == "init"
    return _alike(known, wanted) or (not known and all(value == 0 for value in wanted.values()))


def _lasts(name: str, parameters: Mapping[str, str], wanted: Any) -> bool:
    """Whether a retraining lasts as long as wanted. Without a word of it, it is the whole recipe."""
    if "budget" not in parameters:
        return (name != "weight-rewind" or not parameters) and not isinstance(wanted, bool) and bool(wanted == 1)
    count, _, unit = parameters["budget"].partition(" ")
    if isinstance(wanted, Mapping):
        return dict(wanted) == {unit: int(count)} if unit else False
    return not unit and not isinstance(wanted, bool) and _is(count, wanted)


def _alike(known: Mapping[str, str], asked: Mapping[str, Any]) -> bool:
    """Whether every parameter that is asked for has its value in a label."""
    return all(key in known and _is(known[key], value) for key, value in asked.items())


def _is(text: str, value: Any) -> bool:
    """Whether a label's text is this value: 100.0 is 100, and a table is the same in any order."""
    if text in (str(value), f"{value:g}" if isinstance(value, float) else None):
        return True
    try:
        return bool(tupled(ast.literal_eval(text)) == tupled(value))
    except (ValueError, SyntaxError, TypeError):
        return False  # a word


def _defaults(column: str, name: str) -> dict[str, str]:
    """The defaults that a label leaves out; none for a method that is not in this prunectl."""
    try:
        entry = entry_type(CATALOGS[column], name).model_construct()
    except (KeyError, PrunectlError):
        return {}
    return {key: str(value) for key, value in entry.model_dump(mode="json").items()}
