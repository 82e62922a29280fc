"""Published results, shipped to hold studies against: transcribed, never estimated.

Every table is a CSV file in `data/` with columns of `SCHEMA` (those that it has no values for are left out), in the
words of our own results table and with every accuracy and sparsity as a fraction; `index.py` lists where each is
from and what to mind. Nothing here is corrected: a number that cannot be right is kept, and has a `note`.
"""

from __future__ import annotations

from prunectl.results.published.against import compared
from prunectl.results.published.index import Description, describe, names
from prunectl.results.published.load import load, rows_about

__all__ = ["Description", "compared", "describe", "load", "names", "rows_about"]
