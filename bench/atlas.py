"""The table of an atlas as it is shipped, from a table that `prunectl run` has written.

    prunectl run atlas-digits
    python bench/atlas.py results/atlas-digits/table.csv > src/prunectl/results/published/data/atlas-digits.csv

`results/published/index.py` names the machine that the trials were made on, and docs/criteria.md the time they took.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from prunectl.results.published.own import publishable
from prunectl.results.table_files import read_table


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="The table of an atlas as it is shipped.")
    parser.add_argument("table", type=Path, help="table.csv of a run that is complete")
    print(publishable(read_table(parser.parse_args().table)).write_csv(), end="")


if __name__ == "__main__":
    main()
