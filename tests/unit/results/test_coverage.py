"""How much of a study is done, and what is missing."""

from __future__ import annotations

import polars as pl

from prunectl.results import coverage
from unit.results.tabled import magnitude, table


def test_what_is_missing_is_listed_by_arm() -> None:
    trials = [table(0.5), table(None, status="failed"), magnitude(None, None, status="missing")]
    assert coverage.missing(pl.concat(trials)) == ("1 of 4 trials is done, 1 failed, 2 are missing: magnitude (2)")
    assert coverage.missing(table(0.5)) == ""


def test_of_many_arms_with_trials_missing_four_are_named() -> None:
    trials = pl.concat(table(None, arm=arm, status="missing") for arm in "abcdef")
    assert coverage.missing(trials).startswith("0 of 6 trials are done, 6 are missing: a (1), b (1), c (1), d (1)")
    assert coverage.missing(trials).endswith("2 more arms")
