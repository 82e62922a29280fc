"""Taking a network out of the store: which one, and what stands in the way."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from prunectl.api.export import chosen, export, exported
from prunectl.api.run import Completed
from prunectl.api.session import Session, open_study
from prunectl.base.errors import PrunectlError
from small import damage

ONE = "criterion=random,sparsity=0.5"


def narrowed(session: Session, only: str) -> Session:
    return open_study(session.path, only=only, store=session.store.root)


def test_one_network_is_written_with_its_description(completed: tuple[Path, Completed], tmp_path: Path) -> None:
    folder, _ = completed
    session = open_study(folder / "study.toml", only=ONE, store=folder / "store")
    document = export(session, tmp_path / "out", only=[ONE])
    assert document["study"]["name"] == "small"
    assert (document["trial"]["criterion"], document["trial"]["sparsity"]) == ("random", 0.5)
    assert set(document["files"]) == {"model.safetensors", "mask.safetensors"}
    assert document["compact"] is None
    assert (tmp_path / "out" / "network.json").exists()


def test_several_networks_are_refused_and_the_hint_narrows_to_one(session: Session) -> None:
    with pytest.raises(PrunectlError, match="3 are left") as raised:
        chosen(session)
    assert raised.value.hint is not None
    selector = raised.value.hint.partition("'")[2].rstrip("'")
    assert chosen(narrowed(session, selector))
    with pytest.raises(PrunectlError, match="2 are left") as raised:
        chosen(narrowed(session, "criterion=random"), ["criterion=random"])
    assert raised.value.hint is not None and "'criterion=random,sparsity=0.5'" in raised.value.hint


def test_sparsities_are_listed_with_the_digits_that_selectors_take(session: Session, tmp_path: Path) -> None:
    """1 − 1/1.25 is not 0.2 in floating point."""
    study = tmp_path / "levels.toml"
    levels = "levels = { rate = 0.2, count = 2 }"
    study.write_text(re.sub(r"sparsities = .*", levels, session.path.read_text()))
    with pytest.raises(PrunectlError, match=r"sparsity is 0\.2, 0\.36, 0"):
        chosen(open_study(study, store=session.store.root))


def test_a_choice_that_was_not_made_is_not_given(session: Session) -> None:
    two = [{"criterion": "magnitude", "at": "end", "retrain": ["none", "finetune"]}]
    study = open_study(session.path, set={"prune": two, "sweep.sparsities": [0.5]}, store=session.store.root)
    with pytest.raises(PrunectlError, match=r"budget is not given, 1\.0"):
        chosen(study)


def test_arms_that_share_the_dense_network_are_one(session: Session) -> None:
    assert chosen(narrowed(session, "sparsity=0")).mask is None


def test_a_trial_that_has_not_been_made_or_failed_says_so(own: Session, tmp_path: Path) -> None:
    session = narrowed(own, ONE)
    own.store.delete(session.plan.trials[0].state)
    with pytest.raises(PrunectlError, match="has not been made yet") as raised:
        export(session, tmp_path / "out")
    assert raised.value.hint is not None and f"prunectl run {own.path}" in raised.value.hint
    own.store.record_failure(session.plan.trials[0].state, "method", "no answer", "")
    with pytest.raises(PrunectlError, match="this trial failed: no answer"):
        export(session, tmp_path / "out")


@pytest.mark.parametrize(
    ("only", "selector"),
    [
        ((), "criterion=random,sparsity=0.5"),
        ((ONE,), ONE),
        (("criterion=random",), "criterion=random,sparsity=0.5"),
        (("criterion=magnitude", "criterion=random"), "criterion=random,criterion=random,sparsity=0.5"),
    ],
)
def test_the_hint_is_the_command_that_makes_the_trial(
    session: Session, tmp_path: Path, only: tuple[str, ...], selector: str
) -> None:
    study = tmp_path / "my study.toml"
    study.write_text(session.path.read_text() + '\n[profile.quick]\n"train.epochs" = 1\n')
    given: dict[str, Any] = {"set": ["train.lr=0.125", "title=a b"], "profile": "quick", "store": session.store.root}
    asked = open_study(study, only=only, **given)
    trial = next(trial for trial in asked.plan.trials if trial.sparsity and trial.arm.exact("criterion") == "random")
    with pytest.raises(PrunectlError, match="has not been made yet") as raised:
        exported(asked, trial, tmp_path / "out", compact=False)
    words = shlex.split(str(raised.value.hint).removeprefix("make it: "))
    assert words[:5] == ["prunectl", "run", str(study), "--profile", "quick"]
    assert words[5:] == ["--set", "train.lr=0.125", "--set", "title=a b", "--only", selector]
    assert [made.state for made in open_study(study, only=selector, **given).plan.trials] == [trial.state]


def test_a_study_of_one_trial_needs_no_selector_to_make_it(session: Session, tmp_path: Path) -> None:
    one = {"prune": [{"criterion": "random", "at": "init"}], "sweep.sparsities": [0.5]}
    with pytest.raises(PrunectlError, match="has not been made yet") as raised:
        export(open_study(session.path, set=one, store=tmp_path / "store"), tmp_path / "out")
    assert "--set" in str(raised.value.hint) and "--only" not in str(raised.value.hint)


def test_a_damaged_network_is_not_exported(own: Session, tmp_path: Path) -> None:
    damage(own, "mask.safetensors")
    damaged = [only for only in ("criterion=random", "criterion=magnitude") if _refused(own, only, tmp_path)]
    assert len(damaged) == 1


def _refused(own: Session, only: str, tmp_path: Path) -> bool:
    try:
        export(narrowed(own, f"{only},sparsity=0.5"), tmp_path / only)
    except PrunectlError as error:
        assert "set aside" in error.message
        assert error.hint is not None and "recomputes" in error.hint
        return True
    return False
