"""Which trials belong together: equal in every choice but the one that is compared; no budget agrees with any."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planning import END
from prunectl.results.pairing import groups, pair, rounded
from prunectl.results.table import SCHEMA
from prunectl.study.arms import CHOICES
from unit.results.rows import table

ONE_SEED: dict[str, Any] = {"sparsities": [0.5], "seeds": [1]}


def late(retrain: Any, budget: Any = None, **more: Any) -> pl.DataFrame:
    """Trials of one way of retraining, of one seed at one sparsity unless `more` says otherwise."""
    budgets = {} if budget is None else {"budget": budget}
    return table({**END, "retrain": retrain, **budgets, **more}, sweep=ONE_SEED)


def paired(one: pl.DataFrame, other: pl.DataFrame, column: str, **options: Any) -> list[tuple[str, str]]:
    """The pairs, as the two values of a column."""
    frame = pair(one, other, **options).frame
    return frame.select(column, f"{column}_other").rows()


def test_trials_of_one_arm_sparsity_and_seed_are_a_pair() -> None:
    trials = table({"criterion": ["magnitude", "snip"], "init": ["kaiming-normal", "orthogonal"]})
    pairs = pair(trials, trials.reverse())
    assert pairs.frame.height == trials.height
    assert pairs.frame.select("arm", "sparsity", "seed").rows() == trials.select("arm", "sparsity", "seed").rows()
    assert (pairs.frame["arm"] == pairs.frame["arm_other"]).all()
    assert pairs.on == CHOICES
    assert (pairs.differs, pairs.crossed, pairs.unpaired.height) == ({}, (), 0)


def test_another_seed_or_sparsity_has_no_pair() -> None:
    trials = table({"criterion": "magnitude"})
    fewer = trials.filter((pl.col("seed") == 1) & (pl.col("sparsity") < 0.9))
    pairs = pair(trials, fewer)
    assert pairs.frame.select("sparsity", "seed").rows() == [(0.0, 1), (0.5, 1)]
    assert pairs.unpaired.select("sparsity", "seed").rows() == [(0.9, 1), (0.0, 2), (0.5, 2), (0.9, 2)]


def test_sparsities_meet_in_spite_of_rounding() -> None:
    one, other = (table({"criterion": "snip"}, sweep={"sparsities": [x]}) for x in (0.488, 1 - 0.8**3))
    assert one["sparsity"].to_list() != other["sparsity"].to_list()
    assert pair(one, other).frame.height == 1
    assert rounded(one)["_sparsity"].to_list() == rounded(other)["_sparsity"].to_list()


# --- what is compared ---


@pytest.mark.parametrize(
    ("one", "other", "column", "values"),
    [
        ({"criterion": "snip"}, {"criterion": "magnitude"}, "criterion", ("snip", "magnitude")),
        ({"at": "init"}, {"at": {"epoch": 3}}, "at", ("init", "{ epoch = 3 }")),
        ({"init": "orthogonal"}, {"init": "xavier-normal"}, "init", ("orthogonal", "xavier-normal")),
        ({"ablation": "none"}, {"ablation": "shuffle"}, "ablation", ("none", "shuffle")),
    ],
)
def test_a_single_value_on_each_side_is_what_is_compared(
    one: dict[str, Any], other: dict[str, Any], column: str, values: tuple[str, str]
) -> None:
    first, second = (table({"criterion": "snip", **each}) for each in (one, other))
    pairs = pair(first, second)
    assert pairs.differs == {column: values}
    assert column not in pairs.on
    assert pairs.frame.height == first.height
    assert pair(second, first).differs == {column: values[::-1]}


def test_single_budgets_are_compared_like_every_single_value() -> None:
    pairs = pair(late("lr-rewind", 0.25), late("lr-rewind", 1.0))
    assert pairs.differs == {"budget": ("0.25", "1.0")}
    assert pairs.frame.select("budget", "budget_other").rows() == [("0.25", "1.0")]


def test_a_strict_pairing_compares_nothing() -> None:
    pairs = pair(late("lr-rewind", 0.25), late("lr-rewind", 1.0), strict=True)
    assert (pairs.differs, pairs.frame.height, pairs.unpaired.height) == ({}, 0, 1)


def test_several_values_on_a_side_keep_trials_apart() -> None:
    """Also where one side has a single value: it is compared with its like."""
    pairs = pair(late(["lr-rewind", "finetune"]), late("lr-rewind"))
    assert pairs.differs == {}
    assert pairs.unpaired["retrain"].to_list() == ["finetune"]


def test_an_ignored_column_is_crossed_where_it_has_several_values() -> None:
    one, other = late(["lr-rewind", "weight-rewind"]), late(["finetune", "none"], ablation=["none", "shuffle"])
    pairs = pair(one, other.filter(pl.col("ablation") == "none"), ignore=["retrain"])
    assert pairs.crossed == ("retrain",)
    assert sorted(pairs.frame.select("retrain", "retrain_other").rows()) == [
        ("lr-rewind", "finetune"),
        ("lr-rewind", "none"),
        ("weight-rewind", "finetune"),
        ("weight-rewind", "none"),
    ]


# --- no budget agrees with any ---


def test_only_equal_budgets_are_pairs() -> None:
    one, other = (late(name, [0.25, 0.5, 1.0]) for name in ("lr-rewind", "finetune"))
    assert paired(one, other, "arm") == [
        ("magnitude · at end · lr-rewind, budget 0.25", "magnitude · at end · finetune, budget 0.25"),
        ("magnitude · at end · lr-rewind, budget 0.5", "magnitude · at end · finetune, budget 0.5"),
        ("magnitude · at end · lr-rewind", "magnitude · at end · finetune"),
    ]


def test_a_trial_without_a_budget_is_a_pair_with_every_budget_whichever_side_it_is_on() -> None:
    budgets, without = late("lr-rewind", [0.25, 0.5]), late("none")
    for one, other in ((budgets, without), (without, budgets)):
        pairs = pair(one, other)
        assert pairs.frame["budget"].to_list() == ["0.25", "0.5"]  # the pair has that of the side that has one
        assert "budget_other" not in pairs.frame.columns
        assert pairs.differs == {
            "retrain": ("lr-rewind", "none") if one is budgets else ("none", "lr-rewind"),
        }
        assert pairs.unpaired.is_empty()


def test_no_budget_against_a_single_one_is_not_what_is_compared() -> None:
    pairs = pair(late("none"), late("lr-rewind", 0.5))
    assert pairs.differs.keys() == {"retrain"}
    assert (pairs.frame.height, pairs.frame["budget"].to_list()) == (1, ["0.5"])


def test_two_trials_without_a_budget_are_a_pair_without_one() -> None:
    pairs = pair(late("none"), late({"name": "weight-rewind", "to": {"epoch": 2}}))
    assert pairs.frame["budget"].to_list() == [None]


def test_a_mixed_side_pairs_its_budgets_and_its_trials_without_one() -> None:
    mixed, single = late(["none", "lr-rewind"], [0.25, 0.5]), late("finetune", 0.5)
    pairs = pair(mixed, single, ignore=["retrain"])
    assert pairs.frame.select("retrain", "budget", "retrain_other").rows() == [
        ("none", "0.5", "finetune"),
        ("lr-rewind", "0.5", "finetune"),
    ]
    assert pairs.unpaired.select("retrain", "budget").rows() == [("lr-rewind", "0.25")]
    assert pair(single, mixed, ignore=["retrain"]).unpaired.is_empty()


def test_a_length_is_a_budget_of_its_own() -> None:
    assert pair(late("lr-rewind", [{"epochs": 5}, 1.0]), late("finetune", [0.5, 1.0])).frame["budget"].to_list() == [
        "1.0"
    ]


# --- what has no pair ---


SIDES = st.lists(st.sampled_from(range(6)), min_size=1, max_size=6, unique=True)
ALL = table(
    {**END, "retrain": ["none", "lr-rewind"], "budget": [0.25, 1.0]},
    {**END, "retrain": ["finetune"], "budget": [0.25, {"epochs": 5}]},
    {"criterion": "magnitude", "init": "orthogonal"},
    sweep=ONE_SEED,
)


@given(SIDES, SIDES, st.booleans())
@settings(max_examples=60, deadline=None)
def test_a_trial_has_a_pair_seen_from_either_side(ones: list[int], others: list[int], ignoring: bool) -> None:
    one, other = ALL[ones], ALL[others]
    ignore = ["retrain"] if ignoring else []
    there, back = pair(one, other, ignore), pair(other, one, ignore)
    assert set(there.frame.select("arm", "arm_other").rows()) == set(back.frame.select("arm_other", "arm").rows())
    assert set(there.frame["arm"]).isdisjoint(there.unpaired["arm"])
    assert {*there.frame["arm"], *there.unpaired["arm"]} == set(one["arm"])
    assert {*there.frame["arm_other"], *back.unpaired["arm"]} == set(other["arm"])
    assert there.differs == {name: values[::-1] for name, values in back.differs.items()}
    assert there.unpaired.columns == one.columns


def test_tables_without_trials_have_no_pairs() -> None:
    empty, trials = pl.DataFrame(schema=SCHEMA), late("lr-rewind")
    assert pair(empty, trials).frame.is_empty()
    assert pair(trials, empty).unpaired.height == trials.height


def test_groups_keep_the_order_of_the_rows() -> None:
    trials = late(["none", "lr-rewind"], [0.5, 0.25])
    assert [values for values, _ in groups(trials, ["retrain", "budget"])] == [
        ("none", None),
        ("lr-rewind", "0.5"),
        ("lr-rewind", "0.25"),
    ]
    assert [(values, frame.height) for values, frame in groups(trials, [])] == [((), 3)]
