"""From trials to lines: what tells arms apart, budgets and initializations included, and means over seeds."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from planning import END
from prunectl.base.text import UNKNOWN
from prunectl.results import summary
from prunectl.results.aggregate import (
    ablation_differences,
    ablation_pairs,
    baselines,
    roles,
    summarise,
    with_roles,
)
from prunectl.results.table import SCHEMA
from unit.results.rows import budget, table

BUDGETS: list[Any] = [0.25, 0.5, {"epochs": 3}]


def lines(trials: pl.DataFrame) -> set[tuple[str, str]]:
    """Hue and variant of every arm."""
    return set(with_roles(trials, roles(trials)).select("hue", "variant").rows())


def test_a_budget_is_a_column_in_which_arms_differ() -> None:
    trials = table({**END, "retrain": ["finetune", "lr-rewind"], "budget": 0.5}, {**END, "retrain": "finetune"})
    assert (roles(trials).hue, roles(trials).variant) == ("retrain", ("budget",))
    assert lines(trials) == {("finetune", "budget 50 %"), ("lr-rewind", "budget 50 %"), ("finetune", "budget 100 %")}


def test_budgets_have_colours_only_where_nothing_else_varies() -> None:
    trials = table({**END, "retrain": ["none", "lr-rewind"], "budget": BUDGETS})
    assert (roles(trials).hue, roles(trials).variant) == ("retrain", ("budget",))
    assert roles(trials).hues == ("no retraining", "lr-rewind")
    alone = table({**END, "retrain": "lr-rewind", "budget": BUDGETS})
    assert (roles(alone).hue, roles(alone).variant) == ("budget", ())
    assert roles(alone).hues == ("budget 25 %", "budget 50 %", "3 epochs")


def test_an_arm_without_a_value_has_a_colour_too() -> None:
    """A results file of another program may leave a budget out."""
    trials = table({**END, "retrain": "lr-rewind", "budget": BUDGETS})
    some = trials.with_columns(budget=pl.when(pl.col("seed") == 1).then("budget"))
    assert roles(some).hues == ("budget 25 %", UNKNOWN, "budget 50 %", "3 epochs")
    assert set(with_roles(some, roles(some))["hue"]) == set(roles(some).hues)


def test_budgets_next_to_criteria_are_variants_and_a_missing_one_is_left_out() -> None:
    late = {"criterion": ["magnitude", "snip", "random"], "at": "end"}
    trials = table({**late, "retrain": ["none", "lr-rewind"], "budget": BUDGETS})
    assert (roles(trials).hue, roles(trials).variant) == ("criterion", ("retrain", "budget"))
    assert {variant for _, variant in lines(trials)} == {
        "no retraining",
        "lr-rewind · budget 25 %",
        "lr-rewind · budget 50 %",
        "lr-rewind · 3 epochs",
    }


def test_retrainings_are_colours_if_one_criterion_alone_has_several_by_budgets() -> None:
    """Another criterion takes no colour from them: it has its own, and nothing of it is left out."""
    ways = {**END, "retrain": ["finetune", "lr-rewind"], "budget": BUDGETS}
    trials = table(ways, {"criterion": "snip", "at": "init", "retrain": "none"})
    role = roles(trials)
    assert (role.hue, role.alone) == ("retrain", ("snip",))
    assert role.hues == ("magnitude, finetune", "magnitude, lr-rewind", "snip")
    assert all(" · " not in variant and "budget" not in hue for hue, variant in lines(trials) if hue != "snip")
    assert len(lines(trials)) == 7
    one = table({**ways, "budget": 0.5}, {"criterion": "snip", "at": "init", "retrain": "none"})
    assert roles(one).hue == "criterion", "without budgets retrainings are dashes"


RENDA = {**END, "retrain": ["finetune", "lr-rewind", "weight-rewind"], "budget": BUDGETS}


@pytest.mark.parametrize(
    ("criteria", "hue"),
    [
        (["magnitude", "snip"], "retrain"),
        (["magnitude", "snip", "random"], "retrain"),
        (["magnitude", "snip", "random", "synflow"], "criterion"),
    ],
)
def test_of_criteria_and_retrainings_by_budgets_what_varies_most_has_the_colours(criteria: list[str], hue: str) -> None:
    """Three retrainings: they have the colours unless there are more criteria. The other one is a variant."""
    trials = table({**RENDA, "criterion": criteria})
    role = roles(trials)
    other = {"retrain": "criterion", "criterion": "retrain"}[hue]
    assert (role.hue, role.variant, role.alone) == (hue, (other, "budget"), ())
    named = with_roles(trials, role)
    assert named.select("hue", "variant").n_unique() == trials["arm"].n_unique()
    assert set(role.hues) == set(criteria if hue == "criterion" else RENDA["retrain"])


def test_a_criterion_without_retraining_has_its_own_colour_next_to_those_of_several_criteria() -> None:
    trials = table({**RENDA, "criterion": ["magnitude", "random"]}, {"criterion": "snip", "at": "init"})
    role = roles(trials)
    assert (role.hue, role.alone) == ("retrain", ("snip",))
    assert role.hues == (*RENDA["retrain"], "snip")
    assert not [variant for hue, variant in lines(trials) if hue == "snip" and "snip" in variant]
    assert {variant.split(" · ")[0] for hue, variant in lines(trials) if hue != "snip"} == {"magnitude", "random"}


def test_one_budget_is_not_a_choice() -> None:
    trials = table({**END, "retrain": ["none", "lr-rewind"], "budget": 0.5})
    assert roles(trials).variant == ()
    assert lines(trials) == {("no retraining", ""), ("lr-rewind", "")}


def test_an_initialization_is_a_column_in_which_arms_differ() -> None:
    trials = table({"criterion": ["magnitude", "snip"], "init": ["kaiming-normal", "orthogonal"]})
    assert roles(trials).variant == ("init",)
    assert lines(trials) == {(c, i) for c in ("magnitude", "snip") for i in ("kaiming-normal", "orthogonal")}
    alone = table({"criterion": "magnitude", "init": ["kaiming-normal", "orthogonal"]})
    assert (roles(alone).hue, roles(alone).hues) == ("init", ("kaiming-normal", "orthogonal"))


def test_every_line_has_a_hue_of_the_study() -> None:
    for arms in (
        [{**END, "retrain": ["none", "recalibrate", "lr-rewind"], "budget": BUDGETS}],
        [{"criterion": "magnitude", "at": ["init", {"epoch": 3}, {"epoch": 3, "schedule": "restart"}]}],
        [{"criterion": "snip", "scope": ["global", {"name": "rates", "per_layer": {"*": 0.5}}]}],
        [{**END, "retrain": ["weight-rewind", {"name": "weight-rewind", "to": {"epoch": 2}}]}],
    ):
        trials = table(*arms)
        named = with_roles(trials, roles(trials))
        assert set(named["hue"]) == set(roles(trials).hues)
        assert named.select("hue", "variant", "ablation").n_unique() == trials["arm"].n_unique()


def test_a_table_without_trials_has_no_hues() -> None:
    assert roles(pl.DataFrame(schema=SCHEMA)).hues == ()


def test_arms_of_different_budgets_or_initializations_have_means_of_their_own() -> None:
    trials = table(
        {**END, "retrain": "lr-rewind", "budget": [0.25, 1.0], "init": ["kaiming-normal", "orthogonal"]},
        top1=lambda each: 0.5 * budget(each) + 0.01 * each.seed,
    )
    found = summarise(trials).filter(pl.col("sparsity") == 0.5)
    assert found.height == 4
    for row in found.iter_rows(named=True):
        assert row["mean"] == pytest.approx((0.125 if "0.25" in row["arm"] else 0.5) + 0.015)
        assert row["dense"] == pytest.approx(0.915 + (0.05 if "orthogonal" in row["arm"] else 0.0))
        assert (row["n"], row["sd"]) == (2, pytest.approx(0.01 / 2**0.5))


def test_trials_without_the_metric_are_left_out() -> None:
    trials = table({"criterion": "magnitude"}, top1=lambda each: None if each.seed == 2 else 0.5)
    assert summarise(trials).filter(pl.col("sparsity") == 0.9)["n"].to_list() == [1]
    assert summarise(table({"criterion": "magnitude"}), metric="ece").is_empty()


def test_an_ablated_trial_has_its_twin_in_the_arm_of_its_own_budget_and_initialization() -> None:
    arm = {"retrain": "lr-rewind", "budget": [0.25, 1.0], "init": ["kaiming-normal", "orthogonal"]}
    trials = table(
        {**END, **arm, "ablation": ["none", "shuffle"]},
        top1=lambda each: (
            0.1 * budget(each)
            + (0.2 if each.arm.init == "orthogonal" else 0)
            - (0.03 if each.arm.ablation.name == "shuffle" else 0)
        ),
    )
    pairs = ablation_pairs(trials)
    assert pairs.height == 4 * 2 * 2  # arms, sparsities, seeds
    assert pairs["difference"].to_list() == pytest.approx([-0.03] * pairs.height)
    found = ablation_differences(trials)
    assert found.height == 4 * 2
    assert found["n"].to_list() == [2] * 8


def test_an_ablated_arm_without_its_twin_of_the_same_budget_has_no_difference() -> None:
    trials = table(
        {**END, "retrain": "lr-rewind", "budget": 0.25},
        {**END, "retrain": "lr-rewind", "budget": 0.5, "ablation": "shuffle"},
    )
    assert ablation_differences(trials).is_empty()


def test_each_initialization_has_dense_networks_of_its_own() -> None:
    trials = table({"criterion": ["magnitude", "snip"], "init": ["kaiming-normal", "orthogonal"]})
    found = {(row["init"], row["seed"]): row["top1_dense"] for row in baselines(trials).iter_rows(named=True)}
    assert found == {
        ("kaiming-normal", 1): pytest.approx(0.91),
        ("kaiming-normal", 2): pytest.approx(0.92),
        ("orthogonal", 1): pytest.approx(0.96),
        ("orthogonal", 2): pytest.approx(0.97),
    }
    text = "\n".join(summary.sentences(trials))
    assert "Dense tiny-cnn drawn by kaiming-normal on digits: 91.50 %" in text
    assert "Dense tiny-cnn drawn by orthogonal on digits: 96.50 %" in text
    assert "Dense tiny-cnn on digits: 91.50 %" in "\n".join(summary.sentences(table({"criterion": "magnitude"})))


def test_a_baseline_is_known_without_a_trial_of_sparsity_zero() -> None:
    trials = table({"criterion": "magnitude"}, sweep={"sparsities": [0.5], "seeds": [1, 2, 3]})
    assert baselines(trials)["top1_dense"].to_list() == pytest.approx([0.91, 0.92, 0.93])
