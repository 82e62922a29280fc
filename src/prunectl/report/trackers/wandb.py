"""Weights & Biases, offline unless a user asks for more: nothing leaves the machine by itself."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from prunectl.catalog.tracker import OfStudy, Text, Tracked, Tracker


class Wandb(Tracker):
    """A run of Weights & Biases for each trial, in the group of its arm."""

    name = "wandb"
    summary = "runs of Weights & Biases, offline by default; needs prunectl[wandb]"
    package = "wandb"

    project: OfStudy = None
    entity: Annotated[Text | None, Field(description="a user or a team; by default your own")] = None
    mode: Annotated[
        Literal["offline", "online"], Field(description='"online" sends runs to the server that wandb is logged in to')
    ] = "offline"

    def view(self, folder: Path) -> str:
        """Offline runs are sent by a command of wandb's own."""
        return "" if self.mode == "online" else f"wandb sync {folder}/offline-run-*"

    def open(self, folder: Path, study: str) -> Runs:
        """Runs of one project."""
        return Runs(self.project or study, folder, entity=self.entity, mode=self.mode)


class Runs:
    """The runs of a project."""

    def __init__(self, project: str, folder: Path, *, entity: str | None, mode: str) -> None:
        import wandb

        self.wandb: Any = wandb
        # wandb makes a folder of its own name in `dir`.
        self.init = {"dir": str(folder.parent), "project": project, "entity": entity, "mode": mode}
        quiet = {"silent": True, "console": "off", "disable_git": True, "disable_code": True}
        self.settings = wandb.Settings(**quiet, x_disable_stats=True, x_disable_meta=True)

    def add(self, trial: Tracked) -> None:
        """One run. Its curve is drawn over epochs."""
        run = self.wandb.init(
            **self.init, id=trial.key[:16], name=trial.name, group=trial.arm, config=dict(trial.config),
            settings=self.settings, reinit="create_new",
        )  # fmt: skip
        run.define_metric("*", step_metric="epoch")
        for step, point in trial.curve:
            run.log(dict(point), step=step)
        run.summary.update(dict(trial.numbers))
        run.finish()

    def close(self) -> None:
        """Every run is finished already."""
