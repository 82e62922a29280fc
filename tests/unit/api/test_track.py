"""Tracking a run: each network is logged once, when its trial is done, and a tracker that fails costs only itself."""

from __future__ import annotations

import json
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest

import prunectl
from cli import write_study
from in_process import InProcess
from prunectl.api.run import complete
from prunectl.api.session import Session, open_study
from prunectl.api.track import Tracking, tracker_of, tracking
from prunectl.base.errors import PrunectlError
from prunectl.catalog.tracker import Tracked, Tracker
from prunectl.execute.outcome import Event, Outcome
from small import HERE, SMALL


class Kept(Tracker):
    """Keeps what it was given."""

    name = "kept"
    summary = "for tests"

    project: str = "usual"

    def open(self, folder: Path, study: str) -> List:
        assert folder.is_dir() and folder.name == "kept"
        sys.stdout.write("a banner that must not be shown")
        return LISTS.setdefault(study, List())


class List:
    def __init__(self) -> None:
        self.trials: list[Tracked] = []
        self.fails_at: int | None = None
        self.error: BaseException = OSError("the server is gone")

    def add(self, trial: Tracked) -> None:
        if len(self.trials) == self.fails_at:
            raise self.error
        self.trials.append(trial)

    def close(self) -> None:
        pass


LISTS: dict[str, List] = {}


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    """A study whose results go to the test's own directory."""
    monkeypatch.chdir(tmp_path)
    LISTS.clear()
    return open_study(write_study(tmp_path, SMALL), store=tmp_path / "store")


def tracked_by(session: Session, warnings: list[str] | None = None) -> Tracking:
    opened = tracking(session, Kept(), warn=(warnings if warnings is not None else []).append)
    assert opened is not None
    return opened


def test_each_network_is_logged_once_with_its_choices_curve_and_numbers(
    session: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    tracked = tracked_by(session)
    results = complete(session, HERE, tracked=tracked).results
    trials = {trial.name: trial for trial in LISTS["small"].trials}
    assert sorted(trials) == ["dense, seed 1", "magnitude · at init, 50 %, seed 1", "random · at init, 50 %, seed 1"]
    (row,) = results.trials.filter(criterion="random", sparsity=0.5).to_dicts()
    trial = trials["random · at init, 50 %, seed 1"]
    assert (trial.study, trial.arm) == ("small", row["arm"])
    assert trial.config["criterion"] == "random" and trial.config["sparsity"] == 0.5 and trial.config["seed"] == 1
    assert trial.config["artefact"] == row["artefact"]
    assert trial.numbers["top1"] == row["top1"] and trial.numbers["n_nonzero"] == row["n_nonzero"]
    assert [(step, point["epoch"], point["top1"]) for step, point in trial.curve] == [(2, 1.0, row["top1"])]
    assert None not in {**trial.config, **trial.numbers}.values() and "latency_ms" not in trial.numbers
    assert tracked.summary == "kept has 3 networks of this study, 3 of them new: results/small/tracking/kept"
    assert capsys.readouterr().out == ""


def test_a_trial_is_logged_as_soon_as_it_is_done(session: Session) -> None:
    tracked, counts = tracked_by(session), []

    def listen(event: Event) -> None:
        if isinstance(event, Outcome):
            counts.append(len(LISTS["small"].trials) if LISTS else 0)

    complete(session, HERE, show=lambda plan, todo: nullcontext(listen), tracked=tracked)
    assert counts[0] == 0 and 0 < counts[-1] < 3  # the last event is heard before its trial is logged


def test_a_repeated_run_logs_nothing_twice_and_another_project_everything(session: Session) -> None:
    complete(session, HERE, tracked=tracked_by(session))
    again = tracked_by(session)
    complete(session, HERE, tracked=again)
    assert (len(LISTS["small"].trials), again.added) == (3, 0)
    other = tracking(session, Kept(project="other"))
    complete(session, HERE, tracked=other)
    assert len(LISTS["small"].trials) == 6
    recorded = json.loads(Path("results/small/tracking/logged.json").read_text())
    assert {name: len(keys) for name, keys in recorded.items()} == {
        "kept": 3,
        '{ name = "kept", project = "other" }': 3,
    }


def test_what_was_done_before_is_logged_too(session: Session) -> None:
    complete(session, HERE)
    complete(session, HERE, tracked=tracked_by(session))
    assert [trial.name.partition(",")[0] for trial in LISTS["small"].trials] == [
        "dense", "magnitude · at init", "random · at init"
    ]  # fmt: skip


def test_a_tracker_that_exits_costs_only_itself(session: Session) -> None:
    LISTS["small"] = List()
    LISTS["small"].fails_at, LISTS["small"].error = 1, SystemExit("not logged in")
    warnings: list[str] = []
    complete(session, HERE, tracked=tracked_by(session, warnings))
    assert "goes on without it: SystemExit: not logged in (" in warnings[0]


def test_a_tracker_that_fails_costs_only_itself_and_the_next_run_logs_the_rest(session: Session) -> None:
    LISTS["small"] = List()
    LISTS["small"].fails_at = 1
    warnings: list[str] = []
    tracked = tracked_by(session, warnings)
    completed = complete(session, HERE, tracked=tracked)
    assert completed.results.trials["status"].to_list() == ["done"] * 4
    assert len(LISTS["small"].trials) == 1 and tracked.summary == ""
    (warning,) = warnings
    assert warning.startswith("--track kept failed, and the run goes on without it: OSError: the server is gone (")
    assert warning.endswith("in add); the same command logs what is missing")
    LISTS["small"].fails_at = None
    complete(session, HERE, tracked=tracked_by(session))
    assert len({trial.key for trial in LISTS["small"].trials}) == len(LISTS["small"].trials) == 3


def test_no_key_knows_of_a_tracker(session: Session, tmp_path: Path) -> None:
    tracked = prunectl.run(session.path, store=tmp_path / "a", executor=InProcess(), track=Kept())
    plain = prunectl.run(session.path, store=tmp_path / "b", executor=InProcess())
    assert tracked.trials["artefact"].equals(plain.trials["artefact"])
    assert len(LISTS["small"].trials) == 3


def test_a_package_that_is_missing_is_an_error_before_any_work(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("prunectl.api.track.find_spec", lambda name: None)
    with pytest.raises(PrunectlError, match="needs the package wandb, which is not installed") as raised:
        tracking(session, "wandb")
    assert raised.value.hint == "pip install 'prunectl[wandb]'"
    assert not Path("results").exists()


def test_a_run_that_writes_no_results_tracks_nothing(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config.toml").write_text('[track]\nname = "wandb"\nproject = "mine"\n')
    monkeypatch.setenv("PRUNECTL_CONFIG", str(tmp_path / "config.toml"))
    found = tracker_of(None)
    assert found is not None and (found.name, found.parameters()["project"]) == ("wandb", "mine")
    assert tracking(session, None, shares=True) is None
    with pytest.raises(PrunectlError, match="--track cannot be used with --share"):
        tracking(session, "tensorboard", shares=True)


def test_a_list_that_cannot_be_read_is_an_error_that_names_it(session: Session) -> None:
    folder = Path("results/small/tracking")
    folder.mkdir(parents=True)
    (folder / "logged.json").write_text("[]")
    with pytest.raises(PrunectlError, match=r"results/small/tracking/logged\.json cannot be read"):
        tracking(session, Kept(), folder=Path("results/small"))


def test_masks_of_one_trained_network_are_logged_apart(tmp_path: Path, session: Session) -> None:
    study = write_study(tmp_path, SMALL.replace('at = "init"', 'at = "end"'), "pruned-at-the-end.toml")
    complete(open_study(study, store=tmp_path / "store"), HERE, tracked=tracked_by(session))
    assert len({trial.config["artefact"] for trial in LISTS["small"].trials}) == 1
    assert {trial.name for trial in LISTS["small"].trials} == {
        "dense, seed 1", "magnitude · at end, 50 %, seed 1", "random · at end, 50 %, seed 1"
    }  # fmt: skip
