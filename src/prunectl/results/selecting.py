"""Which rows of the table a claim's selector means."""

from __future__ import annotations

import functools
import operator
from collections.abc import Mapping
from typing import Any

import polars as pl

from prunectl.base.catalog import entry_type
from prunectl.base.errors import PrunectlError

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
        start = label == "init" and all(value == 0 for value in wanted.values())
        return start or label in {f"{key}={value}" for key, value in wanted.items()}
    asked = {key: value for key, value in wanted.items() if key not in ("name", "kind")}
    known = {**_defaults(column, name), **parameters}
    named = wanted.get("name", wanted.get("kind", name))
    return named == name and all(known.get(key) == str(value) for key, value in asked.items())


def parts(label: str) -> tuple[str, dict[str, str]]:
    """'snip(wrt=weight, n=1)' as ('snip', {'wrt': 'weight', 'n': '1'})."""
    name, _, inner = label.partition("(")
    pieces = [piece.partition("=") for piece in inner.removesuffix(")").split(", ") if "=" in piece]
    return name, {key: value for key, _, value in pieces}


def _defaults(column: str, name: str) -> dict[str, str]:
    """The defaults that a label leaves out; none for a method that is not in this prunectl."""
    try:
        fields = entry_type(CATALOGS[column], name).model_fields
    except (KeyError, PrunectlError):
        return {}
    return {key: str(field.default) for key, field in fields.items()}
