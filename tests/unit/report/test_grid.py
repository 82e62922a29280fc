"""Arms by sparsity: means or medians, their intervals, the dense network, what is missing."""

from __future__ import annotations

import polars as pl
import pytest

from prunectl.report.grid import Row, arms_by_sparsity
from prunectl.results.summary import sentences
from prunectl.results.table import SCHEMA
from unit.report import small

TRIALS = small.swept()


def row(trials: pl.DataFrame, arm: str) -> Row:
    return next(row for row in arms_by_sparsity(trials).rows if row.arm == arm)


def test_the_grid_has_a_row_per_arm_and_a_column_per_sparsity_but_0() -> None:
    grid = arms_by_sparsity(TRIALS)
    assert [row.arm for row in grid.rows] == ["magnitude · at init", "snip · at init"]
    assert grid.heads == ("50 %", "90 %")
    assert [[cell.text for cell in row.cells] for row in grid.rows] == [["85.20", "81.20"], ["84.20", "80.20"]]
    assert grid.seeds == 3


def test_the_highest_of_each_column_is_marked() -> None:
    better = TRIALS.with_columns(
        top1=pl.when((pl.col("criterion") == "snip") & (pl.col("sparsity") == 0.9)).then(0.89).otherwise("top1")
    )
    marks = {row.arm.split()[0]: [cell.best for cell in row.cells] for row in arms_by_sparsity(better).rows}
    assert marks == {"magnitude": [True, False], "snip": [False, True]}


def test_cells_have_interval_and_change_to_the_dense_network() -> None:
    cell = row(TRIALS, "snip · at init").cells[1]
    assert cell.center == pytest.approx(0.802)
    assert cell.spread == "80.13 to 80.27"
    assert cell.with_spread == "80.20 (80.13 to 80.27)"
    assert cell.change == "−9.80"


def test_one_seed_has_no_interval() -> None:
    cell = row(TRIALS.filter(pl.col("seed") == 1), "snip · at init").cells[0]
    assert (cell.spread, cell.with_spread) == ("", cell.text)


def test_medians_are_medians() -> None:
    trials = small.trials(*({"seed": seed, "top1": top1} for seed, top1 in ((1, 0.5), (2, 0.6), (3, 0.9))))
    assert arms_by_sparsity(trials, "median").rows[0].cells[0].text == "60.00"
    assert arms_by_sparsity(trials).rows[0].cells[0].text == "66.67"


def test_missing_seeds_are_counted_and_missing_cells_are_dashes() -> None:
    lost = (pl.col("criterion") == "snip") & (pl.col("seed") > 4 * pl.col("sparsity") - 1)
    holes = TRIALS.with_columns(top1=pl.when(~lost).then("top1"))
    half, most = row(holes, "snip · at init").cells
    assert (half.n, half.of, most.n, most.of) == (1, 3, 2, 3)
    none = TRIALS.with_columns(top1=pl.when(pl.col("criterion") == "magnitude").then("top1"))
    empty = row(none, "snip · at init").cells[0]
    assert (empty.text, empty.spread, empty.change, empty.n, empty.best) == ("–", "", "", 0, False)


def test_arms_are_ranked_by_their_mean_and_those_with_holes_come_last() -> None:
    trials = small.swept(["c0", "c1", "c2"]).with_columns(
        top1=pl.when((pl.col("criterion") == "c0") & (pl.col("sparsity") == 0.9)).then(None).otherwise("top1")
    )
    assert [row.arm.split()[0] for row in arms_by_sparsity(trials).ranked] == ["c1", "c2", "c0"]


def test_the_dense_network_counts_once_a_seed() -> None:
    (dense,) = arms_by_sparsity(TRIALS.with_columns(top1_dense=0.9 + pl.col("seed") / 100)).dense.values()
    assert (dense.text, dense.n, dense.of, dense.change) == ("92.00", 3, 3, "")
    assert arms_by_sparsity(TRIALS.with_columns(top1_dense=pl.lit(None, pl.Float64))).dense == {}


def test_each_way_of_drawing_weights_has_a_dense_network_of_its_own() -> None:
    drawn = pl.concat(
        TRIALS.with_columns(init=pl.lit(init), top1_dense=pl.lit(reached))
        for init, reached in (("xavier-normal", 0.5), ("kaiming-normal", 0.4))
    )
    dense = arms_by_sparsity(drawn).dense
    assert {name: cell.text for name, cell in dense.items()} == {
        "dense, xavier-normal": "50.00",
        "dense, kaiming-normal": "40.00",
    }
    reached = [text for text in sentences(drawn) if text.startswith("Dense")]
    assert len(reached) == 2
    assert "drawn by xavier-normal on digits: 50.00 %" in reached[0]
    assert "drawn by kaiming-normal on digits: 40.00 %" in reached[1]


def test_an_empty_study_has_an_empty_grid() -> None:
    grid = arms_by_sparsity(pl.DataFrame(schema=SCHEMA))
    assert (grid.rows, grid.heads, grid.seeds, grid.dense) == ((), (), 0, {})


def test_an_arm_at_chance_is_marked_and_never_the_highest() -> None:
    grid = arms_by_sparsity(small.guessing("magnitude", "snip"), task=small.TASK)
    last = [row.cells[1] for row in grid.rows]
    assert [cell.text for cell in last] == ["10.20ᶜ", "10.20ᶜ"]
    assert not any(cell.best for cell in last) and grid.rows[0].cells[0].best
    explained = "ᶜ at chance: no better than guessing, with every seed (top-1 accuracy at most 10.78 % with 10 classes)"
    assert grid.chance == explained
    assert not grid.all_at_chance
    assert arms_by_sparsity(TRIALS, task=small.TASK).chance == ""


def test_a_dense_network_at_chance_is_marked_too() -> None:
    assert arms_by_sparsity(TRIALS, task=small.TASK).matching
    grid = arms_by_sparsity(TRIALS.with_columns(top1_dense=0.1), task=small.TASK)
    (dense,) = grid.dense.values()
    assert dense.text == "10.00ᶜ"
    assert not grid.matching and all(row.furthest is None for row in grid.rows), "what guesses matches what guesses"
