"""Cells of the column `ablation` in words, as the entries of the catalogue give them."""

from __future__ import annotations

from collections.abc import Iterable

from prunectl.base.cells import parsed
from prunectl.base.errors import PrunectlError
from prunectl.catalog.ablation import Ablation
from prunectl.catalog.lookup import entry_type, names


def noun(cell: str) -> str:
    """'shuffling'; an ablation that this prunectl does not have is called by its name."""
    kind = _kind(cell)
    return f"the ablation {cell}" if kind is None else kind.noun


def verb(cell: str) -> str:
    """'shuffled'; an ablation that this prunectl does not have is called by its name."""
    kind = _kind(cell)
    return cell if kind is None else kind.verb


def ordered(cells: Iterable[str]) -> list[str]:
    """Different cells in the order of the catalogue, those that it does not have last."""
    known = names("ablations")
    return sorted(set(cells), key=lambda cell: (known.index(_name(cell)) if _name(cell) in known else len(known), cell))


def _kind(cell: str) -> type[Ablation] | None:
    try:
        return entry_type("ablations", _name(cell), Ablation)
    except PrunectlError:
        return None


def _name(cell: str) -> str:
    """The name in a cell: a word, a label with parameters, or a table of TOML."""
    try:
        value = parsed(cell)
    except ValueError:
        return cell
    return str(value.get("name", cell)) if isinstance(value, dict) else cell.partition("(")[0]
