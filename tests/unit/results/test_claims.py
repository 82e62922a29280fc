"""Claims: what supports, what refutes, and what leaves open."""

from __future__ import annotations

from typing import Any

import pytest

from prunectl.results.claims import Verdict
from prunectl.results.table import Task
from unit.results.claiming import Row, both, judged, rows


def test_supported_if_the_whole_interval_reaches_the_margin() -> None:
    """Differences .01, .02, .03: mean .02, 95 % half-width 4.3027 · .01 / √3 = .02484."""
    trials = both([0.8, 0.8, 0.8], [0.81, 0.82, 0.83])
    found = judged(trials, margin=-0.005)
    assert (found.answer, found.n) == ("supported", 3)
    (detail,) = found.details
    assert detail.interval is not None
    assert detail.difference == pytest.approx(0.02)
    assert detail.interval.low == pytest.approx(0.02 - 0.0248414, abs=1e-7)
    assert judged(trials, margin=-0.0048).answer == "not settled"
    assert judged(trials, margin=0.05).answer == "refuted"
    assert "+2.00 points" in found.reason
    assert "3 seeds" in found.reason


def test_one_seed_never_settles_anything() -> None:
    for top1 in (0.1, 0.9):
        found = judged(both([0.5], [top1]))
        assert (found.answer, found.n) == ("not settled", 1)
        assert "One seed" in found.reason


def test_every_sparsity_counts() -> None:
    good = both([0.8, 0.8, 0.8], [0.900, 0.901, 0.902], sparsity=0.5)
    bad = both([0.8, 0.8, 0.8], [0.700, 0.701, 0.702], sparsity=0.9)
    assert judged([*good, *bad]).answer == "refuted"
    assert judged([*good, *bad], at_sparsity=[0.5]).answer == "supported"
    assert judged(good, at_sparsity=[0.5]).answer == "supported"
    assert judged([*good, *both([0.5], [0.6], sparsity=0.9)]).answer == "not settled"


def test_the_baseline_is_left_out_unless_asked_for() -> None:
    dense = both([0.8, 0.8, 0.8], [0.700, 0.701, 0.702], sparsity=0.0)
    pruned = both([0.8, 0.8, 0.8], [0.900, 0.901, 0.902])
    assert judged([*dense, *pruned]).answer == "supported"
    assert judged([*dense, *pruned], at_sparsity=[0.0]).answer == "refuted"


def test_sparsities_meet_in_spite_of_rounding() -> None:
    trials = both([0.8, 0.8, 0.8], [0.900, 0.901, 0.902], sparsity=1 - 0.8**3)
    assert judged(trials, at_sparsity=[0.488]).answer == "supported"


@pytest.mark.parametrize(("seeds", "margin"), [(2, 0.0), (3, 0.0), (3, -0.01), (5, 0.2)])
def test_equal_differences_show_no_spread_and_settle_nothing(seeds: int, margin: float) -> None:
    """An interval without a width would support or refute by accuracies that happen to agree; [0, 0, 0] did."""
    for top1 in (0.8, 0.9):
        found = judged(both([0.8] * seeds, [top1] * seeds), margin=margin)
        assert (found.answer, found.details[0].interval) == ("not settled", None)
        expected = "Two seeds settle nothing" if seeds == 2 else "no spread: the difference is the same with every seed"
        assert expected in found.reason


def test_two_seeds_never_settle_anything() -> None:
    found = judged(both([0.5, 0.5], [0.9, 0.90001]))
    assert (found.answer, found.n, found.details[0].interval) == ("not settled", 2, None)
    assert found.reason == "Two seeds settle nothing: give the study at least 3 seeds"


def test_one_training_under_two_names_settles_nothing() -> None:
    """Equal artefacts, and everything that was measured is equal."""
    numbers: list[float | None] = [0.8, 0.81, 0.83]
    same = [(single, {**row, "artefact": f"key{row['seed']}"}) for single, row in both(numbers, numbers)]
    found = judged(same, margin=-0.01)
    assert (found.answer, found.details[0].idle) == ("not settled", "the two arms are the same training")
    assert found.reason.endswith("stays open: the two arms are the same training")
    assert "same training" in judged(same[:1] + same[3:4], margin=-0.01).reason


def test_two_masks_on_one_dense_network_are_two_networks() -> None:
    """Without training after pruning, every arm has the artefact of the dense network."""
    trials = both([0.5, 0.51, 0.53], [0.6, 0.612, 0.63])
    found = judged([(single, {**row, "artefact": f"dense{row['seed']}"}) for single, row in trials])
    assert (found.answer, found.details[0].idle) == ("supported", "")


def test_a_case_in_which_every_network_guesses_settles_nothing() -> None:
    """Of 10,000 images in ten classes guessing gets up to 10.78 % right; below chance is guessing, too."""
    found = judged(both([0.1, 0.107, 0.099], [0.104, 0.1, 0.0]), margin=-0.5)
    assert found.answer == "not settled"
    assert found.reason.endswith("every network is at chance (top-1 accuracy at most 10.78 % with 10 classes)")
    learning = both([0.1, 0.107, 0.099], [0.109, 0.1, 0.0])
    assert judged(learning, margin=-0.5).answer == "supported"
    assert judged(learning, margin=-0.5, task=Task(classes=10, images=100)).answer == "not settled"


def test_cases_that_settle_nothing_keep_a_claim_from_being_supported_but_not_from_being_refuted() -> None:
    chance = both([0.1, 0.1, 0.1], [0.1, 0.101, 0.1], sparsity=0.99)
    good = both([0.8, 0.8, 0.8], [0.900, 0.901, 0.902], sparsity=0.5)
    bad = both([0.8, 0.8, 0.8], [0.700, 0.701, 0.702], sparsity=0.5)
    found = judged([*good, *chance])
    assert found.answer == "not settled"
    assert "in 1 of 2 cases every network is at chance" in found.reason
    assert judged([*bad, *chance]).answer == "refuted"


def test_one_case_of_several_refutes_at_a_level_that_grows_with_their_number() -> None:
    """Differences −.021, −.02, −.019 are 20 standard deviations below 0: enough for one of 14 cases, not of 36."""

    def among(cases: int) -> Verdict:
        low = both([0.8, 0.8, 0.8], [0.779, 0.78, 0.781], sparsity=0.5)
        high = [both([0.7, 0.7, 0.7], [0.85, 0.87, 0.86], sparsity=0.5 + place / 100) for place in range(1, cases)]
        return judged([*low, *(row for case in high for row in case)])

    found = among(14)
    assert (found.answer, len(found.details), found.level) == ("refuted", 14, 1 - 0.025 / 14)
    assert "in 1 of 14 cases, most clearly at 50 % sparsity: −2.00 points (99.82 % t-interval" in found.reason
    unsettled = among(36)
    assert (unsettled.answer, unsettled.level) == ("not settled", 1 - 0.025 / 36)
    assert "the interval holds the margin at the level that refutes" in unsettled.reason


def test_the_mean_over_the_cases_refutes_what_no_case_refutes_alone() -> None:
    """Each case is 5 standard deviations below 0, and their noise cancels: the mean is far below."""
    noise = ([0.002, 0.0, -0.002], [-0.0019, 0.0, 0.0021])
    trials = [
        row
        for place, sparsity in enumerate((0.5, 0.6, 0.7, 0.8))
        for row in both([0.8, 0.8, 0.8], [0.79 + each for each in noise[place % 2]], sparsity=sparsity)
    ]
    found = judged(trials)
    assert {detail.answer for detail in found.details} == {"not settled"}
    assert found.answer == "refuted"
    assert "is not at least 0.00 points on average over the cases: −1.00 points (97.5 % t-interval" in found.reason


def test_a_claim_over_the_average_asks_of_the_mean_alone() -> None:
    trials = [
        *both([0.8, 0.8, 0.8], [0.900, 0.901, 0.902], sparsity=0.5),
        *both([0.8, 0.8, 0.8], [0.780, 0.781, 0.782], sparsity=0.9),
    ]
    assert judged(trials).answer == "refuted"
    found = judged(trials, over="average")
    assert found.answer == "supported"
    assert "is at least 0.00 points on average over 2 cases: +4.10 points (95 % t-interval" in found.reason
    assert judged(trials, over="average", margin=0.1).answer == "refuted"
    close = judged(trials, over="average", margin=0.041)
    assert close.answer == "not settled" and "the interval holds the margin: +4.10 points" in close.reason
    assert {judged(trials[:6], over=over).answer for over in ("cases", "average")} == {"supported"}


def test_an_average_with_a_gap_or_a_case_at_chance_is_not_settled() -> None:
    good = both([0.8, 0.8, 0.8], [0.900, 0.901, 0.902], sparsity=0.5)
    gap = both([0.8, 0.8, None], [0.900, 0.901, 0.902], sparsity=0.9)
    chance = both([0.1, 0.1, 0.1], [0.1, 0.101, 0.1], sparsity=0.99)
    same = both([0.8, 0.8, 0.8], [0.9, 0.9, 0.9], sparsity=0.9)
    assert judged([*good, *same], over="average").answer == "supported"  # the mean over both has a spread
    for other, why in ((gap, "trials are missing"), (chance, "every network is at chance")):
        found = judged([*good, *other], over="average")
        assert found.answer == "not settled" and why in found.reason


def test_a_case_with_a_gap_is_no_part_of_the_average() -> None:
    trials = [
        *both([0.8, 0.8, 0.8, 0.8], [0.900, 0.901, 0.902, None], sparsity=0.5),
        *both([0.8, 0.8, 0.8, 0.8], [0.800, 0.801, 0.802, 0.8], sparsity=0.9),
    ]
    average = judged(trials, margin=0.5).average
    assert average is not None and average.n == 4
    assert (average.low + average.high) / 2 == pytest.approx(0.00075)


def test_reasons_are_in_the_unit_of_the_metric() -> None:
    """Of a loss, 0.2 is 0.2 nats and not 20 points."""
    trials = [
        (single, {**row, "loss": 1 - (row["top1"] or 0)}) for single, row in both([0.5, 0.6, 0.7], [0.7, 0.81, 0.9])
    ]
    found = judged(trials, metric="loss", margin=0.1)
    assert found.answer == "supported"
    about = "The difference in loss (ablation none − ablation shuffle)"
    assert found.reason.startswith(f"{about} is at least +0.1000 nats at 90 % sparsity: +0.2033 nats")
    assert "points" not in found.reason
    plain = found.to_dict()
    assert (plain["metric"], plain["unit"], plain["margin"], plain["cases"]) == ("loss", "nats", 0.1, 1)
    assert plain["refuting_level"] == 0.95 and plain["details"][0]["n"] == 3


def test_a_failed_trial_leaves_it_open() -> None:
    found = judged(both([0.8, 0.8, 0.8, None], [0.9, 0.9, 0.9, 0.9]))
    assert (found.answer, found.n) == ("not settled", 3)


def test_trials_are_paired_by_all_that_the_claim_does_not_name() -> None:
    """Two scopes: each shuffled trial meets the unmodified one of its own scope."""
    trials = [
        *both([0.8, 0.8, 0.8], [0.900, 0.901, 0.902], scope="global"),
        *both([0.1, 0.1, 0.1], [0.200, 0.201, 0.202], scope="erk"),
    ]
    found = judged(trials, margin=0.05)
    assert found.answer == "supported"
    assert [detail.arm for detail in found.details] == ["global", "erk"]
    assert [detail.difference for detail in found.details] == [pytest.approx(0.101)] * 2
    assert len(found.artefacts) == 12


def test_what_is_single_on_both_sides_does_not_keep_arms_apart() -> None:
    """SynFlow prunes in rounds, magnitude at once: the claim is about the criteria all the same, and says so."""
    trials = [*rows([0.900, 0.901, 0.902], criterion="synflow"), *rows([0.8, 0.8, 0.8], criterion="magnitude")]
    found = judged(trials, better={"criterion": "synflow"}, than={"criterion": "magnitude"})
    assert found.answer == "supported"
    assert "rounds is exponential(count=100)" in found.reason


def test_a_claim_about_nothing_there_is_open() -> None:
    found = judged(rows([0.5]))
    assert (found.answer, found.n, found.details) == ("not settled", 0, ())
    assert "'better'" in found.reason


def retrained(retrain: Any, top1: list[float | None], **more: Any) -> list[Row]:
    """Trials of one way of retraining after the end, one value a seed."""
    return rows(top1, criterion="magnitude", at="end", retrain=retrain, **more)


def to(epoch: int) -> dict[str, Any]:
    return {"name": "weight-rewind", "to": {"epoch": epoch}}


REWOUND, FINETUNED = {"retrain": "weight-rewind"}, {"retrain": "finetune"}


@pytest.mark.parametrize("sides", [(REWOUND, FINETUNED), (FINETUNED, REWOUND)])
def test_several_arms_of_one_name_are_not_several_seeds(sides: tuple[dict[str, str], dict[str, str]]) -> None:
    """One seed and three rewinding points are three cases of one seed, whichever side they are on."""
    points = ["weight-rewind", to(1), to(2)]
    trials = [row for place, point in enumerate(points) for row in retrained(point, [0.9 + place / 1000])]
    found = judged([*trials, *retrained("finetune", [0.89])], better=sides[0], than=sides[1])
    assert (found.answer, found.n, len(found.details)) == ("not settled", 1, 3)
    assert "One seed" in found.reason


def test_each_arm_of_the_one_side_stands_against_each_of_the_other() -> None:
    trials = [
        *retrained("weight-rewind", [0.899, 0.91, 0.921]),
        *retrained(to(2), [0.919, 0.93, 0.941]),
        *retrained({"name": "finetune", "lr": 0.01}, [0.80, 0.81, 0.82]),
        *retrained({"name": "finetune", "lr": 0.1}, [0.98, 0.99, 1.00]),
    ]
    found = judged(trials, better=REWOUND, than=FINETUNED)
    assert [(detail.n, round(detail.difference or 0, 9)) for detail in found.details] == [
        (3, 0.1), (3, -0.08), (3, 0.12), (3, -0.06),
    ]  # fmt: skip
    assert "weight-rewind against finetune(lr=0.01)" in found.details[0].arm
    assert "weight-rewind(to=epoch 2) against finetune(lr=0.1)" in found.details[3].arm
    assert found.answer == "refuted"


def test_what_both_sides_ask_for_alike_is_shared_and_not_crossed() -> None:
    """A claim about shuffling, of everything that is rewound: each rewinding point is compared with itself."""
    trials = [
        *retrained("weight-rewind", [0.90, 0.91, 0.92]),
        *retrained(to(2), [0.80, 0.81, 0.82]),
        *retrained("weight-rewind", [0.91, 0.92, 0.93], ablation="shuffle"),
        *retrained(to(2), [0.81, 0.82, 0.83], ablation="shuffle"),
    ]
    found = judged(trials, better={**REWOUND, "ablation": "shuffle"}, than={**REWOUND, "ablation": "none"})
    assert len(found.details) == 2
    assert [detail.difference for detail in found.details] == [pytest.approx(0.01)] * 2


def test_a_claim_about_one_rewinding_point_leaves_the_others_out() -> None:
    """Of rewinding to the start and to the end, a claim about one never selects the other."""
    end = {"name": "weight-rewind", "to": "end"}
    trials = [
        *retrained("weight-rewind", [0.899, 0.91, 0.921]),
        *retrained(end, [0.499, 0.51, 0.521]),
        *retrained("lr-rewind", [0.80, 0.81, 0.82]),
    ]
    start = {"retrain": {"name": "weight-rewind", "to": "init"}}
    first = judged(trials, better=start, than={"retrain": "lr-rewind"})
    assert (first.answer, len(first.details)) == ("supported", 1)
    assert first.details[0].difference == pytest.approx(0.1)
    last = judged(trials, better={"retrain": end}, than={"retrain": "lr-rewind"})
    assert (last.answer, len(last.details)) == ("refuted", 1)
    assert last.details[0].difference == pytest.approx(-0.3)


def test_only_equal_budgets_are_compared() -> None:
    """Three budgets at four sparsities are twelve cases, not thirty-six."""
    accuracies: dict[str, list[float | None]] = {"lr-rewind": [0.9, 0.911, 0.93], "finetune": [0.8, 0.81, 0.83]}
    trials = [
        row
        for retrain, top1 in accuracies.items()
        for budget in (0.25, 0.5, 1.0)
        for sparsity in (0.5, 0.6, 0.7, 0.8)
        for row in retrained(retrain, top1, budget=budget, sparsity=sparsity)
    ]
    found = judged(trials, better={"retrain": "lr-rewind"}, than={"retrain": "finetune"})
    assert (found.answer, len(found.details)) == ("supported", 12)
    half = judged(trials, better={"retrain": "lr-rewind", "budget": 0.5}, than={"retrain": "finetune"})
    assert len(half.details) == 4
    crossed = judged(
        trials, better={"retrain": "lr-rewind", "budget": 0.25}, than={"retrain": "finetune", "budget": 1.0}
    )
    assert len(crossed.details) == 4


def test_what_has_no_budget_is_compared_with_every_one() -> None:
    trials = [
        *retrained("none", [0.5, 0.511, 0.53]),
        *retrained("finetune", [0.8, 0.81, 0.83], budget=0.25),
        *retrained("finetune", [0.9, 0.91, 0.93], budget=1.0),
    ]
    found = judged(trials, better={"retrain": "finetune"}, than={"retrain": "none", "at": "end"})
    assert (found.answer, len(found.details)) == ("supported", 2)
    assert [detail.arm for detail in found.details] == ["budget 25 %", "budget 100 %"]
    assert "Mind" not in found.reason


def test_a_case_without_ablation_is_called_unmodified() -> None:
    trials = [row for at in ("init", "end") for row in both([0.5, 0.6], [0.7, 0.81], at=at)]
    found = judged(trials, better={"at": "init"}, than={"at": "end"})
    assert [detail.arm for detail in found.details] == ["unmodified", "shuffle"]


def test_a_metric_in_which_low_is_better_has_its_sign_turned() -> None:
    trials = [(single, {**row, "loss": 1 - (row["top1"] or 0)}) for single, row in both([0.5, 0.6], [0.7, 0.81])]
    found = judged(trials, metric="loss")
    assert found.details[0].difference == pytest.approx(0.205)


def test_a_verdict_names_the_metric_that_the_claim_names() -> None:
    trials = [
        (single, {**row, "top1_validation": row["top1"]}) for single, row in both([0.5, 0.6, 0.7], [0.7, 0.81, 0.9])
    ]
    named = judged(trials, metric="top1_validation").reason
    about = "The difference in top-1 accuracy on validation images (ablation shuffle − ablation none)"
    assert named.startswith(f"{about} is at least 0.00 points")
    assert judged(trials).reason.startswith("The difference (ablation shuffle − ablation none) is at least 0.00 points")


def test_sides_that_differ_in_what_the_claim_does_not_compare_have_no_pair_and_a_reason() -> None:
    """Three scopes on one side and another on the other compared nothing, without a word."""
    better = [row for scope in ("erk", "lamp") for row in rows([0.9, 0.9, 0.9], ablation="shuffle", scope=scope)]
    found = judged([*better, *rows([0.8, 0.8, 0.8], scope="layerwise")])
    assert found.answer == "not settled"
    assert found.reason == (
        "no two trials differ in only what the claim is about: "
        "scope is erk and lamp for 'better' and layerwise for 'than'"
    )


def test_arms_with_labels_that_also_differ_are_called_by_them() -> None:
    """'Mind that scope is rates(per_layer={...}) for the one' filled three lines."""
    rates = {"name": "rates", "per_layer": {"*": 1.0}}
    mine = rows([0.9, 0.91, 0.92], ablation="shuffle", scope=rates, label="IMP")
    labelled = judged([*mine, *rows([0.8, 0.8, 0.8], scope="layerwise", label="SNIP")])
    assert labelled.reason.endswith("Mind that IMP · shuffle and SNIP also differ in scope")
    plain = judged([*rows([0.9, 0.91, 0.92], ablation="shuffle", scope="erk"), *rows([0.8] * 3, scope="layerwise")])
    assert plain.reason.endswith("Mind that scope is erk for the one and layerwise for the other")


def test_a_case_with_one_side_at_chance_is_judged_and_names_the_side() -> None:
    """A network that collapses is a finding; which one it is belongs to the evidence."""
    found = judged(both([0.1, 0.1, 0.101], [0.8, 0.81, 0.83]))
    (detail,) = found.details
    assert (found.answer, detail.better_at_chance, detail.than_at_chance) == ("supported", False, True)
    assert found.reason.endswith("3 seeds). At chance, with every seed: ablation none")
    assert found.to_dict()["details"][0]["guessing"] == "ablation none"
    turned = judged(both([0.8, 0.81, 0.83], [0.1, 0.1, 0.101]))
    assert turned.answer == "refuted" and turned.reason.endswith("At chance, with every seed: ablation shuffle")


def test_the_evidence_counts_the_cases_in_which_a_side_is_at_chance() -> None:
    cases = [
        *both([0.8, 0.8, 0.8], [0.900, 0.901, 0.902], sparsity=0.5),
        *both([0.1, 0.1, 0.1], [0.800, 0.801, 0.802], sparsity=0.9),
        *both([0.1, 0.1, 0.1], [0.600, 0.601, 0.602], sparsity=0.95),
    ]
    found = judged(cases)
    assert found.answer == "supported"
    assert found.reason.endswith("At chance, with every seed: ablation none in 2 of 3 cases")
    assert "At chance" not in judged(cases[:6]).reason


def test_a_case_with_both_sides_at_chance_names_neither_and_settles_nothing() -> None:
    found = judged(both([0.1, 0.107, 0.099], [0.104, 0.1, 0.0]), margin=-0.5)
    (detail,) = found.details
    assert (found.answer, detail.guessing) == ("not settled", "")
    assert detail.better_at_chance and detail.than_at_chance and "At chance" not in found.reason


def test_a_side_whose_every_seed_but_one_guesses_is_not_at_chance() -> None:
    found = judged(both([0.1, 0.1, 0.2], [0.8, 0.81, 0.83]))
    assert not found.details[0].than_at_chance and "At chance" not in found.reason
