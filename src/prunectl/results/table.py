"""The one table: a row per trial, and the frames that belong to it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import polars as pl

from prunectl.base.errors import Path
from prunectl.base.text import plural
from prunectl.catalog.lookup import working
from prunectl.catalog.metric import Metric, Part
from prunectl.results.courses import CURVES, REMAINING
from prunectl.results.headline import headline
from prunectl.results.latency import LATENCIES
from prunectl.store.hardware import HardwareClass, mixture
from prunectl.study.arms import CHOICES
from prunectl.study.selection import WHOLE, Selection

__all__ = ["ARM", "CURVES", "LATENCIES", "LAYERS", "METRICS", "RESOURCES", "SCHEMA", "Results", "Task"]

if TYPE_CHECKING:
    from prunectl.plan.graph import Placed
    from prunectl.study.schema import Study

ARM = ("study", "arm", *CHOICES)
"""The columns that name an arm. `arm` is its label, for people; the others are cells as a study file writes them."""

METRICS = tuple(metric for metric in working("metrics", Metric) if not metric.swept)
"""What is measured of every trial, a column each. Each declares its unit, what to call it and which end is better."""

SCHEMA: dict[str, Any] = {
    **dict.fromkeys(ARM, pl.String),
    "seed": pl.Int64,
    "sparsity": pl.Float64,
    "sparsity_of": pl.String,  # "prunable" | "all": what sparsities and compressions are fractions of
    "sparsity_actual": pl.Float64,
    "compression": pl.Float64,
    "compression_actual": pl.Float64,
    "compression_error": pl.Float64,
    **{metric.name: pl.Float64 for metric in METRICS},
    "top1_dense": pl.Float64,
    "top1_before_retrain": pl.Float64,
    "n_params": pl.Int64,
    "n_prunable": pl.Int64,
    "n_nonzero": pl.Int64,
    "n_effective": pl.Int64,
    "n_tied": pl.Int64,  # scores equal to the one at the cut; null where masks change during training
    "layers_collapsed": pl.List(pl.String),
    "max_compression": pl.Float64,  # prunable weights / layers; null unless [report] collapse
    "critical_compression": pl.Float64,  # prunable weights / the fewest kept with which no layer is empty
    "critical_by": pl.String,  # "exact" (from the scores) | "found" (by a search)
    "flops": pl.Float64,
    "flops_dense": pl.Float64,
    "size_bytes": pl.Int64,
    "size_bytes_dense": pl.Int64,
    "latency_ms": pl.Float64,  # of one image by `prunectl latency`: the compact network, else the masked one
    "latency_dense_ms": pl.Float64,
    "train_s": pl.Float64,
    "score_s": pl.Float64,
    "device": pl.String,
    "status": pl.String,  # "done" | "failed" | "missing"
    "reason": pl.String,  # of a failure, or of a count that is null in a trial that is done
    "artefact": pl.String,
}

LAYERS: dict[str, Any] = {
    "arm": pl.String,
    "criterion": pl.String,
    "ablation": pl.String,
    "sparsity": pl.Float64,
    "seed": pl.Int64,
    "layer": pl.String,
    "index": pl.Int64,  # the layer's place in the network
    "n": pl.Int64,
    "kept": pl.Int64,
}

RESOURCES: dict[str, Any] = {
    "kind": pl.String,  # of step: init, train, score, prune, prune-rounds, collapse, ablate, recalibrate, measure
    "criterion": pl.String,  # for the steps that have one
    "steps": pl.Int64,  # of the plan
    "made": pl.Int64,  # by this run
    "reused": pl.Int64,
    "wall_s": pl.Float64,  # spent on all of them, whenever they were made
    "cpu_s": pl.Float64,
    "energy_j": pl.Float64,  # by the counters of their devices; null where none was read
    "metered": pl.Int64,  # steps that energy_j is of
    "peak_bytes": pl.Int64,  # of memory, the largest of the steps
    "unshared": pl.Int64,  # steps that the same study would take if nothing were shared
    "unshared_s": pl.Float64,
    "device": pl.String,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """What the networks are measured on."""

    classes: int
    images: int  # of the test set
    validation: int = 0  # images held out of training
    train: int = 0  # images trained on

    def count(self, part: Part) -> int:
        """The number of images of a part of the data."""
        return {"test": self.images, "validation": self.validation, "train": self.train}[part]


@dataclass(frozen=True, kw_only=True, eq=False)
class Results:
    """Everything that a report shows of one study. Frames have exactly the columns above."""

    study: Study
    arms: Mapping[str, Placed]  # by label, in the order of the study file
    study_text: str  # the file as written, overrides included
    task: Task
    trials: pl.DataFrame
    layers: pl.DataFrame
    curves: pl.DataFrame
    resources: pl.DataFrame
    versions: dict[str, str]  # prunectl, torch, python, ... of the machine that made the artefacts
    selection: Selection = WHOLE  # what of the study was asked for
    overridden: Collection[Path] = ()  # the paths of what the profile and the overrides have set
    remaining: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=REMAINING))  # of trainings that prune
    made_on: Mapping[HardwareClass, int] = field(default_factory=dict)  # the number of steps that have an artefact
    latencies: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=LATENCIES))  # variant × batch size

    @property
    def headline(self) -> str:
        """What a report is called: the title of the study, or what was run where that differs."""
        return headline(self.study, self.selection, self.overridden)

    @property
    def mixture(self) -> str:
        """A sentence, if the table's steps were made on classes of hardware that are known to differ; else nothing."""
        return mixture(self.made_on)

    def __repr__(self) -> str:
        """One line: a notebook shows it, and the frames are too long for that."""
        done = int((self.trials["status"] == "done").sum())
        return f"<Results of {self.study.name}: {done:,} of {plural(len(self.trials), 'trial')} done; table: .trials>"
