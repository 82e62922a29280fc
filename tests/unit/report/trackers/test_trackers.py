"""The trackers, each with its real package: what is logged can be read back. Those that are not installed are skipped.

`pip install -e ".[test]"` brings TensorBoard; `pip install 'prunectl[wandb,mlflow,trackio]'` brings the others.
"""

from __future__ import annotations

import sqlite3
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest

from prunectl.catalog.lookup import read_entry
from prunectl.catalog.tables import TRACKERS
from prunectl.catalog.tracker import Tracked, Tracker


def trial(key: str, *, trained: bool = True) -> Tracked:
    """A trial with two points of a curve, or a network that was not trained."""
    points = [(4, {"epoch": 1.0, "top1": 0.25}), (8, {"epoch": 2.0, "top1": 0.5})]
    return Tracked(
        key=key * 64,
        name=f"snip · at init, 90 %, seed {key}",
        study="tracked",
        arm="snip · at init",
        config={"criterion": "snip", "seed": 1, "sparsity": 0.9, "key": key * 64},
        curve=tuple(points) if trained else (),
        numbers={"top1": 0.5, "n_nonzero": 1000},
    )


def logged(name: str, folder: Path) -> Tracker:
    """Two trials, logged in two runs of prunectl."""
    tracker = read_entry("trackers", name, Tracker)
    if find_spec(tracker.package or name) is None:
        pytest.skip(f"{name} is not installed")
    folder.mkdir(parents=True)
    for each in (trial("a"), trial("b", trained=False)):
        log = tracker.open(folder, "tracked")
        log.add(each)
        log.close()
    return tracker


def test_tensorboard_has_a_run_with_curve_numbers_and_configuration_for_each_trial(tmp_path: Path) -> None:
    tracker = logged("tensorboard", tmp_path / "logs")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    runs = {folder.name: EventAccumulator(str(folder)).Reload() for folder in (tmp_path / "logs").iterdir()}
    assert sorted(runs) == ["snip · at init, 90 %, seed a aaaaaaaa", "snip · at init, 90 %, seed b bbbbbbbb"]
    first, second = (runs[name] for name in sorted(runs))
    assert [(point.step, point.value) for point in first.Scalars("curve/top1")] == [(4, 0.25), (8, 0.5)]
    assert [(point.step, point.value) for point in first.Scalars("final/n_nonzero")] == [(8, 1000.0)]
    assert second.Tags()["scalars"] == ["final/top1", "final/n_nonzero"]
    assert b"snip" in first.SummaryMetadata("_hparams_/session_start_info").plugin_data.content
    assert tracker.view(Path("t")) == "tensorboard --logdir t"


def test_wandb_has_an_offline_run_for_each_trial(tmp_path: Path) -> None:
    tracker = logged("wandb", tmp_path / "wandb")
    import wandb

    wandb.teardown()  # as at the end of a process: everything is on the disk then
    files = sorted((tmp_path / "wandb").glob("offline-run-*/*.wandb"))
    assert sorted(file.stem for file in files) == ["run-aaaaaaaaaaaaaaaa", "run-bbbbbbbbbbbbbbbb"]
    assert all(b"criterion" in file.read_bytes() and b"n_nonzero" in file.read_bytes() for file in files)
    assert tracker.view(Path("t")) == "wandb sync t/offline-run-*"


@pytest.mark.filterwarnings("ignore")  # of packages that mlflow uses
def test_mlflow_has_a_run_with_history_for_each_trial(tmp_path: Path) -> None:
    tracker = logged("mlflow", tmp_path / "logs")
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=f"sqlite:///{tmp_path / 'logs' / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("tracked")
    assert experiment is not None
    runs = {run.info.run_name[-1]: run for run in client.search_runs([experiment.experiment_id])}
    assert runs["a"].data.params["sparsity"] == "0.9" and runs["b"].data.metrics == {"top1": 0.5, "n_nonzero": 1000.0}
    history = client.get_metric_history(runs["a"].info.run_id, "curve/top1")
    assert sorted((point.step, point.value) for point in history) == [(4, 0.25), (8, 0.5)]
    assert tracker.view(Path("t")) == "mlflow ui --backend-store-uri sqlite:///t/mlflow.db"


def test_trackio_has_a_run_with_its_configuration_for_each_trial(tmp_path: Path) -> None:
    logged("trackio", tmp_path / "logs")
    with sqlite3.connect(tmp_path / "logs" / "tracked.db") as database:
        points = database.execute("select run_name, step, metrics from metrics order by run_name, id").fetchall()
        configs = database.execute("select config from configs").fetchall()
    assert [(name[-8:], step) for name, step, _ in points] == [
        ("aaaaaaaa", 4), ("aaaaaaaa", 8), ("aaaaaaaa", 8), ("bbbbbbbb", 0)
    ]  # fmt: skip
    assert b"0.25" in points[0][2] and b"final/n_nonzero" in points[-1][2]
    assert len(configs) == 2 and b"snip" in configs[0][0]


def test_every_tracker_has_an_extra_of_its_name_and_is_tested_here() -> None:
    extras = tomllib.loads((Path(__file__).parents[4] / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    for name in TRACKERS:
        package = read_entry("trackers", name, Tracker).package
        assert package is not None and [text.partition(">")[0] for text in extras[name]] == [package]
        assert f"test_{name}_has" in Path(__file__).read_text()
