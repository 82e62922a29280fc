"""Claims: what supports, what refutes, and what leaves open."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from prunectl.catalog.retraining import After
from prunectl.plan.graph import Placed
from prunectl.results.claims import Verdict, verdict
from prunectl.results.table import SCHEMA
from prunectl.study.arms import Arm, expand
from prunectl.study.schema import Claim, PruneSection

Row = tuple[Arm, dict[str, Any]]


def arm(**table: Any) -> Arm:
    """The one arm of a [[prune]] table: SNIP unless it says otherwise."""
    (single,) = expand([PruneSection.model_validate({"criterion": "snip", **table})], "kaiming-normal")
    return single


def rows(top1: list[float | None], sparsity: float = 0.9, **table: Any) -> list[Row]:
    """Trials of one arm at one sparsity, one value a seed from 1 on."""
    single = arm(**table)
    return [(single, {"sparsity": sparsity, "seed": seed, "top1": value}) for seed, value in enumerate(top1, 1)]


def both(none: list[float | None], shuffle: list[float | None], **more: Any) -> list[Row]:
    """Trials of two ablations, one value a seed."""
    return [*rows(none, ablation="none", **more), *rows(shuffle, ablation="shuffle", **more)]


def judged(trials: list[Row], margin: float = 0.0, **claim: Any) -> Verdict:
    """The verdict on a claim, by default that shuffling does not hurt."""
    sides = {"better": {"ablation": "shuffle"}, "than": {"ablation": "none"}}
    base = dict.fromkeys(SCHEMA) | {"model": "m", "dataset": "d", "status": "done"}
    full = [
        base | single.columns() | {"arm": single.label, "artefact": f"key{place}"} | row
        for place, (single, row) in enumerate(trials)
    ]
    arms = {single.label: Placed(arm=single, at_step=0, after=After(), dense_steps=1) for single, _ in trials}
    asked = Claim.model_validate({"text": "t", "margin": margin, **sides, **claim})
    return verdict(asked, pl.DataFrame(full, schema=SCHEMA), arms)


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
    good = both([0.8, 0.8, 0.8], [0.9, 0.9, 0.9], sparsity=0.5)
    bad = both([0.8, 0.8, 0.8], [0.7, 0.7, 0.7], sparsity=0.9)
    assert judged([*good, *bad]).answer == "refuted"
    assert judged([*good, *bad], at_sparsity=[0.5]).answer == "supported"
    assert judged(good, at_sparsity=[0.5]).answer == "supported"
    assert judged([*good, *both([0.5], [0.6], sparsity=0.9)]).answer == "not settled"


def test_the_baseline_is_left_out_unless_asked_for() -> None:
    dense = both([0.8, 0.8, 0.8], [0.7, 0.7, 0.7], sparsity=0.0)
    pruned = both([0.8, 0.8, 0.8], [0.9, 0.9, 0.9])
    assert judged([*dense, *pruned]).answer == "supported"
    assert judged([*dense, *pruned], at_sparsity=[0.0]).answer == "refuted"


def test_sparsities_meet_in_spite_of_rounding() -> None:
    trials = both([0.8, 0.8, 0.8], [0.9, 0.9, 0.9], sparsity=1 - 0.8**3)
    assert judged(trials, at_sparsity=[0.488]).answer == "supported"


def test_two_equal_differences_tell_nothing_of_the_spread() -> None:
    assert judged(both([0.8, 0.8], [0.9, 0.9])).answer == "not settled"


def test_a_failed_trial_leaves_it_open() -> None:
    found = judged(both([0.8, 0.8, 0.8, None], [0.9, 0.9, 0.9, 0.9]))
    assert (found.answer, found.n) == ("not settled", 3)


def test_trials_are_paired_by_all_that_the_claim_does_not_name() -> None:
    """Two scopes: each shuffled trial meets the unmodified one of its own scope."""
    trials = [
        *both([0.8, 0.8, 0.8], [0.9, 0.9, 0.9], scope="global"),
        *both([0.1, 0.1, 0.1], [0.2, 0.2, 0.2], scope="erk"),
    ]
    found = judged(trials, margin=0.05)
    assert found.answer == "supported"
    assert [detail.arm for detail in found.details] == ["global", "erk"]
    assert [detail.difference for detail in found.details] == [pytest.approx(0.1)] * 2
    assert len(found.artefacts) == 12


def test_what_is_single_on_both_sides_does_not_keep_arms_apart() -> None:
    """SynFlow prunes in rounds, magnitude at once: the claim is about the criteria all the same, and says so."""
    trials = [*rows([0.9, 0.9, 0.9], criterion="synflow"), *rows([0.8, 0.8, 0.8], criterion="magnitude")]
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
        *retrained("weight-rewind", [0.90, 0.91, 0.92]),
        *retrained(to(2), [0.92, 0.93, 0.94]),
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
        *retrained("weight-rewind", [0.90, 0.91, 0.92]),
        *retrained(end, [0.50, 0.51, 0.52]),
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
    trials = [
        row
        for retrain, base in (("lr-rewind", 0.9), ("finetune", 0.8))
        for budget in (0.25, 0.5, 1.0)
        for sparsity in (0.5, 0.6, 0.7, 0.8)
        for row in retrained(retrain, [base, base + 0.01, base + 0.03], budget=budget, sparsity=sparsity)
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
        *retrained("none", [0.5, 0.51, 0.53]),
        *retrained("finetune", [0.8, 0.81, 0.83], budget=0.25),
        *retrained("finetune", [0.9, 0.91, 0.93], budget=1.0),
    ]
    found = judged(trials, better={"retrain": "finetune"}, than={"retrain": "none", "at": "end"})
    assert (found.answer, len(found.details)) == ("supported", 2)
    assert [detail.arm for detail in found.details] == ["budget 0.25", "budget 1"]
    assert "Mind" not in found.reason


def test_a_case_without_ablation_is_called_unmodified() -> None:
    trials = [row for at in ("init", "end") for row in both([0.5, 0.6], [0.7, 0.81], at=at)]
    found = judged(trials, better={"at": "init"}, than={"at": "end"})
    assert [detail.arm for detail in found.details] == ["unmodified", "shuffle"]


def test_a_metric_in_which_low_is_better_has_its_sign_turned() -> None:
    trials = [(single, {**row, "loss": 1 - (row["top1"] or 0)}) for single, row in both([0.5, 0.6], [0.7, 0.81])]
    found = judged(trials, metric="loss")
    assert found.details[0].difference == pytest.approx(0.205)
