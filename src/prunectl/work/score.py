"""Score a network once, for every sparsity."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from prunectl.base.rng import generator
from prunectl.plan.steps import PruneRounds, Score
from prunectl.pruning.scoring import score
from prunectl.store import layout
from prunectl.work.context import Context, Inputs
from prunectl.work.masks import read_masks
from prunectl.work.material import scoring_batches
from prunectl.work.networks import restored
from prunectl.work.tensors import write_json, write_tensors

if TYPE_CHECKING:
    from prunectl.catalog.criterion import Batch


def perform(step: Score, inputs: Inputs, out: Path, context: Context) -> None:
    """Leaves the scores of every prunable weight, and the figures that the criterion notes about them."""
    network = restored(step.network, step.seed, inputs["state"], context.device)
    batches, digest = batches_for(step, context)
    notes: dict[str, float] = {}
    start = time.perf_counter()
    scores = score(
        step.criterion,
        network,
        exclude=step.exclude,
        masks=read_masks(inputs.get("mask")),
        batches=batches,
        shape=step.network.shape,
        generator=generator(step.seed, f"score-{step.criterion.name}"),
        notes=notes,
    )
    write_tensors(out / layout.SCORES, {name: value.contiguous() for name, value in scores.items()})
    write_json(out / layout.INFO, {"score_s": time.perf_counter() - start, "batch_sha256": digest, "notes": notes})


def batches_for(step: Score | PruneRounds, context: Context, number: int = 0) -> tuple[list[Batch], str | None]:
    """The scoring batches of round `number`, if the criterion looks at data: frozen, unless it wants fresh ones."""
    sampling = step.criterion.sampling(step.network.classes)
    if step.data is None or sampling is None:
        return [], None
    number = number if step.criterion.fresh_batches else 0
    per_class, batches = sampling
    return scoring_batches(step.data, step.network.classes, per_class, batches, step.seed, context, number)
