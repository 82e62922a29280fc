"""Score and prune in rounds."""

from __future__ import annotations

import time
from pathlib import Path

from prunectl.base.rng import generator
from prunectl.plan.steps import PruneRounds
from prunectl.pruning.denominator import of_prunable
from prunectl.pruning.prunable import prunable
from prunectl.pruning.scoring import prune_in_rounds
from prunectl.work.context import Context, Inputs
from prunectl.work.masks import read_masks, write_masks
from prunectl.work.networks import restored
from prunectl.work.score import batches_for


def perform(step: PruneRounds, inputs: Inputs, out: Path, context: Context) -> None:
    """Leaves a mask with exactly round(sparsity · n) weights gone, or as near to that as the structure allows.

    n is the number of prunable weights, or of all parameters: `of`.
    """
    network = restored(step.network, step.seed, inputs["state"], context.device)
    batches, digest = batches_for(step, context)
    notes: dict[str, float] = {}
    start = time.perf_counter()
    pruned = prune_in_rounds(
        step.criterion,
        network,
        step.structure.units(network, step.network.shape),
        step.scope,
        of_prunable(step.sparsity, step.of, network, prunable(network, step.exclude)),
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
    info = {"score_s": spent_s, "batch_sha256": digest, "notes": notes}
    if remark := step.criterion.remark(step.rounds, invert=step.invert):
        info["remark"] = remark
    write_masks(out, pruned, step.network, step.seed, **info)
