"""Claims: what supports, what refutes, and what leaves open."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from prunectl.results.claims import Verdict, verdict, verdicts
from prunectl.results.table import SCHEMA
from prunectl.study.schema import Claim


def trials(*rows: dict[str, Any]) -> pl.DataFrame:
    base = {
        "model": "m", "dataset": "d", "criterion": "snip", "scope": "global", "structure": "weights", "at": "init",
        "rounds": "one-shot", "ablation": "none", "retrain": "none", "sparsity": 0.9, "status": "done",
    }  # fmt: skip
    full = [dict.fromkeys(SCHEMA) | base | {"artefact": f"key{index}"} | row for index, row in enumerate(rows)]
    return pl.DataFrame(full, schema=SCHEMA)


def both(none: list[float | None], shuffle: list[float | None], **more: Any) -> list[dict[str, Any]]:
    """Trials of two ablations, one value a seed."""
    return [
        {"ablation": name, "seed": seed, "top1": value, **more}
        for name, values in (("none", none), ("shuffle", shuffle))
        for seed, value in enumerate(values)
    ]


def judged(rows: pl.DataFrame, margin: float = 0.0, **more: Any) -> Verdict:
    claim = Claim(text="t", better={"ablation": "shuffle"}, than={"ablation": "none"}, margin=margin, **more)
    return verdicts([claim], rows)[0]


def test_supported_if_the_whole_interval_reaches_the_margin() -> None:
    """Differences .01, .02, .03: mean .02, 95 % half-width 4.3027 · .01 / √3 = .02484."""
    rows = trials(*both([0.8, 0.8, 0.8], [0.81, 0.82, 0.83]))
    found = judged(rows, margin=-0.005)
    assert (found.answer, found.n) == ("supported", 3)
    (detail,) = found.details
    assert detail.interval is not None
    assert detail.difference == pytest.approx(0.02)
    assert detail.interval.low == pytest.approx(0.02 - 0.0248414, abs=1e-7)
    assert judged(rows, margin=-0.0048).answer == "not settled"
    assert judged(rows, margin=0.05).answer == "refuted"
    assert "+2.00 points" in found.reason
    assert "3 seeds" in found.reason


def test_one_seed_never_settles_anything() -> None:
    for top1 in (0.1, 0.9):
        found = judged(trials(*both([0.5], [top1])))
        assert (found.answer, found.n) == ("not settled", 1)
        assert "One seed" in found.reason


def test_every_sparsity_counts() -> None:
    good = both([0.8, 0.8, 0.8], [0.9, 0.9, 0.9], sparsity=0.5)
    bad = both([0.8, 0.8, 0.8], [0.7, 0.7, 0.7], sparsity=0.9)
    assert judged(trials(*good, *bad)).answer == "refuted"
    assert judged(trials(*good, *bad), at_sparsity=[0.5]).answer == "supported"
    assert judged(trials(*good), at_sparsity=[0.5]).answer == "supported"
    assert judged(trials(*good, *both([0.5], [0.6], sparsity=0.9))).answer == "not settled"


def test_the_baseline_is_left_out_unless_asked_for() -> None:
    dense = both([0.8, 0.8, 0.8], [0.7, 0.7, 0.7], sparsity=0.0)
    pruned = both([0.8, 0.8, 0.8], [0.9, 0.9, 0.9])
    assert judged(trials(*dense, *pruned)).answer == "supported"
    assert judged(trials(*dense, *pruned), at_sparsity=[0.0]).answer == "refuted"


def test_sparsities_meet_in_spite_of_rounding() -> None:
    rows = trials(*both([0.8, 0.8, 0.8], [0.9, 0.9, 0.9], sparsity=1 - 0.8**3))
    assert judged(rows, at_sparsity=[0.488]).answer == "supported"


def test_two_equal_differences_tell_nothing_of_the_spread() -> None:
    assert judged(trials(*both([0.8, 0.8], [0.9, 0.9]))).answer == "not settled"


def test_a_failed_trial_leaves_it_open() -> None:
    found = judged(trials(*both([0.8, 0.8, 0.8, None], [0.9, 0.9, 0.9, 0.9])))
    assert (found.answer, found.n) == ("not settled", 3)


def test_trials_are_paired_by_all_that_the_claim_does_not_name() -> None:
    """Two scopes: each shuffled trial meets the unmodified one of its own scope."""
    rows = trials(
        *both([0.8, 0.8, 0.8], [0.9, 0.9, 0.9], scope="global"),
        *both([0.1, 0.1, 0.1], [0.2, 0.2, 0.2], scope="erk"),
    )
    found = judged(rows, margin=0.05)
    assert found.answer == "supported"
    assert [detail.arm for detail in found.details] == ["global", "erk"]
    assert [detail.difference for detail in found.details] == [pytest.approx(0.1)] * 2
    assert len(found.artefacts) == 12


def test_what_is_single_on_both_sides_does_not_keep_arms_apart() -> None:
    """SynFlow prunes in rounds, magnitude at once: the claim is about the criteria all the same, and says so."""
    rows = trials(
        *({"criterion": "synflow", "rounds": "exponential(count=100)", "seed": n, "top1": 0.9} for n in range(3)),
        *({"criterion": "magnitude", "seed": n, "top1": 0.8} for n in range(3)),
    )
    claim = Claim(text="t", better={"criterion": "synflow"}, than={"criterion": "magnitude"})
    (found,) = verdicts([claim], rows)
    assert found.answer == "supported"
    assert "rounds is exponential(count=100)" in found.reason


def test_a_claim_about_nothing_there_is_open() -> None:
    found = judged(trials({"seed": 1, "top1": 0.5}))
    assert (found.answer, found.n, found.details) == ("not settled", 0, ())
    assert "'better'" in found.reason


def retrained(label: str, top1: list[float], **more: Any) -> list[dict[str, Any]]:
    """Trials of one way of retraining, one value a seed."""
    arm = {"criterion": "magnitude", "at": "end", "retrain": label}
    return [arm | {"seed": seed, "top1": value} | more for seed, value in enumerate(top1, 1)]


REWOUND, FINETUNED = {"retrain": "weight-rewind"}, {"retrain": "finetune"}
POINTS = ("weight-rewind", "weight-rewind(epoch=1)", "weight-rewind(epoch=2)")


@pytest.mark.parametrize("sides", [(REWOUND, FINETUNED), (FINETUNED, REWOUND)])
def test_several_arms_of_one_name_are_not_several_seeds(sides: tuple[dict[str, str], dict[str, str]]) -> None:
    """One seed and three rewinding points are three cases of one seed, whichever side they are on."""
    rows = trials(
        *(row for place, label in enumerate(POINTS) for row in retrained(label, [0.9 + place / 1000])),
        *retrained("finetune", [0.89]),
    )
    (found,) = verdicts([Claim(text="t", better=sides[0], than=sides[1])], rows)
    assert (found.answer, found.n, len(found.details)) == ("not settled", 1, 3)
    assert "One seed" in found.reason


def test_each_arm_of_the_one_side_stands_against_each_of_the_other() -> None:
    rows = trials(
        *retrained("weight-rewind", [0.90, 0.91, 0.92]),
        *retrained("weight-rewind(epoch=2)", [0.92, 0.93, 0.94]),
        *retrained("finetune(lr=0.01)", [0.80, 0.81, 0.82]),
        *retrained("finetune(lr=0.1)", [0.98, 0.99, 1.00]),
    )
    (found,) = verdicts([Claim(text="t", better=REWOUND, than=FINETUNED)], rows)
    assert {detail.arm: (detail.n, round(detail.difference or 0, 9)) for detail in found.details} == {
        "weight-rewind against finetune(lr=0.01)": (3, 0.1),
        "weight-rewind against finetune(lr=0.1)": (3, -0.08),
        "weight-rewind(epoch=2) against finetune(lr=0.01)": (3, 0.12),
        "weight-rewind(epoch=2) against finetune(lr=0.1)": (3, -0.06),
    }
    assert found.answer == "refuted"


def test_what_both_sides_ask_for_alike_is_shared_and_not_crossed() -> None:
    """A claim about shuffling, of everything that is rewound: each rewinding point is compared with itself."""
    rows = trials(
        *retrained("weight-rewind", [0.90, 0.91, 0.92]),
        *retrained("weight-rewind(epoch=2)", [0.80, 0.81, 0.82]),
        *retrained("weight-rewind", [0.91, 0.92, 0.93], ablation="shuffle"),
        *retrained("weight-rewind(epoch=2)", [0.81, 0.82, 0.83], ablation="shuffle"),
    )
    claim = Claim(text="t", better={**REWOUND, "ablation": "shuffle"}, than={**REWOUND, "ablation": "none"})
    (found,) = verdicts([claim], rows)
    assert [detail.arm for detail in found.details] == ["weight-rewind", "weight-rewind(epoch=2)"]
    assert [detail.difference for detail in found.details] == [pytest.approx(0.01)] * 2


def test_a_claim_can_be_about_one_rewinding_point_of_several() -> None:
    rows = trials(
        *retrained("weight-rewind", [0.90, 0.91, 0.92]),
        *retrained("weight-rewind(epoch=2)", [0.93, 0.94, 0.95]),
        *retrained("weight-rewind(epoch=8)", [0.50, 0.51, 0.52]),
    )
    better, than = ({"retrain": "weight-rewind", "rewind_to": point} for point in ({"epoch": 2}, "init"))
    told = verdict(Claim(text="t", better=better, than=than, margin=0.02), rows)
    assert (told.answer, len(told.details)) == ("supported", 1)
    assert told.details[0].difference == pytest.approx(0.03)
