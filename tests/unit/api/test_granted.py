"""Seeds until claims are settled, end to end: one claim settles at three seeds, another one gets more for its arms."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from cli import write_study
from prunectl.api.follow import going
from prunectl.api.granted import grown
from prunectl.api.make import make
from prunectl.api.plan import planned
from prunectl.api.results import results_of
from prunectl.api.run import Completed, complete
from prunectl.api.runs import recorded
from prunectl.api.session import Session, open_study
from prunectl.cli.plan import lines
from prunectl.cli.run import document
from prunectl.report import formats, text
from prunectl.results.claims import verdicts
from small import HERE

SETTLING = """\
name = "settling"
[data]
name = "digits"
train_limit = 200
test_limit = 200
[model]
name = "tiny-cnn"
[train]
epochs = 1
batch_size = 50
lr = 0.05
[sweep]
sparsities = [0.5]
seeds = { at_least = 3, until = "settled", at_most = 4 }
[[prune]]
criterion = ["magnitude", "random", "synflow"]
[[claim]]
text = "sure"
better = { criterion = "synflow" }
than = { criterion = "random" }
margin = -1
[[claim]]
text = "open"
better = { criterion = "magnitude" }
than = { criterion = "random" }
"""
SEEDS = {"magnitude · at init": 4, "random · at init": 4, "synflow · at init": 3}


@pytest.fixture(scope="module")
def settling(tmp_path_factory: pytest.TempPathFactory) -> tuple[Session, Completed, list[str]]:
    """The study before its first step, what its run made, and what the run reported."""
    folder = tmp_path_factory.mktemp("settling")
    session = open_study(write_study(folder, SETTLING), store=folder / "store")
    notes: list[str] = []
    return session, complete(session, HERE, warn=notes.append), notes


def test_only_the_arms_of_open_claims_get_more_seeds(settling: tuple[Session, Completed, list[str]]) -> None:
    session, completed, notes = settling
    trials = completed.results.trials
    counts = dict(trials.group_by("arm").len().rows())
    assert (len(session.plan.trials), counts) == (9, SEEDS)
    assert set(trials["status"]) == {"done"}
    sure, opened = verdicts(completed.results)
    assert sure.look is not None and opened.look is not None
    assert (sure.answer, sure.look.seeds, sure.n) == ("supported", 3, 3)
    assert (opened.look.seeds, opened.n, opened.further) == (4, 4, None)
    assert notes == ["claims are open: more seeds for magnitude · at init and random · at init, up to 4"]
    assert completed.tally.done.issuperset(trial.measure for trial in session.plan.trials)
    assert not completed.tally.reused


def test_a_second_run_does_nothing_and_shows_the_same(settling: tuple[Session, Completed, list[str]]) -> None:
    session, completed, _ = settling
    again = open_study(session.path, store=session.store.root)
    assert again.granted == SEEDS
    repeated = complete(again, HERE)
    assert repeated.tally.done == set()
    assert repeated.results.trials.equals(completed.results.trials)
    reported = results_of(again)
    assert reported.trials.equals(completed.results.trials) and not going(reported)
    part = open_study(session.path, store=session.store.root, only="criterion=magnitude")
    assert [trial.seed for trial in part.plan.trials] == [1, 2, 3, 4]


def test_the_store_alone_shows_what_was_granted_and_the_record_keeps_it(
    settling: tuple[Session, Completed, list[str]],
) -> None:
    session, _, _ = settling
    (run,) = recorded(session.store)
    assert run.granted == SEEDS
    assert set(run.keys) >= {trial.measure for trial in grown(session).plan.trials}
    unrecorded = grown(replace(session, granted={}))
    assert len(unrecorded.plan.trials) == 11


def test_a_run_that_ended_between_looks_goes_on(tmp_path: Path) -> None:
    """After the first look nothing of the second was made: the plan has its seeds, and they are missing."""
    session = open_study(write_study(tmp_path, SETTLING), store=tmp_path / "store")
    make(session, "retrain", HERE)
    after = open_study(session.path, store=tmp_path / "store")
    assert len(after.plan.trials) == 11 and going(results_of(after))
    assert results_of(after).trials.filter(pl.col("status") == "missing")["seed"].to_list() == [4, 4]
    assert planned(after).granted == SEEDS


def test_reports_and_plans_show_looks_and_seeds(settling: tuple[Session, Completed, list[str]]) -> None:
    session, completed, _ = settling
    sentence = "with looks after 3 and 4 seeds: 3 seeds for synflow · at init; 4 seeds for magnitude · at init and"
    shown = " ".join(text.table(completed.results, 200).split())
    page, markdown = (str(formats.render(completed.results, format)) for format in ("html", "md"))
    for report in (shown, page, markdown):
        assert sentence in report and "lean outwards" in report
    assert "mean of 3 to 4 seeds" in shown and "99.5 % t-interval</th>" in page
    seeds = json.loads(json.dumps(document(completed, [])["seeds"]))
    assert seeds == {"looks": [{"seeds": 3, "alpha": 0.005}, {"seeds": 4, "alpha": 0.045}], "granted": SEEDS}
    first, settled = planned(session), planned(open_study(session.path, store=session.store.root))
    assert (list(first.looks), set(first.granted.values())) == ([3, 4], {3})
    assert settled.granted == SEEDS and settled.more.startswith("no more follow")
    assert "seeds granted: 3 seeds for 1 arm, 4 seeds for 2 arms; claims are judged after 3 and 4 seeds" in lines(
        settled
    )
    assert [(look.seeds, round(look.supports_sd, 2)) for look in first.claims[0].looks] == [(3, 8.13), (4, 1.66)]
