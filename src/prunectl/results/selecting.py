"""Which rows of the table a claim's selector means."""

from __future__ import annotations

import ast
import functools
import operator
from collections.abc import Mapping
from typing import Any

import polars as pl

from prunectl.base.catalog import entry_type
from prunectl.base.errors import PrunectlError
from prunectl.study.labels import parts
from prunectl.study.section import tupled

CATALOGS = {"criterion": "criteria", "scope": "scopes"}


def select(trials: pl.DataFrame, selector: Mapping[str, Any]) -> pl.DataFrame:
    """The rows whose arm columns are what the selector asks for.

    A name means every choice of parameters (`snip` is `snip` and `snip(wrt=weight)`); a table means what it says.
    """
    tests = [
        pl.col(name).is_in([label for label in trials[name].unique().drop_nulls() if means(name, wanted, label)])
        for name, wanted in selector.items()
    ]
    return trials.filter(functools.reduce(operator.and_, tests, pl.lit(True)))


def means(column: str, wanted: Any, label: str) -> bool:
    """Whether a label of the table is what the selector of its column asks for."""
    name, parameters = parts(label)
    if isinstance(wanted, str):
        return wanted in (label, name)
    if not isinstance(wanted, Mapping):
        return False
    if column == "at":
        moment, _, number = name.partition("=")
        return _alike({moment: number}, wanted) or (name == "init" and all(value == 0 for value in wanted.values()))
    asked = {key: value for key, value in wanted.items() if key not in ("name", "kind")}
    known = {**_defaults(column, name), **parameters}
    return bool(wanted.get("name", wanted.get("kind", name)) == name) and _alike(known, asked)


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
