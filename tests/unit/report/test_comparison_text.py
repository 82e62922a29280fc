"""A comparison on a terminal."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

import made_up
from prunectl.report.comparison_text import lines
from prunectl.results.compare import Comparison, compare
from prunectl.results.published.against import Held, held
from unit.report import small

ONES = small.swept()
SHIFT = pl.col("top1") + pl.when(pl.col("criterion") == "snip").then(-0.05).otherwise(0.05) + pl.col("seed") / 10_000


def of_two(other: pl.DataFrame, width: int = 100, **options: Any) -> list[str]:
    return list(lines(("a.csv", "b.csv"), compare(ONES, other, names=("a.csv", "b.csv"), **options), [], width))


@pytest.fixture(scope="module")
def published() -> Held:
    return held(made_up.results(seeds=3, epochs=1).trials, "comp6258-figure1", "A")


@pytest.fixture(scope="module")
def three() -> Comparison:
    other = ONES.with_columns(top1=SHIFT)
    return compare(ONES, other, other.filter(pl.col("seed") < 3), names=("a.csv", "b.csv", "c.csv"))


@pytest.mark.parametrize("width", [44, 60, 80, 200])
def test_it_fits_the_terminal(width: int, three: Comparison, published: Held) -> None:
    names = ("a/long/way/to/the/first/table/of/them/all.csv", "b.csv", "c.csv")
    text = list(lines(names, three, [published], width))
    assert max(map(len, text)) <= width
    assert any(line.startswith("Only in A: 6 trials") for line in text)
    assert any("published" in line for line in text)


def test_tables_are_named_by_letters_first(three: Comparison) -> None:
    assert list(lines(("a.csv", "b.csv", "c.csv"), three, [], 80))[:3] == ["A  a.csv", "B  b.csv", "C  c.csv"]


def test_cases_are_grouped_by_arm_with_a_mark_for_what_is_settled() -> None:
    text = of_two(ONES.with_columns(top1=SHIFT))
    head = next(number for number, line in enumerate(text) if line.split()[:1] == ["sparsity"])
    assert text[head].split() == ["sparsity", "A", "%", "B", "%", "B", "−", "A", "95", "%", "t-interval", "seeds"]
    assert text[head + 1] == "magnitude · at init"
    assert text[head + 3].split() == ["50", "%", "85.20", "90.22", "+5.02", "+5.00", "to", "+5.04", "3", "↑"]
    assert text[head + 5] == "snip · at init"
    assert text[head + 8].endswith("↓")


def test_tables_that_agree_are_the_same_and_open_cases_have_no_mark() -> None:
    assert len([line for line in of_two(ONES) if line.endswith(" =")]) == 6
    noise = pl.col("top1") + pl.when(pl.col("seed") == 1).then(0.1).otherwise(-0.1)
    assert not [line for line in of_two(ONES.with_columns(top1=noise)) if line[-1:] in ("↑", "↓", "=")]


@pytest.mark.parametrize(
    ("width", "heads", "mark"),
    [
        (100, ["95", "%", "t-interval", "seeds"], True),
        (56, ["95", "%", "t-interval"], True),
        (49, ["95", "%", "t-interval"], False),
        (44, ["B", "−", "A"], False),
    ],
)
def test_narrow_terminals_leave_out_seeds_then_marks_then_intervals(width: int, heads: list[str], mark: bool) -> None:
    text = of_two(ONES.with_columns(top1=SHIFT), width)
    head = next(line for line in text if line.split()[:1] == ["sparsity"])
    assert head.split()[-len(heads) :] == heads
    assert any(line.endswith("↓") for line in text) is mark


def test_keys_that_differ_are_listed() -> None:
    keys = [{"train": {"lr": lr}} for lr in (0.1, 0.2)]
    text = of_two(ONES, keys=keys)
    assert text[text.index("What differs, A → B:") + 1] == "  train.lr: 0.1 → 0.2"
    assert not any("What differs" in line for line in of_two(ONES))


def test_trials_that_only_one_table_has_are_named_up_to_three() -> None:
    text = " ".join(of_two(ONES.filter(pl.col("seed") == 1), width=200))
    assert "Only in A: 12 trials: " in text and "and 9 more" in text
    few = " ".join(of_two(pl.concat([ONES, small.swept(["lamp"], [0.5], [1])]), width=200))
    assert "Only in B: 1 trial: lamp · at init, 50 %, seed 1" in few


def test_published_numbers_have_their_source_warning_and_rows(published: Held) -> None:
    text = list(lines(("a.csv",), None, [published], 120))
    assert text[2].startswith("published:comp6258-figure1  ")
    assert any(line.startswith("Mind: ") for line in text)
    head = next(line for line in text if "published %" in line)
    assert head.split()[-1] == "held"
    answers = [line.split()[-1] for line in text if line.endswith((" yes", " no"))]
    assert set(answers) == {"yes", "no"} and len(answers) == len(published.rows)


def test_a_published_table_about_something_else_has_no_rows() -> None:
    text = list(lines(("a.csv",), None, [held(ONES, "comp6258-figure1", "A")], 120))
    assert not any("published %" in line for line in text)
    assert any("No number in comp6258-figure1" in line for line in text)


def test_numbers_at_chance_are_marked_and_the_mark_is_explained() -> None:
    other = small.guessing("snip")
    text = of_two(other, tasks=(small.TASK, small.TASK))
    assert sum("10.20ᶜ" in line for line in text) == 1
    assert "ᶜ at chance: no better than guessing, with every seed (top-1 accuracy at most 10.78 %" in "\n".join(text)
    known = "\n".join(of_two(other, tasks=(None, small.TASK)))
    assert "Not known of A: a results file does not record the number of classes" in known
    assert "ᶜ" not in "".join(of_two(ONES, tasks=(small.TASK, small.TASK)))


def test_published_numbers_are_next_to_ours_with_the_mark() -> None:
    ours = made_up.results(seeds=3, epochs=1).trials.with_columns(top1=0.1)
    text = list(lines(("a",), None, [held(ours, "comp6258-figure1", "A", task=small.TASK)], 100))
    assert any("10.00ᶜ" in line for line in text) and "ᶜ at chance: no better" in "\n".join(text)
