"""Cells read back: of results files and published tables, which may name what this prunectl does not have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from prunectl.base.cells import parsed
from prunectl.base.errors import PrunectlError
from prunectl.catalog import lookup
from prunectl.catalog.criterion import Unpruned
from prunectl.catalog.entry import Entry
from prunectl.catalog.retraining import Retraining
from prunectl.catalog.section import tupled
from prunectl.catalog.values import At, Budget, Initialization
from prunectl.study.arms import agrees

CATALOG_OF = {
    "model": "models",
    "dataset": "datasets",
    "criterion": "criteria",
    "scope": "scopes",
    "structure": "structures",
    "rounds": "rounds",
    "ablation": "ablations",
    "retrain": "retrainings",
}
"""Column → the catalogue that its cells name entries of."""
_OTHERS: Mapping[str, TypeAdapter[Any]] = {
    "at": TypeAdapter(At),
    "budget": TypeAdapter(Budget),
    "init": TypeAdapter(Initialization),
}


def choices(cells: Mapping[str, str | None]) -> dict[str, Any]:
    """What a row's cells mean, by column: the inverse of `Arm.columns`, and of the columns model and dataset.

    A choice that this prunectl cannot make (an unknown entry or parameter) stays a name or a table. Nothing that a
    cell names is imported but entries of the catalogues.
    """
    values = {column: None if text is None else _choice(column, text) for column, text in cells.items()}
    retrain = values.get("retrain")
    if isinstance(retrain, Retraining):
        values["retrain"], values["budget"] = retrain.settled(values.get("budget"))
    return values


def means(wanted: Mapping[str, str | None], values: Mapping[str, Any]) -> bool:
    """Whether choices are what a published row's cells ask for; a cell without a value asks for nothing.

    A name means every choice of parameters.
    """
    return all(agrees(parsed(cell), values[column]) for column, cell in wanted.items() if cell is not None)


def _choice(column: str, text: str) -> Any:
    plain = parsed(text)
    if column == "criterion" and plain == Unpruned.name:
        return Unpruned()
    try:
        if column in CATALOG_OF:
            return lookup.read_entry(CATALOG_OF[column], plain, Entry)
        return _OTHERS[column].validate_python(tupled(plain)) if column in _OTHERS else plain
    except (PrunectlError, ValidationError, TypeError, ValueError):
        return plain
