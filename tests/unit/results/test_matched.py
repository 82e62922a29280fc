"""Matching sparsities and moments of the arms of a table, in numbers, words, columns and claims."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import polars as pl
import pytest

import made_up
from planning import BASE, plan
from prunectl.report.charts import look
from prunectl.report.charts.remaining import over_training
from prunectl.report.charts.shading import Shading
from prunectl.report.grid import arms_by_sparsity
from prunectl.results import matching_words
from prunectl.results.claims import Verdict, verdicts
from prunectl.results.document import document
from prunectl.results.foresight import foresee
from prunectl.results.matched import of_arms, of_moments, of_seeds
from prunectl.results.table import Results
from prunectl.study.load import validate

HEAD = made_up.STUDY.partition("[[prune]]")[0]
WOBBLE = pl.col("seed").replace_strict({1: -0.0001, 2: 0.0, 3: 0.0001}, return_dtype=pl.Float64)
"""Seeds differ by 0.01 points, so that whatever is more than 0.02 points from the margin is proved or excluded."""
SNIP = {0.0: 0.0, 0.3: 0.0, 0.6: -0.02, 0.9: 0.0, 0.98: -0.1}
MAGNITUDE = {0.0: 0.0, 0.3: -0.009, 0.6: -0.005, 0.9: -0.0098, 0.98: -0.1}
SIDES = {"better": {"criterion": "magnitude"}, "than": {"criterion": "snip"}}
CLAIM = """
[[claim]]
text = "Magnitude matches further than SNIP"
better = { criterion = "magnitude" }
than = { criterion = "snip" }
margin = 0.2
metric = "matching_sparsity"
"""


def lowered(results: Results, by: dict[str, dict[float, float]], column: str = "criterion") -> Results:
    """The results with each arm's top-1 accuracy below the dense network's as given."""
    below = pl.coalesce(
        pl.when(pl.col(column) == name).then(pl.col("sparsity").replace_strict(points, return_dtype=pl.Float64))
        for name, points in by.items()
    )
    return replace(results, trials=results.trials.with_columns(top1=pl.col("top1_dense") + below + WOBBLE))


def two(text: str = "", seeds: int = 3) -> Results:
    made = made_up.results(f'{HEAD}[[prune]]\ncriterion = ["magnitude", "snip"]\n{text}', seeds, failed=0, epochs=1)
    return lowered(made, {"snip": SNIP, "magnitude": MAGNITUDE})


def test_each_arm_by_hand() -> None:
    """SNIP is below the margin at 60 %, whatever comes after. Of magnitude, 90 % is too near to the margin to be
    proved: 0.02 points above it, and the bound is 2.92 · 0.01/√3 = 0.0169 points below the mean; so 0.02 is enough.
    """
    results = two()
    found = {arm: matching_words.cell(each) for arm, each in of_arms(results.trials, 0.01, results.task).items()}
    assert found == {"magnitude · at init": "90 % (settled)", "snip · at init": "30 % (settled)"}
    nearer = {arm: matching_words.cell(each) for arm, each in of_arms(results.trials, 0.0099, results.task).items()}
    assert nearer["magnitude · at init"] == "90 % (60 % to 90 %)"


@pytest.mark.parametrize(("loss", "text"), [(0.0, "≥ 98 % (settled)"), (-0.05, "none (settled)")])
def test_none_and_beyond_the_sweep(loss: float, text: str) -> None:
    results = lowered(two(), {name: dict.fromkeys(SNIP, loss) for name in ("snip", "magnitude")})
    assert {matching_words.cell(each) for each in of_arms(results.trials, 0.01, results.task).values()} == {text}
    assert {row.matching for row in arms_by_sparsity(results.trials).rows} == {text}


def test_an_arm_of_which_nothing_is_done_has_an_empty_cell() -> None:
    results = two()
    gone = results.trials.with_columns(top1=pl.lit(None, pl.Float64))
    assert {row.matching for row in arms_by_sparsity(gone).rows} == {""} and arms_by_sparsity(gone).matching == ""
    assert matching_words.sentences(replace(results, trials=gone)) == ()


def test_the_sentences_group_arms_of_one_estimate() -> None:
    assert matching_words.sentences(two('ablation = ["none", "shuffle"]')) == (
        "Within 1 point of dense up to 90 % sparsity: magnitude · at init.",
        "Within 1 point of dense up to 30 % sparsity: snip · at init.",
    )


def test_the_margin_is_that_of_the_study() -> None:
    wide = two("[report]\nmatching_margin = 0.05\n")
    (text,) = matching_words.sentences(wide)
    assert text == "Within 5 points of dense up to 90 % sparsity: magnitude · at init and snip · at init."


def test_the_earliest_moment_counts_from_the_end_of_the_training() -> None:
    """At 90 % pruning at init is excluded and at epoch 10 too near to the margin; at 60 % all match."""
    at = 'at = ["init", { epoch = 10 }, { epoch = 20 }, "end"]'
    made = made_up.results(f'{HEAD}[[prune]]\ncriterion = "snip"\n{at}', 3, failed=0, epochs=1)
    fine = dict.fromkeys(SNIP, 0.0)
    cells = dict(zip(("init", "ten", "twenty", "end"), made.trials["at"].unique(maintain_order=True), strict=True))
    results = lowered(
        made,
        {
            cells["init"]: {**fine, 0.9: -0.05, 0.98: -0.05}, cells["ten"]: {**fine, 0.9: -0.00995, 0.98: -0.05},
            cells["twenty"]: {**fine, 0.98: -0.05}, cells["end"]: {**fine, 0.98: -0.05},
        },
        "at",
    )  # fmt: skip
    found = {each.sparsity: each for each in of_moments(results.trials, results.arms, 0.01, results.task)}
    assert found[0.9].arms == "snip" and found[0.9].moments == ("end", "epoch 20", "epoch 10", "init")
    counts = {at: (each.reach.proved, each.reach.estimate, each.reach.not_excluded) for at, each in found.items()}
    assert counts == {0.3: (4, 4, 4), 0.6: (4, 4, 4), 0.9: (2, 3, 3), 0.98: (0, 0, 0)}
    text = matching_words.sentences(results)[-1]
    assert "by snip matches" in text and "at 90 % sparsity epoch 10 (epoch 20 to epoch 10)" in text


def test_a_restarted_schedule_is_no_moment_of_the_others() -> None:
    at = 'at = ["init", { epoch = 10 }, { epoch = 10, schedule = "restart" }]'
    made = made_up.results(f'{HEAD}[[prune]]\ncriterion = "snip"\n{at}', 3, failed=0, epochs=1)
    assert {each.moments for each in of_moments(made.trials, made.arms, 0.01, made.task)} == {("epoch 10", "init")}


@pytest.mark.parametrize("format", ["words", "json", "shading", "remaining"])
def test_nothing_matches_a_dense_network_that_guesses(format: str) -> None:
    """Pruned networks that guess as well are as accurate as it is, which shows nothing."""
    made = made_up.results(
        f'{HEAD}[[prune]]\ncriterion = "magnitude"\nretrain = "finetune"\nat = "end"\n', 3, failed=0, epochs=1
    )
    guess = replace(made, trials=made.trials.with_columns(top1=pl.lit(0.1), top1_dense=pl.lit(0.1)))
    known = replace(made, trials=made.trials.with_columns(top1=pl.lit(0.9), top1_dense=pl.lit(0.9)))
    asked: dict[str, Callable[[Results], bool]] = {
        "words": lambda results: any(text.startswith("Within") for text in matching_words.sentences(results)),
        "json": lambda results: bool(document(results)["summary"]["matching"]),
        "shading": lambda results: Shading.of(results) is not None,
        "remaining": lambda results: over_training(results, look(results.trials)) is not None,
    }
    shown = asked[format]
    assert shown(known) and not shown(guess)


def test_a_sentence_gives_the_reason_why_nothing_matches_networks_that_guess() -> None:
    """Where only some arms have dense networks that guess, it names them."""
    results = two()
    guess = {"top1": pl.lit(0.1), "top1_dense": pl.lit(0.1)}
    every = replace(results, trials=results.trials.with_columns(**guess))
    reason = "is at chance: a pruned network that matches it shows nothing."
    assert matching_words.sentences(every) == (f"The dense network {reason}",)
    snip = pl.col("criterion") == "snip"
    some = {name: pl.when(snip).then(value).otherwise(name) for name, value in guess.items()}
    assert matching_words.sentences(replace(results, trials=results.trials.with_columns(**some))) == (
        f"The dense network of snip · at init {reason}",
        "Within 1 point of dense up to 90 % sparsity: magnitude · at init.",
    )


def test_one_seed_alone_has_a_highest_sparsity() -> None:
    """Seed 1 of magnitude is 0.99 points below at 90 %; a trial that is missing hides only what comes after it."""
    trials = two().trials
    by_seed = {(arm, seed): value for arm, seed, value, _ in of_seeds(trials, 0.01).iter_rows()}
    assert by_seed == {
        (f"{name} · at init", seed): value for name, value in (("magnitude", 0.9), ("snip", 0.3)) for seed in (1, 2, 3)
    }

    def without(sparsity: float) -> list[Any]:
        gone = pl.when(pl.col("sparsity") != sparsity).then("top1")
        return of_seeds(trials.with_columns(top1=gone), 0.01)["matching_sparsity"].unique(maintain_order=True).to_list()

    assert without(0.98) == [None, 0.3] and without(0.9) == [None, 0.3] and without(0.3) == [None]
    nowhere = of_seeds(trials.with_columns(top1=pl.col("top1_dense") - 0.5), 0.01)
    assert set(nowhere["matching_sparsity"]) == {0.0}


def judged(results: Results) -> Verdict:
    (single,) = verdicts(results)
    return single


def test_a_claim_compares_the_highest_sparsities_seed_by_seed() -> None:
    """30 points more than SNIP with one seed, 60 with the others: t(0.975; 2) = 4.3 leaves a margin of 20 open."""
    results = two(CLAIM, seeds=3)
    best = pl.when((pl.col("criterion") == "magnitude") & (pl.col("sparsity") == 0.9) & (pl.col("seed") == 1))
    varied = results.trials.with_columns(top1=best.then(pl.col("top1_dense") - 0.2).otherwise("top1"))
    verdict = judged(replace(results, trials=varied))
    (detail,) = verdict.details
    assert detail.difference == pytest.approx((0.3 + 0.6 + 0.6) / 3) and detail.n == 3
    assert len(detail.artefacts) == 2 * 3 * 4, "the networks of the whole sweep"
    assert "over sparsities up to 98 %: +50.00 points" in verdict.reason
    assert verdict.answer == "not settled"


def test_without_spread_nothing_is_settled_and_missing_trials_count() -> None:
    results = two(CLAIM)
    assert "no spread" in judged(results).reason
    gone = pl.when((pl.col("sparsity") != 0.6) | (pl.col("seed") != 2)).then("top1")
    assert "trials are missing" in judged(replace(results, trials=results.trials.with_columns(top1=gone))).reason


def test_dense_networks_at_chance_match_nothing() -> None:
    results = two(CLAIM)
    guessing = results.trials.with_columns(top1=pl.lit(0.1), top1_dense=pl.lit(0.1))
    assert "every network is at chance" in judged(replace(results, trials=guessing)).reason


def test_what_a_claim_can_show_is_known_before() -> None:
    claim = {"text": "t", "metric": "matching_sparsity", **SIDES}
    changed = {
        "sweep": {"sparsities": [0.0, 0.5, 0.9], "seeds": 4},
        "claim": [claim],
    }
    arms = [{"criterion": "magnitude"}, {"criterion": "snip"}]
    study, _ = validate({**BASE, "prune": arms, **changed})
    assert study is not None
    (foresight,) = foresee(study, plan(*arms, **changed))
    assert (foresight.seeds, foresight.cases) == (4, 1), "one number a seed, whatever the number of sparsities"


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ({"at_sparsity": 0.5}, "matching sparsity is a number of the whole sweep"),
        ({"than": {"criterion": "none"}}, "a dense network that is retrained has no matching"),
    ],
)
def test_what_a_claim_cannot_mean_is_refused(more: dict[str, Any], problem: str) -> None:
    claim = {"text": "t", "metric": "matching_sparsity", **SIDES, **more}
    arms = [{"criterion": "magnitude", "at": "end"}, {"criterion": "snip"}]
    asked = {
        **BASE,
        "prune": arms,
        "control": [{"retrain": "finetune"}],
        "claim": [claim],
    }
    _, problems = validate(asked)
    (single,) = problems
    assert single.message.startswith(problem)
