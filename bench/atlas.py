"""The table of an atlas as it is shipped, and as docs/criteria.md has it.

    prunectl run atlas-digits
    python bench/atlas.py results/atlas-digits/table.csv > src/prunectl/results/published/data/atlas-digits.csv
    python bench/atlas.py atlas-digits

The first form takes a table that `prunectl run` has written, the second the name of a shipped one, which it prints in
Markdown: means of top-1 in percent, ± half of the 95 % t-interval. `results/published/index.py` names the machine that
the trials were made on, and docs/criteria.md the time they took.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from prunectl.base.cells import words
from prunectl.base.text import percent
from prunectl.results.pairing import groups
from prunectl.results.published.load import load
from prunectl.results.published.own import publishable
from prunectl.results.statistics import t_interval
from prunectl.results.table_files import read_table

UNMARKED = "weights"
"""The structure that rows do not name."""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", help="table.csv of a run that is complete, or the name of a shipped atlas")
    given = parser.parse_args().table
    if Path(given).is_file():
        print(publishable(read_table(Path(given))).write_csv(), end="")
    else:
        print("\n".join(markdown(load(given))))


def markdown(atlas: pl.DataFrame) -> Iterator[str]:
    """A row for each criterion, a column for each moment and sparsity; the best at the last one first."""
    arms = atlas.filter(pl.col("sparsity") > 0)
    columns = [(at, sparsity) for (at,), own in groups(arms, ["at"]) for sparsity in sorted(own["sparsity"].unique())]
    cells = {
        (name, structure): {(row["at"], row["sparsity"]): row for row in own.iter_rows(named=True)}
        for (name, structure), own in groups(arms, ["criterion", "structure"])
    }
    yield f"| criterion | {' | '.join(f'{at}, {percent(sparsity)}' for at, sparsity in columns)} |"
    yield f"|---|{'--:|' * len(columns)}"
    last = dict(columns)  # the last sparsity of each moment

    def rank(arm: tuple[str, str]) -> list[float]:
        return [-cells[arm][each]["top1"] if each in cells[arm] else 1.0 for each in last.items()]

    for name, structure in sorted(cells, key=rank):
        kind = "" if structure == UNMARKED else f", {structure}"
        shown = (_cell(cells[name, structure].get(column)) for column in columns)
        yield f"| `{words(name).split()[0]}`{kind} | {' | '.join(shown)} |"


def _cell(row: Mapping[str, Any] | None) -> str:
    """'97.63 ± 0.43'; equal runs have no interval."""
    if row is None:
        return ""
    interval = t_interval(row["runs"])
    spread = f" ± {50 * (interval.high - interval.low):.2f}" if interval else ""
    return f"{100 * row['top1']:.2f}{spread}"


if __name__ == "__main__":
    main()
