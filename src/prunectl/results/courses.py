"""What trainings left on their way: their curves, and how many weights were kept after each change of masks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

CURVES: dict[str, Any] = {
    "artefact": pl.String,  # joins with that of the table
    "epoch": pl.Float64,
    "step": pl.Int64,
    "lr": pl.Float64,
    "train_loss": pl.Float64,
    "train_top1": pl.Float64,  # as the images were seen: augmented, in training mode
    "test_loss": pl.Float64,
    "top1": pl.Float64,
}

REMAINING: dict[str, Any] = {
    "artefact": pl.String,  # joins with that of the table; of trainings that pruned
    "step": pl.Int64,  # steps done when the masks changed
    "kept": pl.Int64,  # prunable weights kept from then on
}


def curves(progress: Mapping[str, Any]) -> pl.DataFrame:
    """The curves of trainings, from their progress documents by artefact."""
    return pl.DataFrame(list(_rows(progress, "curve")), schema=CURVES, orient="row")


def remaining(progress: Mapping[str, Any]) -> pl.DataFrame:
    """The weights kept in trainings that pruned, from their progress documents by artefact."""
    return pl.DataFrame(list(_rows(progress, "remaining")), schema=REMAINING, orient="row")


def _rows(progress: Mapping[str, Any], name: str) -> Iterator[dict[str, Any]]:
    for artefact, document in progress.items():
        for point in document.get(name, ()):
            yield {"artefact": artefact, **point}
