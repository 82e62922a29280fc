"""What a claim can show, before anything runs."""

from __future__ import annotations

from typing import Any

import pytest

from planning import BASE, DATA
from prunectl.plan.build import build
from prunectl.plan.only import only
from prunectl.results.foresight import Foresight, foresee
from prunectl.study.load import validate

CLAIM = {"text": "t", "better": {"ablation": "shuffle"}, "than": {"ablation": "none"}}


def foreseen(*claims: dict[str, Any], seeds: int = 3, selectors: tuple[str, ...] = ()) -> tuple[Foresight, ...]:
    """What claims about two criteria, two ablations and two sparsities can show."""
    arms = [{"criterion": ["snip", "magnitude"], "ablation": ["none", "shuffle"]}]
    sweep = {"sparsities": [0.0, 0.5, 0.9], "seeds": seeds}
    study, problems = validate({**BASE, "sweep": sweep, "prune": arms, "claim": list(claims)})
    assert study is not None and not problems, problems
    return foresee(study, only(build(study, study.data.dataset.declared(DATA)), selectors))


def test_cases_are_arms_at_sparsities_and_the_baseline_is_none() -> None:
    (found,) = foreseen(CLAIM)
    assert (found.cases, found.seeds, found.over) == (4, 3, "cases")
    assert found.refutes_sd == pytest.approx(7.26, abs=0.01)
    assert found.supports_sd == pytest.approx(2.48, abs=0.01)


def test_selectors_and_sparsities_leave_fewer_cases() -> None:
    one, half = foreseen(
        {**CLAIM, "at_sparsity": 0.9}, {**CLAIM, "better": {"ablation": "shuffle", "criterion": "snip"}}
    )
    assert (one.cases, half.cases) == (2, 2)
    (part,) = foreseen(CLAIM, selectors=("sparsity=0.9,seed!=2",))
    assert (part.cases, part.seeds, part.refutes_sd) == (2, 2, None)


def test_an_average_needs_what_a_single_case_needs() -> None:
    (found,) = foreseen({**CLAIM, "over": "average"}, seeds=5)
    assert found.refutes_sd == found.supports_sd == pytest.approx(1.24, abs=0.01)


def test_a_claim_against_the_dense_network_has_a_case_for_each_arm_and_sparsity() -> None:
    (found,) = foreseen({"text": "t", "better": {"ablation": "none"}, "than": "dense"})
    assert (found.cases, found.seeds) == (4, 3)


def test_few_seeds_or_no_pairs_settle_nothing() -> None:
    (found,) = foreseen(CLAIM, seeds=1)
    assert (found.cases, found.seeds, found.refutes_sd, found.supports_sd) == (4, 1, None, None)
    (nothing,) = foreseen(CLAIM, selectors=("ablation=none",))
    assert (nothing.cases, nothing.seeds) == (0, 0)
    assert foreseen() == ()
