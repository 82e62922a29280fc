"""Two tables held against each other."""

from __future__ import annotations

import json

import polars as pl
import pytest

import made_up
from prunectl.report.comparison_text import lines
from prunectl.results.compare import compare, flat, sentences
from prunectl.results.published import compared
from unit.results.claiming import TASK
from unit.results.rows import table


@pytest.fixture(scope="module")
def trials() -> pl.DataFrame:
    return made_up.results(seeds=3, failed=0).trials


def test_a_table_equals_itself(trials: pl.DataFrame) -> None:
    (side,) = compare(trials, trials, names=("a", "b")).sides
    assert {cell.difference for cell in side.cells} == {0.0}
    assert {cell.n for cell in side.cells} == {3}
    assert (side.only_first, side.only_other, side.differs, side.keys) == ((), (), {}, {})


def test_trials_are_paired_by_seed_whatever_their_order(trials: pl.DataFrame) -> None:
    better = trials.with_columns(pl.col("top1") + 0.01 + pl.col("seed") * 1e-6 - 2e-6).reverse()
    (side,) = compare(trials, better, names=("a", "b")).sides
    assert len(side.cells) == 18 * 5
    for cell in side.cells:
        assert cell.difference == pytest.approx(0.01)
        assert cell.interval is not None
        assert 0 < cell.interval.high - cell.interval.low < 1e-5


def test_what_only_one_has_is_listed(trials: pl.DataFrame) -> None:
    fewer = trials.filter((pl.col("seed") < 3) & (pl.col("sparsity") < 0.95))
    (side,) = compare(trials, fewer, names=("a", "b")).sides
    assert len(side.only_first) == trials.height - fewer.height
    assert side.only_other == ()
    assert side.only_first[0] == "random · at init, 98 %, seed 1"


def test_another_network_is_compared_arm_by_arm_and_named(trials: pl.DataFrame) -> None:
    other = trials.with_columns(model=pl.lit("vgg11"))
    (side,) = compare(trials, other, names=("a", "b")).sides
    assert side.differs == {"model": ("vgg16", "vgg11")}
    assert len(side.cells) == 18 * 5


def test_several_tables_are_each_held_against_the_first(trials: pl.DataFrame) -> None:
    found = compare(trials, trials, trials.head(5), names=("a", "b", "c"))
    assert [side.name for side in found.sides] == ["b", "c"]
    assert json.loads(json.dumps(found.to_dict()))["first"] == "a"


def test_keys_of_the_studies_that_differ() -> None:
    one = {"train": {"lr": 0.1, "epochs": 2}, "prune": [{"at": ["init"]}], "title": "x"}
    other = {"train": {"lr": 0.2}, "prune": [{"at": ["init"]}, {"at": ["end"]}], "title": "x"}
    assert flat(one)["prune[0].at"] == ["init"]
    table = made_up.results(seeds=1).trials
    (side,) = compare(table, table, names=("a", "b"), keys=(one, other)).sides
    assert side.keys == {
        "train.lr": (0.1, 0.2), "train.epochs": (2, "(not there)"), "prune[1].at": ("(not there)", ["end"]),
    }  # fmt: skip


def test_one_seed_has_no_interval() -> None:
    table = made_up.results(seeds=1).trials
    (side,) = compare(table, table, names=("a", "b")).sides
    assert {cell.interval for cell in side.cells} == {None}


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_table_fits_the_terminal(trials: pl.DataFrame, width: int) -> None:
    found = list(lines(("a", "b"), compare(trials, trials, names=("a", "b")), (), width))
    assert max(map(len, found)) <= width
    assert any("+0.00" in line or "0.00" in line for line in found)


def test_nothing_in_common_is_said(trials: pl.DataFrame) -> None:
    other = trials.with_columns(sparsity=pl.lit(0.123))
    text = "\n".join(lines(("a", "b"), compare(trials, other, names=("a", "b")), (), 80))
    assert "No trial of A" in text


def test_dense_networks_of_each_initialization_are_compared_apart() -> None:
    ours = table({"criterion": "magnitude", "init": ["kaiming-normal", "orthogonal"]})
    theirs = ours.with_columns(pl.col("top1") + 0.01)
    (side,) = compare(ours, theirs, names=("a", "b")).sides
    dense = [text for text in sentences(side, "B") if text.startswith("The dense")]
    assert [text.partition(" reach ")[0] for text in dense] == [
        "The dense networks of magnitude · at init",
        "The dense networks of magnitude · at init · orthogonal",
    ]
    assert "91.50 % in A and 92.50 % in B" in dense[0]
    assert "96.50 % in A and 97.50 % in B" in dense[1]
    single = table({"criterion": ["magnitude", "snip"]})
    (side,) = compare(single, single, names=("a", "b")).sides
    (text,) = (text for text in sentences(side, "B") if text.startswith("The dense"))
    assert text.startswith("The dense networks reach 91.50 %")


def test_a_published_baseline_is_held_against_each_initialization() -> None:
    arms = table({"criterion": "magnitude", "init": ["kaiming-normal", "orthogonal"]})
    ours = arms.with_columns(model=pl.lit("resnet-20"), dataset=pl.lit("cifar10"))
    rows = compared(ours, "renda2020-dense").select("arm", "ours").rows()
    assert rows == [("dense, kaiming-normal", pytest.approx(0.915)), ("dense, orthogonal", pytest.approx(0.965))]
    alone = ours.filter(pl.col("init") == "orthogonal")
    assert compared(alone, "renda2020-dense")["arm"].to_list() == ["dense"]


def test_a_case_of_networks_that_all_guess_is_not_settled_and_one_side_at_chance_is_named(trials: pl.DataFrame) -> None:
    low, lower = (trials.with_columns(top1=least + pl.col("seed") / 1000) for least in (0.1, 0.05))
    (side,) = compare(low, lower, names=("a", "b"), tasks=(TASK, TASK)).sides
    assert {(cell.first_at_chance, cell.other_at_chance, cell.answer) for cell in side.cells} == {
        (True, True, "not settled")
    }
    assert any("every network is at chance, which settles nothing" in text for text in sentences(side, "B"))
    (side,) = compare(trials, low, names=("a", "b"), tasks=(TASK, TASK)).sides
    (most,) = (text for text in sentences(side, "B") if text.startswith("B is lower by most"))
    assert most.endswith("; B is at chance.")


def test_a_results_file_leaves_open_whether_its_networks_guess(trials: pl.DataFrame) -> None:
    low = trials.with_columns(top1=0.1 + pl.col("seed") / 1000)
    comparison = compare(trials, low, names=("a", "b"), tasks=(TASK, None))
    assert {cell.other_at_chance for side in comparison.sides for cell in side.cells} == {None}
    assert {mean.at_chance for side in comparison.sides for mean in side.means} == {None}
