"""What steps are for, in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from prunectl.api.session import Session, open_study
from prunectl.plan.naming import Titles, purposes


@pytest.fixture
def planned(session: Session, tmp_path: Path) -> Session:
    arms = ['prune[0].criterion=["magnitude", { name = "snip" }, "synflow"]', 'prune[0].ablation=["none", "invert"]']
    return open_study(session.path, set=arms, store=tmp_path / "store")


def test_steps_are_called_by_what_they_are_for(planned: Session) -> None:
    titles = Titles(planned.plan)
    named = {titles[key] for key in planned.plan.steps}
    assert {
        "init for 6 arms, seed 1",
        "train dense, seed 1",
        "train magnitude · at init, 50 %, seed 1",
        "train snip · at init · invert, 50 %, seed 1",
        "score snip, seed 1",
        "prune magnitude · at init, 50 %, seed 1",
        "measure magnitude · at init, 50 %, seed 1",
    } <= named


def test_every_step_that_a_trial_needs_has_a_purpose(planned: Session) -> None:
    needed = planned.plan.closure(planned.plan.targets("retrain"))
    known = purposes(planned.plan)
    assert needed - known.keys() <= {trial.baseline_measure for trial in planned.plan.trials}
    for trial in planned.plan.trials:
        if trial.mask:
            assert known[trial.state].trial.sparsity == trial.sparsity
            assert known[trial.state].arms == known[trial.state].sparsities == 1


def test_what_belongs_to_no_trial_is_the_dense_networks(planned: Session, tmp_path: Path) -> None:
    part = open_study(planned.path, only="sparsity=0.5", store=tmp_path / "store")
    assert Titles(part.plan)[part.plan.trials[0].baseline_measure] == "measure dense, seed 1"
