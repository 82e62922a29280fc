"""What a step is done with besides its inputs: none of it changes a result beyond the last bits of a device."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch

from prunectl.catalog.hook import Shown

Inputs = Mapping[str, Path]
"""The verified directories of a step's parents, by role; `resume`, if there is one, is an earlier state. Each is named
by its key."""


class Stopped(Exception):  # noqa: N818  # not an error: the work is safe and goes on another time
    """The step was asked to stop and has left a snapshot."""


@dataclass(frozen=True, kw_only=True)
class Context:
    """Where data lie, where the work runs, and how to be heard."""

    device: torch.device
    data_root: Path
    weights: Mapping[str, Path] = field(default_factory=dict)
    """Files of weights to begin from, by the digest of their tensors."""
    workers: int = 0
    """Processes that read pictures ahead, for data sets that do not lie in memory; 0 reads in the step's own."""
    snapshots: Path
    snapshot_s: float = 20.0
    """Seconds between two snapshots of a training."""
    credit: Callable[[float], None] = lambda seconds: None
    """Called with the seconds that earlier, interrupted attempts have put into the same step."""
    resumed: Callable[[str], None] = lambda key: None
    """Called with the key of the earlier state that a training resumed from, "" if of none."""
    stopping: Callable[[], bool] = lambda: False
    progress: Callable[[int, int], None] = lambda done, total: None
    """Called with the number of training steps done and their total, about once a second."""
    show: Callable[[Shown], None] = lambda shown: None
    """Called before that with what the training shows of itself."""
