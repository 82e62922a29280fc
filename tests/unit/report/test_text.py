"""The report on a terminal."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

import made_up
from prunectl.report import text
from prunectl.results.table import SCHEMA, Results

LEVELS = made_up.STUDY.replace(
    "sparsities = [0.0, 0.3, 0.6, 0.9, 0.98]", "levels = { rate = 0.2, count = 18 }"
).replace("at_sparsity = 0.98\n", "")


@pytest.fixture(scope="module")
def results() -> Results:
    return made_up.results(seeds=2)


@pytest.mark.parametrize("width", [60, 80, 100, 200])
@pytest.mark.parametrize("study", [made_up.STUDY, LEVELS])
def test_it_fits(study: str, width: int) -> None:
    found = text.table(made_up.results(study, seeds=2), width)
    assert [line for line in found.splitlines() if len(line) > width] == []


def test_the_table_has_every_arm_and_the_plain_truth(results: Results) -> None:
    found = text.table(results, 120)
    for arm in results.trials["arm"].unique():
        assert arm in found
    mean = results.trials.filter((pl.col("arm") == "snip · at init") & (pl.col("sparsity") == 0.9))["top1"].to_list()
    assert f"{sum(mean) / 2 * 100:.2f}" in found
    assert "2 trials failed: the loss is not finite at step 12" in found
    assert "✗ refuted: Inverting does no harm" in found


def test_control_characters_do_not_come_from_here(results: Results) -> None:
    assert all(char == "\n" or char.isprintable() for char in text.table(results, 80))


def test_nothing_to_tell(results: Results) -> None:
    assert text.table(replace(results, trials=pl.DataFrame(schema=SCHEMA)), 80) == "The study asks for no trial."
    missing = results.trials.with_columns(
        pl.lit(None, pl.Float64).alias("top1"), pl.lit(None, pl.Float64).alias("top1_dense"),
        pl.lit("missing").alias("status"), pl.lit(None, pl.String).alias("reason"),
    )  # fmt: skip
    assert "180 trials missing" in text.table(replace(results, trials=missing), 80)
