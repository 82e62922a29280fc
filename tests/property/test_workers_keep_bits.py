"""Invariant 12: bits do not depend on neighbours. A step leaves the same bytes alone and after any other."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch

from cli import prunectl, write_study
from plugged import install
from prunectl.api.machine import Machine, settled
from prunectl.api.make import _request
from prunectl.api.run import complete
from prunectl.api.session import Session, open_study
from prunectl.execute import child
from prunectl.execute.outcome import Status
from prunectl.execute.surroundings import Surroundings
from prunectl.plan.steps import Key, parents
from prunectl.store import layout
from prunectl.store.local import LocalStore
from prunectl.work import held, originals
from small import HERE, SMALL

STUDY = SMALL.replace(
    """criterion = ["magnitude", "random"]
at = "init"
""",
    """criterion = ["magnitude", "snip", "synflow", "fisher"]
at = "init"
ablation = ["none", "shuffle"]
[[prune]]
criterion = "magnitude"
at = "end"
structure = "channels"
retrain = ["lr-rewind", "finetune", "recalibrate"]
""",
)


def files(store: LocalStore) -> dict[str, Mapping[str, str]]:
    """The digest of every file of every artefact, but for the one that holds times."""
    return {
        key: {name: sha for name, sha in store.manifest(key).files.items() if name != layout.INFO}
        for key in store.keys()  # noqa: SIM118  # a store is not a dict
    }


def any_order(session: Session, draws: random.Random) -> list[Key]:
    """Every step of a plan, each somewhere after those that it needs."""
    left, done = dict(session.plan.steps), list[Key]()
    while left:
        ready = [key for key, step in left.items() if left.keys().isdisjoint(parents(step).values())]
        done.append(draws.choice(ready))
        del left[done[-1]]
    return done


@pytest.mark.parametrize("seed", range(2))
def test_the_order_of_steps_in_one_worker_changes_no_byte(seed: int, tmp_path: Path) -> None:
    study = write_study(tmp_path, STUDY)
    calm = open_study(study, store=tmp_path / "calm")
    complete(calm, HERE)
    session = open_study(study, store=tmp_path / "mixed")
    draws, surroundings, workers = random.Random(seed), Surroundings(), settled(Machine(device="cpu", jobs=1))
    for key in any_order(session, draws):
        surroundings.restore()
        if draws.random() < 0.3:  # as a worker that has just been forked
            held._READ.clear()
            held._LAID_OUT.clear()
            originals._READ.clear()
        torch.manual_seed(draws.randrange(2**32))  # whatever the step before has drawn
        outcome = child.do(_request(session, workers, key, None), lambda: False, lambda done, total: None)
        assert outcome.status is Status.DONE, outcome
    assert files(session.store) == files(calm.store)


RUDE = """\
import os, sys
from prunectl.catalog.criterion import Criterion, DataCriterion


class Rude(Criterion):
    name, summary, paper = "rude", "changes everything that a process has", "nobody"

    def score(self, subject):
        import numpy, random, torch
        scores = {name: w.detach().abs() for name, w in subject.weights.items()}
        print("out"), os.write(1, b"by descriptor"), sys.stderr.write("err")
        os.chdir("/"), os.umask(0o077), os.environ.update(OMP_NUM_THREADS="7", PRUNECTL_STORE="/nowhere")
        torch.set_default_dtype(torch.float64), torch.set_num_threads(3), torch.set_grad_enabled(False)
        torch.manual_seed(1), numpy.random.seed(1), random.seed(1)
        torch.nn.functional.cross_entropy = None
        torch.Tensor.abs = None
        return scores


class Leaving(DataCriterion):
    name, summary, paper = "leaving", "ends the process, on more images than the check has", "nobody"

    def score(self, subject):
        if len(subject.batches[0][0]) == 100:
            sys.exit(3)
        return {name: w.detach().abs() for name, w in subject.weights.items()}
"""


def test_a_rude_plug_in_reaches_neither_the_answer_nor_the_next_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    points = "[prunectl.criteria]\nrude = net:Rude\nleaving = net:Leaving\n"
    install(tmp_path / "site", points, {"net.py": RUDE})
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"), prepend=":")
    arms = '["rude", "magnitude", "leaving", "snip"]'
    study = write_study(tmp_path, SMALL.replace('["magnitude", "random"]', arms))
    ran = prunectl("run", study, "--json", "--jobs", "1", store=tmp_path / "store")
    assert ran.code == 1, ran.err
    rows = {row["criterion"]: row for row in ran.json()["trials"] if row["sparsity"]}
    assert rows["leaving"]["status"] == "failed"
    assert rows["leaving"]["reason"].startswith("SystemExit: 3 (")
    alone = open_study(
        write_study(tmp_path, SMALL.replace('"random"', '"snip"'), "alone.toml"), store=tmp_path / "alone"
    )
    table = complete(alone, HERE).results.trials.filter(sparsity=0.5)
    assert [rows[name]["loss"] for name in ("magnitude", "snip")] == table["loss"].to_list()
    assert rows["rude"]["loss"] == rows["magnitude"]["loss"], "its scores are magnitude's"
