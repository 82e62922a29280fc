"""Which trials are pairs, and which stay alone."""

from __future__ import annotations

import polars as pl
import pytest

from prunectl.results.pairing import groups, pair
from unit.results.tabled import magnitude, table


def values(one: pl.DataFrame, other: pl.DataFrame, ignore: list[str] | None = None) -> list[tuple[float, float]]:
    return pair(one, other, ignore or []).frame.select("top1", "top1_other").rows()


def test_only_seeds_of_both_sides_are_pairs_in_the_order_of_the_first() -> None:
    one, other = table(0.1, 0.2, 0.3).reverse(), table(0.5, 0.6)
    pairs = pair(one, other)
    assert pairs.frame.select("seed", "top1", "top1_other").rows() == [(2, 0.2, 0.6), (1, 0.1, 0.5)]
    assert pairs.unpaired["seed"].to_list() == [3]


def test_a_choice_with_one_value_on_each_side_is_what_is_compared() -> None:
    pairs = pair(table(0.1), magnitude(0.2))
    assert pairs.differs == {"criterion": ("snip", "magnitude")}
    assert "criterion" not in pairs.on
    assert values(table(0.1), magnitude(0.2)) == [(0.1, 0.2)]


def test_a_strict_pairing_takes_no_choice_for_what_is_compared() -> None:
    pairs = pair(table(0.1), magnitude(0.2), strict=True)
    assert pairs.frame.is_empty()
    assert pairs.unpaired.height == 1


def test_a_choice_with_several_values_keeps_trials_apart() -> None:
    other = pl.concat([table(0.5, scope="erk"), table(0.6, scope="global")])
    assert values(table(0.1, scope="global"), other) == [(0.1, 0.6)]


def test_an_ignored_choice_with_several_values_pairs_with_each() -> None:
    other = pl.concat([table(0.5, scope="erk"), table(0.6, scope="global")])
    assert pair(table(0.1), other, ["scope"]).crossed == ("scope",)
    assert values(table(0.1), other, ["scope"]) == [(0.1, 0.5), (0.1, 0.6)]


@pytest.mark.parametrize(("other", "found"), [(0.488 + 1e-11, 1), (0.488 + 1e-8, 0)])
def test_sparsities_agree_to_nine_digits(other: float, found: int) -> None:
    assert len(values(table(0.1, sparsity=0.488), table(0.2, sparsity=other))) == found


def test_what_has_no_budget_pairs_with_every_budget_and_takes_it_over() -> None:
    budgets = pl.concat([table(0.5, budget="0.5"), table(0.6, budget="1.0")])
    frame = pair(table(0.1), budgets).frame
    assert frame.select("budget", "top1_other").rows() == [("0.5", 0.5), ("1.0", 0.6)]


def test_a_trial_that_is_twice_in_the_other_table_is_one_pair() -> None:
    assert values(table(0.1), pl.concat([table(0.5), table(0.6)])) == [(0.1, 0.5)]


def test_groups_come_in_the_order_of_their_first_rows() -> None:
    frame = pl.concat([table(0.1, scope="z"), table(0.2, scope="a"), table(0.3, scope="z")])
    assert [(key, rows["top1"].to_list()) for key, rows in groups(frame, ["scope"])] == [
        (("z",), [0.1, 0.3]), (("a",), [0.2]),
    ]  # fmt: skip
    assert groups(frame, [])[0][0] == ()
