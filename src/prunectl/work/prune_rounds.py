"""Score and prune in rounds."""

from __future__ import annotations

import time
from pathlib import Path

from prunectl.base.rng import generator
from prunectl.catalog.criterion import Criterion
from prunectl.catalog.scope import Scope
from prunectl.plan.steps import PruneChannelsRounds, PruneRounds
from prunectl.pruning.engines.channel_masks import prune_channels_in_rounds
from prunectl.pruning.scoring import prune_in_rounds
from prunectl.work.context import Context, Inputs
from prunectl.work.masks import read_masks, write_masks
from prunectl.work.networks import restored
from prunectl.work.score import batches_for


def perform(step: PruneRounds, inputs: Inputs, out: Path, context: Context) -> None:
    """Leaves a mask with exactly round(sparsity · n) weights gone, or of channels, as near to that as they allow."""
    assert isinstance(step.criterion, Criterion)
    assert isinstance(step.scope, Scope)
    network = restored(step.network, inputs["state"], context.device)
    batches, digest = batches_for(step, context)
    notes: dict[str, float] = {}
    start = time.perf_counter()
    in_rounds = prune_channels_in_rounds if isinstance(step, PruneChannelsRounds) else prune_in_rounds
    pruned = in_rounds(
        step.criterion,
        network,
        step.scope,
        step.sparsity,
        step.rounds,
        exclude=step.exclude,
        batches=batches,
        shape=step.network.shape,
        generator=generator(step.seed, f"score-{step.criterion.name}"),
        before=read_masks(inputs.get("before")),
        invert=step.invert,
        notes=notes,
    )
    spent_s = time.perf_counter() - start
    write_masks(out, pruned, step.network, score_s=spent_s, batch_sha256=digest, notes=notes)
