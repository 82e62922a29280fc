"""`prunectl compare`: two studies or results files, trial by trial."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from prunectl.cli import options
from prunectl.cli.console import answer, answer_json
from prunectl.cli.session import open_session

if TYPE_CHECKING:
    import polars as pl

PUBLISHED = "published:"
Side = Annotated[str, typer.Argument(metavar="A", help="A study file, or a results file (csv, json, parquet).")]


def compare(
    a: Side,
    b: Annotated[str, typer.Argument(metavar="B", help="What to compare it with: the same, or published:NAME.")],
    set_: options.Set = [],  # noqa: B006  # typer reads it, nothing writes to it
    store: options.Store = None,
    data: options.Data = None,
    json_: options.Json = False,
) -> None:
    """Pair the trials of two studies or results files by arm, sparsity and seed, and show the differences.

    B may be published:NAME, a table that comes with prunectl: then each published number stands beside ours.
    """
    import shutil

    if b.startswith(PUBLISHED):
        _beside(side(a, set_, store, data)[0], b.removeprefix(PUBLISHED), json_)
        return
    from prunectl.results.compare import compare as pair
    from prunectl.results.compare import lines

    (table_a, keys_a), (table_b, keys_b) = (side(name, set_, store, data) for name in (a, b))
    found = pair(table_a, table_b, names=(a, b), keys=(keys_a, keys_b))
    if json_:
        answer_json(found.to_dict())
    else:
        for line in lines(found, shutil.get_terminal_size().columns):
            answer(line)


def _beside(trials: pl.DataFrame, name: str, json_: bool) -> None:
    from prunectl.results.published.beside import beside
    from prunectl.results.published.index import describe

    about, rows = describe(name), beside(trials, name).to_dicts()
    if json_:
        answer_json({"published": name, "source": about.source, "warning": about.warning, "rows": rows})
        return
    answer(f"{about.title}. {about.source}")
    if about.warning:
        answer(f"mind: {about.warning}")
    answer("")
    width = max((len(row["arm"]) for row in rows), default=3)
    head = f"{'arm':<{width}}  {'sparsity':>8}  {'published':>9}  {'ours':>7}  {'difference':>10}  {'seeds':>5}"
    answer(f"{head}  95 % interval")
    for row in rows:
        ours = "-" if row["ours"] is None else f"{row['ours']:.2%}"
        difference = "-" if row["difference"] is None else f"{100 * row['difference']:+.2f}"
        interval = "-" if row["low"] is None else f"{row['low']:.2%} to {row['high']:.2%}"
        within = {None: "", True: ", holds the published", False: ", does not hold it"}[row["within"]]
        answer(
            f"{row['arm']:<{width}}  {row['sparsity']:>8.4f}  {row['published']:>9.2%}  {ours:>7}  {difference:>10}  "
            f"{row['n']:>5}  {interval}{within}"
        )


def side(name: str, overrides: list[str], store: Path | None, data: Path | None) -> tuple[pl.DataFrame, dict[str, Any]]:
    """A table, and the study's keys if it comes from a study file."""
    from prunectl.results.files import read_table
    from prunectl.results.gather import table

    path = Path(name)
    if path.suffix != ".toml":
        return read_table(path), {}
    session = open_session(path, overrides=overrides, store=store, data=data)
    return table(session.study, session.plan, session.store), session.study.model_dump(mode="json")
