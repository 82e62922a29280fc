"""Lines of charts and tables: what they are named, and the numbers behind them by hand."""

from __future__ import annotations

import polars as pl
import pytest

from prunectl.results.aggregate import (
    ablation_differences,
    ablation_pairs,
    baselines,
    collapses,
    roles,
    summarise,
    with_roles,
)
from unit.results.claiming import TASK
from unit.results.tabled import magnitude, table


def test_mean_median_and_spread_of_a_cell() -> None:
    """Deviations −.2, −.1, .3: squares sum to .14. A tenth of 27 resamples lies within the lowest mean (.2, once) and
    the next (two of .2 and one of .3, three times), and likewise from above.
    """
    (row,) = summarise(table(0.2, 0.3, 0.7, top1_dense=0.8)).rows(named=True)
    assert (row["n"], row["median"], row["dense"]) == (3, 0.3, pytest.approx(0.8))
    assert row["mean"] == row["center"] == pytest.approx(0.4)
    assert row["sd"] == pytest.approx(0.07**0.5)
    assert [row["low"], row["high"]] == pytest.approx([0.7 / 3, 1.7 / 3])


def test_a_median_is_the_centre_if_asked_for_and_of_the_baselines_too() -> None:
    trials = pl.concat(table(value, seed=seed, top1_dense=dense) for seed, value, dense in
                       [(1, 0.2, 0.9), (2, 0.3, 0.5), (3, 0.7, 0.6)])  # fmt: skip
    (row,) = summarise(trials, of="median").rows(named=True)
    assert (row["center"], row["dense"], row["interval"]) == (0.3, 0.6, "80 % bootstrap interval of the median")


def test_a_failed_trial_is_left_out_and_an_arm_of_failures_has_no_row() -> None:
    found = summarise(pl.concat([table(0.2, None, 0.4), magnitude(None, None)]))
    assert found.select("arm", "n", "mean").rows() == [("snip", 2, pytest.approx(0.3))]


def test_one_seed_has_neither_spread_nor_interval() -> None:
    (row,) = summarise(table(0.5)).rows(named=True)
    assert [row[name] for name in ("sd", "low", "high", "interval")] == [None] * 4


def test_another_metric_is_summarised_by_name() -> None:
    assert summarise(table(0.5, 0.5, loss=2.0), "loss")["mean"].to_list() == [2.0]


def test_a_study_of_several_criteria_is_coloured_by_them() -> None:
    role = roles(pl.concat([table(0.1), magnitude(0.2)]))
    assert (role.hue, role.variant, role.hues) == ("criterion", (), ("snip", "magnitude"))


def test_one_criterion_is_coloured_by_what_has_most_values() -> None:
    trials = pl.concat(
        [table(0.1, at=at, scope=scope) for at in ("init", "end") for scope in ("global", "erk", "lamp")]
    )
    assert (roles(trials).hue, roles(trials).variant) == ("scope", ("at",))


def test_criteria_at_different_moments_do_not_vary_the_moment() -> None:
    """Each criterion has one: the criterion says it already."""
    assert roles(pl.concat([table(0.1, at="init"), magnitude(0.2, at="end")])).variant == ()


def test_a_table_of_two_networks_tells_them_apart_whatever_the_criterion() -> None:
    assert roles(pl.concat([table(0.1, model="a"), magnitude(0.2, model="b")])).variant == ("model",)


def test_a_variant_names_its_values_so_that_each_is_clear_alone() -> None:
    """What is pruned at init is trained, so that it has no retraining to name."""
    trials = pl.concat([
        table(0.1), table(0.1, at="end"), table(0.1, at="end", retrain="finetune"), magnitude(0.2),
    ])  # fmt: skip
    assert with_roles(trials, roles(trials))["variant"].to_list() == [
        "at init", "at end · no retraining", "at end · finetune", "at init",
    ]  # fmt: skip


def test_an_ablated_trial_stands_against_its_twin_of_the_same_seed() -> None:
    trials = pl.concat([table(0.5, 0.6), table(0.4, 0.7, 0.9, ablation="shuffle", arm="shuffled")])
    assert ablation_pairs(trials)["difference"].to_list() == pytest.approx([-0.1, 0.1])


def test_differences_have_student_s_interval() -> None:
    """−.1, −.2 and −.3: mean −.2, half-width 4.3026527 · .1 / √3 = .2484138."""
    trials = pl.concat([table(0.5, 0.6, 0.7), table(0.4, 0.4, 0.4, ablation="shuffle", arm="shuffled")])
    (row,) = ablation_differences(trials).rows(named=True)
    assert (row["arm"], row["n"], row["mean"]) == ("shuffled", 3, pytest.approx(-0.2))
    assert [row["low"], row["high"]] == pytest.approx([-0.4484138, 0.0484138], abs=1e-6)
    assert row["seeds"] == pytest.approx([-0.1, -0.2, -0.3])


def test_a_baseline_has_nothing_to_ablate() -> None:
    dense = [table(0.5, sparsity=0.0), table(0.4, sparsity=0.0, ablation="shuffle")]
    assert ablation_pairs(pl.concat(dense)).is_empty()


def test_a_study_without_ablations_has_an_empty_table_of_differences() -> None:
    assert ablation_differences(table(0.5, 0.6)).is_empty()
    assert "difference" in ablation_pairs(table(0.5)).columns


def test_one_baseline_is_kept_for_each_network_and_its_time_is_that_of_sparsity_0() -> None:
    trials = pl.concat([
        table(0.5, 0.6, top1_dense=0.9, train_s=7.0), table(0.9, 0.9, sparsity=0.0, top1_dense=0.9, train_s=3.0),
    ])  # fmt: skip
    assert baselines(trials).select("seed", "train_s").rows() == [(1, 3.0), (2, 3.0)]
    assert baselines(trials.filter(pl.col("sparsity") > 0))["train_s"].to_list() == [None, None]


def test_only_trials_that_lost_a_layer_are_collapses() -> None:
    lost = [table(0.1, layers_collapsed=layers, seed=seed) for seed, layers in enumerate((None, [], ["conv1"]))]
    assert collapses(pl.concat(lost))["seed"].to_list() == [2]


def test_a_row_shows_whether_all_of_its_networks_are_at_chance() -> None:
    """Of 10,000 images in ten classes guessing gets up to 10.78 % right."""
    trials = pl.concat([table(0.1, 0.107, 0.099), magnitude(0.1, 0.107, 0.2)])
    assert summarise(trials, task=TASK)["at_chance"].to_list() == [True, False]
    assert summarise(trials)["at_chance"].to_list() == [None, None]
    before = trials.with_columns(top1_before_retrain=pl.lit(0.1))
    assert summarise(before, "top1_before_retrain", task=TASK)["at_chance"].to_list() == [True, True]


def test_a_difference_shows_which_of_its_sides_are_at_chance() -> None:
    good, bad = (0.5, 0.51, 0.53), (0.1, 0.1, 0.1)
    for plain, ablated in ((good, bad), (bad, good), (bad, bad)):
        trials = pl.concat([table(*plain), table(*ablated, arm="snip · shuffle", ablation="shuffle")])
        (row,) = ablation_differences(trials, task=TASK).rows(named=True)
        assert (row["at_chance"], row["unmodified_at_chance"]) == (ablated == bad, plain == bad)
