"""The table as a file and back: CSV, JSON and Parquet hold the same columns, types and values.

In CSV a list of layers is one text, joined by ';', and a text is written as it is: a cell that begins with = or +
is not altered, since a table read by a program must hold what was measured. Its texts are names out of catalogues
and reasons of failures, not anybody's input; whoever opens a stranger's CSV in a spreadsheet imports it as text.
In JSON a number that JSON cannot hold is the text "inf", "-inf" or "nan".
"""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from prunectl.base.errors import PrunectlError, nearest
from prunectl.base.text import and_list, finite
from prunectl.results.foreign import checked, whole
from prunectl.results.parquet import read_parquet
from prunectl.results.table import SCHEMA, Results

NOT_FINITE = {"inf": math.inf, "-inf": -math.inf, "nan": math.nan}
LIST = "layers_collapsed"
NEEDED = ("criterion", "ablation", "seed", "sparsity", "top1")
"""What a table has to have to be of any use; the other columns may be missing and are null then."""


def to_csv(trials: pl.DataFrame) -> str:
    """The table as CSV: one header line, `\\n` between rows, nothing for null."""
    return trials.with_columns(pl.col(LIST).list.join(";")).write_csv()


def to_json(trials: pl.DataFrame) -> str:
    """The table as a JSON list with an object per trial, one on a line."""
    rows = [json.dumps(finite(row, str), ensure_ascii=False, allow_nan=False) for row in trials.iter_rows(named=True)]
    return "[\n" + ",\n".join(rows) + "\n]\n"


def to_parquet(trials: pl.DataFrame) -> bytes:
    """The table as Parquet."""
    buffer = io.BytesIO()
    trials.write_parquet(buffer)
    return buffer.getvalue()


def curves(results: Results) -> pl.DataFrame:
    """The training curves of every trial that was trained: a row for each evaluation, with the trial's columns before.

    Trials of one training, as those of sparsity 0, have one curve each.
    """
    trained = results.trials.filter(pl.col("artefact").is_not_null())
    names = trained.select("study", "arm", "sparsity", "seed", "artefact")
    return names.join(results.curves, on="artefact", how="inner", maintain_order="left_right")


def read_table(path: Path) -> pl.DataFrame:
    """A table out of a results file, with exactly the columns and types of SCHEMA.

    Raises PrunectlError for a file that does not exist, cannot be read, is not such a table, or holds values that no
    trial has.
    """
    readers: dict[str, Callable[[bytes], pl.DataFrame]] = {
        ".csv": _from_csv, ".json": _from_json, ".parquet": read_parquet,
    }  # fmt: skip
    reader = _by_suffix(path, readers)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise PrunectlError(
            f"{path} cannot be read: {error.strerror or error}", hint="give a study file or a results file"
        ) from error
    try:
        return checked(_as_schema(whole(reader(content)), path), path)
    except (pl.exceptions.PolarsError, ValueError, TypeError, OverflowError, RecursionError) as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise PrunectlError(
            f"{path} is not a table of results: {first[:200]}",
            hint="`prunectl report STUDY --format csv` writes one",
        ) from error


def _by_suffix(path: Path, choices: dict[str, Any]) -> Any:
    suffix = path.suffix.lower()
    if suffix in choices:
        return choices[suffix]
    close = nearest(suffix, choices)
    raise PrunectlError(
        f"{path} does not end in {', '.join(choices)}", hint=f"did you mean {path.stem}{close}?" if close else None
    )


def _from_csv(content: bytes) -> pl.DataFrame:
    text = pl.read_csv(io.BytesIO(content), infer_schema=False)
    if LIST not in text.columns:
        return text
    # An empty text is an empty list, nothing at all is null.
    return text.with_columns(pl.col(LIST).str.split(";").list.eval(pl.element().filter(pl.element() != "")))


def _from_json(content: bytes) -> pl.DataFrame:
    rows = json.loads(content)
    if isinstance(rows, dict):  # a whole report: results/document.py
        rows = rows.get("trials")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError("it is not a list of trials")
    floats = {name for name, kind in SCHEMA.items() if kind == pl.Float64}
    known: list[dict[str, Any]] = [
        {
            name: NOT_FINITE.get(value, value) if name in floats and isinstance(value, str) else value
            for name, value in row.items()
            if name in SCHEMA
        }
        for row in rows
    ]
    present = {name: kind for name, kind in SCHEMA.items() if not known or any(name in row for row in known)}
    return pl.DataFrame(known, schema=present, strict=False) if known else pl.DataFrame(schema=SCHEMA)


def _as_schema(frame: pl.DataFrame, path: Path) -> pl.DataFrame:
    missing = [name for name in NEEDED if name not in frame.columns]
    if missing:
        raise PrunectlError(
            f"{path} has no column {and_list(missing)}", hint="a table of results has a row for each trial"
        )
    columns = [
        pl.col(name).cast(kind) if name in frame.columns else pl.lit(None, kind).alias(name)
        for name, kind in SCHEMA.items()
    ]
    return frame.select(columns)
