"""Trials of ours in the form of published numbers."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from prunectl.base.errors import PrunectlError
from prunectl.results.published.load import load
from prunectl.results.published.own import publishable
from unit.results.tabled import magnitude, table


def trials() -> pl.DataFrame:
    """Two arms at a sparsity and the dense network, which is in the table of each of them."""
    dense = [made(0.98, 0.97, 0.99, sparsity=0.0) for made in (table, magnitude)]
    return pl.concat([*dense, table(0.9, 0.8, 0.94), magnitude(0.5, 0.7, 0.6)])


def test_arms_are_rows_with_the_number_of_each_seed(tmp_path: Path) -> None:
    (tmp_path / "ours.csv").write_text(publishable(trials().reverse()).write_csv())
    found = load(f"file:{tmp_path / 'ours.csv'}").sort("criterion", nulls_last=False)
    assert found["criterion"].to_list() == [None, "magnitude", "snip"]
    assert found["top1"].to_list() == pytest.approx([0.98, 0.6, 0.88])
    assert found["runs"].to_list() == [[0.98, 0.97, 0.99], [0.5, 0.7, 0.6], [0.9, 0.8, 0.94]]
    assert found["n"].to_list() == [3, 3, 3] and found["min"].to_list() == [0.97, 0.5, 0.8]
    assert found["sd"].to_list() == pytest.approx([0.01, 0.1, 0.072111])


def test_a_table_that_is_not_complete_is_refused() -> None:
    half = trials().with_columns(status=pl.when(pl.col("top1") == 0.7).then(pl.lit("missing")).otherwise("status"))
    with pytest.raises(PrunectlError, match="1 trial not done"):
        publishable(half)
    with pytest.raises(PrunectlError, match="different numbers of seeds"):
        publishable(trials().filter(pl.col("top1") != 0.7))
