"""MLflow: a database on this machine, or the server that a user names."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from prunectl.catalog.tracker import OfStudy, Text, Tracked, Tracker

MOST = 1000
"""The maximum number of metrics of one request."""


class Mlflow(Tracker):
    """A run of MLflow for each trial."""

    name = "mlflow"
    summary = "runs of MLflow, in a database on this machine unless uri names a server; needs prunectl[mlflow]"
    package = "mlflow"

    experiment: OfStudy = None
    uri: Annotated[Text | None, Field(description="of a tracking server; by default a database here")] = None

    def view(self, folder: Path) -> str:
        """The command that shows the log."""
        return f"mlflow ui --backend-store-uri {self.uri or _database(folder)}"

    def open(self, folder: Path, study: str) -> Experiment:
        """The runs of one experiment."""
        return Experiment(self.experiment or study, folder, uri=self.uri or _database(folder))


def _database(folder: Path) -> str:
    return f"sqlite:///{folder / 'mlflow.db'}"


class Experiment:
    """An experiment in a database or on a server."""

    def __init__(self, name: str, folder: Path, *, uri: str) -> None:
        from mlflow import MlflowClient

        self.client: Any = MlflowClient(tracking_uri=uri)
        known = self.client.get_experiment_by_name(name)
        artifacts = str(folder.absolute()) if uri == _database(folder) else None
        self.id = known.experiment_id if known else self.client.create_experiment(name, artifact_location=artifacts)

    def add(self, trial: Tracked) -> None:
        """One run, with its configuration as parameters and its numbers as metrics."""
        from mlflow.entities import Metric, Param

        now_ms = int(time.time() * 1000)
        last = trial.curve[-1][0] if trial.curve else 0
        points = [
            Metric(f"curve/{name}", value, now_ms, step) for step, point in trial.curve for name, value in point.items()
        ]
        final = [Metric(name, value, now_ms, last) for name, value in trial.numbers.items()]
        run = self.client.create_run(self.id, run_name=trial.name, tags={"arm": trial.arm, "study": trial.study}).info
        self.client.log_batch(run.run_id, params=[Param(name, str(value)) for name, value in trial.config.items()])
        metrics = [*points, *final]
        for start in range(0, len(metrics), MOST):
            self.client.log_batch(run.run_id, metrics=metrics[start : start + MOST])
        self.client.set_terminated(run.run_id)

    def close(self) -> None:
        """Every run is ended already."""
