"""Sentences say what the numbers say, and judge nothing from one seed."""

from __future__ import annotations

import polars as pl
import pytest

import made_up
from prunectl.results import summary
from prunectl.results.aggregate import ablation_differences, roles, summarise
from prunectl.results.table import SCHEMA
from unit.report import small
from unit.results.tabled import magnitude, table


def test_one_seed_is_not_judged() -> None:
    text = " ".join(summary.sentences(made_up.results(seeds=1, failed=0).trials))
    assert "One seed settles nothing" in text
    for word in ("set apart", "interval", "better.", "worse,"):
        assert word not in text
    assert "16 cases, one seed: not judged." in text


def test_two_seeds_that_agree_are_not_judged() -> None:
    trials = made_up.results(seeds=2, failed=0).trials.filter(pl.col("criterion") == "snip")
    ablated = pl.col("ablation") != "none"
    twins = trials.with_columns(top1=pl.when(ablated).then(0.5).otherwise(0.75))
    text = " ".join(summary.sentences(twins))
    assert "Inverting: −25.00 points on average; 4 cases, two seeds: not judged." in text
    assert "worse" not in text


def test_the_sentences_of_a_study() -> None:
    trials = made_up.results().trials
    text = "\n".join(summary.sentences(trials))
    assert "448 of 450 trials are done, with 5 seeds (2 failed)." in text
    assert "Best at 98 % sparsity: magnitude (at end · finetune), 91.74 %, −1.86 points to dense. Next: " in text
    assert "A layer is pruned away entirely in 5 of 358 pruned trials: random · at init · invert" in text
    assert "set apart seed by seed (+2.73 to +3.41 points)" in text


def test_a_best_that_is_not_set_apart_is_called_so() -> None:
    trials = made_up.results().trials
    at_30 = next(text for text in summary.sentences(trials) if text.startswith("Best at 30 %"))
    assert "not set apart" in at_30


def test_means_and_differences_by_hand() -> None:
    trials = made_up.results(seeds=3, failed=0).trials
    snip = trials.filter((pl.col("criterion") == "snip") & (pl.col("sparsity") == 0.9))
    plain, inverted = (snip.filter(pl.col("ablation") == name)["top1"] for name in ("none", "invert"))
    row = summarise(trials).row(
        by_predicate=(pl.col("arm") == "snip · at init") & (pl.col("sparsity") == 0.9), named=True
    )
    assert row["mean"] == pytest.approx(plain.mean())
    assert row["sd"] == pytest.approx(plain.std())
    wanted = (pl.col("arm") == "snip · at init · invert") & (pl.col("sparsity") == 0.9)
    change = ablation_differences(trials).row(by_predicate=wanted, named=True)
    assert change["mean"] == pytest.approx((inverted - plain).mean())
    assert change["interval"] == "95 % t-interval of the mean"


def test_colours_stand_for_criteria_or_for_what_varies() -> None:
    trials = made_up.results(seeds=1).trials
    assert roles(trials).hue == "criterion"
    assert roles(trials).variant == ("at", "retrain")
    magnitude = trials.filter((pl.col("criterion") == "magnitude") & (pl.col("at") == "end"))
    assert (roles(magnitude).hue, roles(magnitude).hues) == ("retrain", ("no retraining", "finetune"))


def test_a_study_without_results_has_a_sentence() -> None:
    assert summary.sentences(pl.DataFrame(schema=SCHEMA))
    bare = made_up.results(seeds=2).trials.with_columns(
        *(pl.lit(None, SCHEMA[name]).alias(name) for name in ("top1", "top1_dense", "compression_error")),
        pl.lit("missing").alias("status"), pl.lit(None, SCHEMA["layers_collapsed"]).alias("layers_collapsed"),
    )  # fmt: skip
    assert summary.sentences(bare)[0].startswith("0 of 180 trials are done")


def test_resources_say_what_sharing_saved() -> None:
    text = " ".join(summary.resources(made_up.results().resources))
    assert "made by this run" in text
    assert "times as much" in text


def test_energy_is_told_with_its_bounds_or_as_not_measured() -> None:
    resources = made_up.results(seeds=1).resources
    assert any("counters of the devices" in text and "for all" in text for text in summary.resources(resources))
    some = resources.with_columns(metered=pl.when(pl.col("kind") == "train").then("metered"))
    assert any("of the" in text and "counters" in text for text in summary.resources(some))
    none = resources.with_columns(energy_j=pl.lit(None, pl.Float64), metered=pl.lit(0))
    assert any(text.startswith("Energy was not measured on the machine") for text in summary.resources(none))


def test_medians_by_hand() -> None:
    trials = made_up.results(seeds=3, failed=0).trials
    dense = sorted(trials.unique("seed")["top1_dense"])
    text = "\n".join(summary.sentences(trials, "median"))
    assert f"Dense vgg16 on cifar10: {dense[1] * 100:.2f} %" in text
    assert "Accuracies are medians over the seeds, differences are means." in text


def test_an_ablation_without_its_twin_is_not_compared() -> None:
    """Plain SNIP at init and shuffled magnitude at the end differ in more than the shuffling."""
    trials = made_up.results(seeds=3, failed=0).trials
    plain = trials.filter((pl.col("criterion") == "snip") & (pl.col("ablation") == "none"))
    shuffled = trials.filter(pl.col("arm") == "magnitude · at init · shuffle").with_columns(
        arm=pl.lit("magnitude · at end · shuffle · lr-rewind"), at=pl.lit("end"), retrain=pl.lit("lr-rewind")
    )
    both = pl.concat([plain, shuffled])
    assert ablation_differences(both).is_empty()
    assert "Shuffling:" not in " ".join(summary.sentences(both))
    twins = pl.concat([both, trials.filter(pl.col("arm") == "snip · at init · shuffle")])
    assert set(ablation_differences(twins)["arm"]) == {"snip · at init · shuffle"}


def test_an_arm_without_a_budget_among_others_has_a_variant_that_names_omit() -> None:
    """Or a panel of a chart would have no title."""
    prune = '[[prune]]\ncriterion = "magnitude"\nat = "end"\nretrain = ["none", "lr-rewind"]\nbudget = [0.5, 1.0]'
    trials = made_up.results(made_up.STUDY.partition("[[prune]]")[0] + prune, seeds=2, epochs=1).trials
    assert set(summarise(trials).select("hue", "variant").unique().rows()) == {
        ("no retraining", "no budget"), ("lr-rewind", "budget 50 %"), ("lr-rewind", "budget 100 %"),
    }  # fmt: skip
    assert "no budget" not in "\n".join(summary.sentences(trials))


def said(trials: pl.DataFrame, start: str) -> str:
    (found,) = (text for text in summary.sentences(trials) if text.startswith(start))
    return found


def test_the_largest_error_of_a_compression_is_told_whatever_its_sign() -> None:
    trials = pl.concat([table(0.5, compression_error=0.01), magnitude(0.5, compression_error=-0.02, sparsity=0.98)])
    assert said(trials, "The compression").endswith("2.0 % (magnitude at 98 %).")


def test_errors_below_half_a_percent_are_hits() -> None:
    assert said(table(0.5, compression_error=0.0049), "Every mask") == (
        "Every mask reaches the compression asked for to within 0.5 %."
    )


def test_a_collapse_is_told_from_the_least_sparsity_on() -> None:
    trials = pl.concat(
        table(0.1, sparsity=sparsity, layers_collapsed=layers)
        for sparsity, layers in ((0.99, ["a"]), (0.95, ["a"]), (0.5, []), (0.0, []))
    )
    assert said(trials, "A layer is") == ("A layer is pruned away entirely in 2 of 3 pruned trials: snip from 95 % on.")


def test_the_best_is_the_highest_mean_and_its_lead_is_judged_seed_by_seed() -> None:
    """Differences .099, .1, .101 of numbers that overlap: paired by seed, they are set apart."""
    trials = pl.concat([table(0.301, 0.5, 0.699), magnitude(0.4, 0.6, 0.8)])
    assert said(trials, "Best at 90 %") == (
        "Best at 90 % sparsity: magnitude, 60.00 %. Next: snip, 50.00 %, "
        "set apart seed by seed (+9.75 to +10.25 points)."
    )


def test_a_baseline_that_failed_is_a_sentence() -> None:
    trials = made_up.results(seeds=2, failed=0).trials
    killed = trials.with_columns(reason=pl.when(pl.col("seed") == 1).then(pl.lit("the dense baseline failed: killed")))
    number = trials.filter(pl.col("seed") == 1).height
    assert f"In {number} trials the dense baseline failed: killed." in summary.sentences(killed)
    assert not any("failed:" in sentence for sentence in summary.sentences(trials))


def test_a_count_that_is_not_known_has_a_sentence() -> None:
    reason = "n_effective is not known: what the output of bmm depends on is not known"
    trials = made_up.results(failed=1).trials
    unknown = (pl.col("criterion") == "snip") & (pl.col("status") == "done")
    nulls = trials.with_columns(reason=pl.when(unknown).then(pl.lit(reason)).otherwise("reason"))
    count = trials.filter(unknown).height
    assert f"In {count} trials {reason}." in summary.sentences(nulls)
    assert not any("is not known" in sentence for sentence in summary.sentences(trials))


def test_arms_are_ranked_by_critical_compression() -> None:
    rows = {"snip": (80.0, "exact"), "random": (20.0, "exact"), "synflow": (950.0, "found")}
    trials = pl.concat(
        table(0.5, 0.5, criterion=criterion, arm=criterion, critical_compression=number, critical_by=how,
              max_compression=1234.5)
        for criterion, (number, how) in rows.items()
    )  # fmt: skip
    assert said(trials, "Critical compression") == (
        "Critical compression, of the prunable weights, the highest at which no layer is empty, in ascending order "
        "(means over the seeds): random 20 (exact); snip 80 (exact); synflow 950 (found). "
        "One weight for each layer would be 1,234."
    )
    differing = trials.with_columns(critical_compression=pl.col("critical_compression") + pl.col("seed") - 1)
    assert "random 20.5 (20 to 21, exact); " in said(differing, "Critical compression")
    assert not list(summary.critical(table(0.5)))


def test_sentences_name_the_arms_at_chance_and_never_call_one_best() -> None:
    trials = small.guessing("magnitude", "snip")
    text = "\n".join(summary.sentences(trials, task=small.TASK))
    assert "No arm is better than guessing at 90 % sparsity. The highest: magnitude, 10.20 %." in text
    assert "at most 10.78 % with 10 classes): magnitude · at init at 90 %, snip · at init at 90 %." in text
    assert "Best at 90 %" not in text and "Best at 50 % sparsity: magnitude, 85.20 %" in text
    assert "at chance" not in "\n".join(summary.sentences(small.swept(), task=small.TASK)).lower()
    one = "\n".join(summary.sentences(small.guessing("snip"), task=small.TASK))
    assert "Next: snip, 10.20 % (at chance)" in one


def test_ablations_of_networks_that_all_guess_are_not_judged() -> None:
    parts = [small.swept(ablation=ablation) for ablation in ("none", "shuffle")]
    wobble = pl.when(pl.col("ablation") == "none").then(0.0).otherwise(pl.col("seed") / 9000)
    noise = 0.1 + pl.col("seed") / 1000 + wobble
    trials = pl.concat(parts).with_columns(top1=pl.when(pl.col("sparsity") > 0).then(noise).otherwise("top1"))
    (known,) = summary.ablated(trials)
    (judged,) = summary.ablated(trials, task=small.TASK)
    assert known.judged == 4 and (judged.judged, judged.guessing) == (0, 4)
    assert judged.counts == "4 cases, every network at chance: not judged"
