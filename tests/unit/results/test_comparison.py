"""Two tables in words: higher, lower, the same or not settled, from numbers by hand."""

from __future__ import annotations

import polars as pl
import pytest

from prunectl.results.compare import Cell, compare, flat, letter, sentences, spread
from unit.results.tabled import magnitude, table


def cell(one: list[float | None], other: list[float | None]) -> Cell:
    ((found,),) = (side.cells for side in compare(table(*one), table(*other), names=("a", "b")).sides)
    return found


def told(one: pl.DataFrame, other: pl.DataFrame) -> list[str]:
    (side,) = compare(one, other, names=("a", "b")).sides
    return list(sentences(side, "B"))


@pytest.mark.parametrize(
    ("other", "answer"),
    [
        ([0.61, 0.62, 0.63], "higher"),
        ([0.41, 0.42, 0.43], "lower"),
        ([0.51, 0.52, 0.53], "not settled"),  # mean .02 ± .0248
        ([0.5, 0.5, 0.5], "the same"),
        ([0.7], "not settled"),
        ([0.6, 0.6], "not settled"),  # two equal differences show no spread
    ],
)
def test_an_answer_needs_an_interval_without_0(other: list[float | None], answer: str) -> None:
    assert cell([0.5, 0.5, 0.5], other).answer == answer


def test_a_pair_of_which_one_failed_is_not_counted() -> None:
    found = cell([0.5, None, 0.7], [0.6, 0.9, None])
    assert (found.n, found.first, found.other) == (1, 0.5, 0.6)


def test_a_cell_of_failures_is_not_measured_in_both() -> None:
    found = cell([None], [0.6])
    assert (found.n, found.difference, found.interval) == (0, None, None)
    assert spread(found, "B") == "not measured in both"


def test_a_difference_is_told_with_its_interval_and_seeds() -> None:
    """.01, .02, .03: .02 ± 4.3027 · .01 / √3 = .024841."""
    text = spread(cell([0.5, 0.5, 0.5], [0.51, 0.52, 0.53]), "B")
    assert text == "a difference of +2.00 points (95 % t-interval −0.48 to +4.48, 3 seeds)"
    assert spread(cell([0.5], [0.4]), "B") == "a difference of −10.00 points, one seed"


def test_the_dense_networks_and_the_pruned_ones_are_told_apart() -> None:
    one = pl.concat([table(0.9, 0.9, 0.9, sparsity=0.0), table(0.5, 0.5, 0.5)])
    other = pl.concat([table(0.9, 0.9, 0.9, sparsity=0.0), table(0.4, 0.401, 0.402), magnitude(0.1)])
    common, dense, pruned, *lower = told(one, other)
    assert common == (
        "A and B have 6 done trials in common, in 2 cases (an arm at a sparsity); 0 trials only in A, 1 only in B."
    )
    assert dense.startswith("The dense networks reach 90.00 % in A and 90.00 % in B, a difference of 0.00 points")
    assert pruned.startswith("Pruned networks differ by −9.90 points on average (B − A). Of 1 case with three or more")
    assert lower == [
        "B is lower by most with snip at 90 %, a difference of −9.90 points (95 % t-interval −10.15 to −9.65, 3 seeds)."
    ]


def test_one_seed_each_is_not_judged() -> None:
    assert told(table(0.5), table(0.6))[-1] == (
        "Pruned networks differ by +10.00 points on average (B − A); one seed each, so nothing is judged."
    )
    assert told(table(0.5, 0.6), table(0.6, 0.71))[-1].endswith("at most two seeds each, so nothing is judged.")


def test_a_comparison_takes_two_tables_with_names() -> None:
    for names in (("a",), ("a", "b", "c")):
        with pytest.raises(ValueError, match="two or more tables, each with its name"):
            compare(table(0.5), table(0.5), names=names)


def test_tables_are_lettered_and_their_studies_flattened() -> None:
    assert [letter(index) for index in range(3)] == ["A", "B", "C"]
    assert flat({"a": {"b": (1, 2)}, "c": [{"d": 1}, {"d": 2}], "e": []}) == {
        "a.b": [1, 2], "c[0].d": 1, "c[1].d": 2, "e": [],
    }  # fmt: skip
