"""`--executor slurm` with submitit's local executor: real pull-workers on one store."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli import prunectl, write_study
from prunectl.api.run import complete
from prunectl.api.session import open_study
from prunectl.store import layout
from prunectl.store.local import LocalStore
from small import HERE, SMALL

LOCALLY = '{ name = "slurm", cluster = "local", nodes = 2 }'


def contents(store: LocalStore) -> dict[str, dict[str, str]]:
    """Every artefact with the digests of its files, except one that holds seconds."""
    manifests = map(store.manifest, list(store.keys()))
    return {each.key: {**each.files, layout.INFO: ""} for each in manifests}


def test_pull_workers_make_the_same_artefacts_as_a_local_run(tmp_path: Path) -> None:
    pytest.importorskip("submitit")
    study = write_study(tmp_path, SMALL)
    store = tmp_path / "store"
    ran = prunectl("run", study, "--executor", LOCALLY, "--jobs", "1", "--device", "cpu", "--json", store=store)
    assert ran.code == 0, ran.err
    assert ran.json()["steps"]["failed"] == 0
    assert "submitted the group of 2 local jobs" in ran.err
    session = open_study(study, store=tmp_path / "other")
    alone = complete(session, HERE)
    assert contents(LocalStore(store)) == contents(LocalStore(session.store.root))
    assert [row["top1"] for row in ran.json()["trials"]] == alone.results.trials["top1"].to_list()
    assert not list((store / "jobs").iterdir()) and not list((store / "locks").glob("*.claim"))
