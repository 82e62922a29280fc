"""TensorBoard: event files, written without torch and without TensorFlow."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from prunectl.catalog.tracker import Tracked, Tracker


class TensorBoard(Tracker):
    """A run of TensorBoard for each trial: curves and final numbers as scalars, the configuration as hparams."""

    name = "tensorboard"
    summary = "event files for TensorBoard; needs prunectl[tensorboard]"
    package = "tensorboard"

    def view(self, folder: Path) -> str:
        """The command that shows the log."""
        return f"tensorboard --logdir {folder}"

    def open(self, folder: Path, study: str) -> EventFiles:
        """A directory of event files for each trial."""
        return EventFiles(folder)


class EventFiles:
    """The directory that holds a directory for each trial."""

    def __init__(self, folder: Path) -> None:
        import tensorboard.summary.writer.event_file_writer  # raises now, not at the end of the first training

        self.folder = folder
        self.writer: Any = tensorboard.summary.writer.event_file_writer.EventFileWriter

    def add(self, trial: Tracked) -> None:
        """One event file. The steps of a curve are optimizer steps; final numbers are at the last of them."""
        from tensorboard.plugins.hparams.summary_v2 import hparams_pb

        writer = self.writer(str(self.folder / f"{trial.name} {trial.key[:8]}".replace("/", "-")))
        _write(writer, hparams_pb(dict(trial.config), trial_id=trial.key))
        last = 0
        for last, point in trial.curve:
            _write(writer, _scalars("curve", point), last)
        _write(writer, _scalars("final", trial.numbers), last)
        writer.close()

    def close(self) -> None:
        """Every file is closed already."""


def _scalars(group: str, numbers: Any) -> Any:
    from tensorboard.compat.proto.summary_pb2 import Summary

    return Summary(value=[Summary.Value(tag=f"{group}/{name}", simple_value=value) for name, value in numbers.items()])


def _write(writer: Any, summary: Any, step: int = 0) -> None:
    from tensorboard.compat.proto.event_pb2 import Event

    writer.add_event(Event(wall_time=time.time(), step=step, summary=summary))
