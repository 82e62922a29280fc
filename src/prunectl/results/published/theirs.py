"""Published numbers that are not shipped: a CSV file with the columns of those that are. No polars here."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from prunectl.base.cells import parsed
from prunectl.base.errors import PrunectlError
from prunectl.base.text import did_you_mean, visible
from prunectl.catalog.wording import listing

FILE = "file:"
"""How the name of a table begins that is a file: `[published] tables = ["file:theirs.csv"]`."""

TEXTS = (
    "model", "dataset", "criterion", "scope", "structure", "at", "rounds", "init", "ablation", "retrain", "budget",
    "note",
)  # fmt: skip
FRACTIONS = ("sparsity", "top1", "top5", "median", "sd", "min", "max", "validation")
COUNTS = ("n", "n_params", "n_prunable")
TIMES = ("retrain_epochs", "train_s")
NEEDED = ("criterion", "sparsity", "top1")
OF = ("prunable", "all")
COLUMNS = (*TEXTS, *FRACTIONS, "sparsity_of", "runs", *COUNTS, *TIMES)
"""What such a file may have. An empty cell is a value that was not published; no criterion: a dense network."""


def read(name: str, folder: Path | None = None) -> list[dict[str, Any]]:
    """The rows of the file that a name refers to; its path begins in `folder`, or in the current directory.

    Raises PrunectlError, with the line, for what is no such table.
    """
    path = (folder or Path()) / Path(name.removeprefix(FILE)).expanduser()
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        hint = "published numbers are a CSV file; its path is from the study file, or from here on the command line"
        raise PrunectlError(f"{visible(str(path))} cannot be read: {reason}", hint=hint) from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        heads = [head.strip() for head in next(reader, [])]
        _check_heads(heads, path)
        return [_row(heads, cells, f"{visible(str(path))}:{reader.line_num}") for cells in reader if any(cells)]
    except csv.Error as error:
        raise PrunectlError(f"{visible(str(path))}:{reader.line_num}: {error}") from error


def _check_heads(heads: list[str], path: Path) -> None:
    where = f"{visible(str(path))}:1"
    for place, head in enumerate(heads):
        if head not in COLUMNS:
            hint = did_you_mean(head, COLUMNS, "{}") or f"there are {', '.join(COLUMNS)}"
            raise PrunectlError(f"{where}: no column {visible(head)!r} in tables of published numbers", hint=hint)
        if head in heads[:place]:
            raise PrunectlError(f"{where}: two columns are called {head}", hint="keep one")
    if missing := [name for name in NEEDED if name not in heads]:
        hint = "a table has a row for each number; a dense network has no criterion"
        raise PrunectlError(f"{where}: no column {' and no column '.join(missing)}", hint=hint)


def _row(heads: list[str], cells: list[str], where: str) -> dict[str, Any]:
    if len(cells) != len(heads):
        raise PrunectlError(f"{where}: {len(cells)} values for {len(heads)} columns", hint="quote texts with commas")
    row: dict[str, Any] = {}
    for head, cell in zip(heads, cells, strict=True):
        text = cell.strip()
        try:
            row[head] = _reader(head)(text) if text else None
        except ValueError as error:
            raise PrunectlError(f"{where}: {head}: {error}") from error
    if row["sparsity"] is None:
        raise PrunectlError(f"{where}: sparsity is missing", hint="0 for a dense network")
    return row | {"ablation": row.get("ablation") or "none"}


def _reader(head: str) -> Callable[[str], Any]:
    if head in FRACTIONS:
        return _fraction
    if head in COUNTS:
        return _count
    if head in TIMES:
        return _number
    special: Mapping[str, Callable[[str], Any]] = {"runs": _runs, "sparsity_of": _of, "note": str}
    return special.get(head, _choice)


def _choice(text: str) -> str:
    parsed(text)
    return text


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"must be a finite number, not {text}")
    return value


def _fraction(text: str) -> float:
    try:
        value = _number(text)
    except ValueError:
        raise ValueError(f"must be a fraction from 0 to 1, not {visible(text)!r}") from None
    if not 0 <= value <= 1:
        raise ValueError(f"must be a fraction from 0 to 1, not {text}; 92.3 % is 0.923")
    return value


def _count(text: str) -> int:
    if not text.isdecimal():
        raise ValueError(f"must be a whole number, not {visible(text)!r}")
    return int(text)


def _runs(text: str) -> list[float]:
    return [_fraction(part) for part in text.split(";")]


def _of(text: str) -> str:
    if text not in OF:
        raise ValueError(f"must be {listing(OF)}, not {visible(text)!r}")
    return text
