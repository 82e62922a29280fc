"""Score and prune in rounds."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from typing import TYPE_CHECKING

from prunectl.plan.steps import Collapse, PruneRounds
from prunectl.pruning.denominator import of_prunable
from prunectl.pruning.in_rounds import prune_in_rounds
from prunectl.pruning.prunable import prunable
from prunectl.store import layout
from prunectl.training.state import MODEL, portable
from prunectl.work.context import Context, Inputs
from prunectl.work.masks import read_masks, write_masks
from prunectl.work.networks import restored
from prunectl.work.prune import cut_of
from prunectl.work.score import batches_for, scoring_of
from prunectl.work.tensors import read_tensors, write_tensors

if TYPE_CHECKING:
    from prunectl.catalog.criterion import Batch


def perform(step: PruneRounds, inputs: Inputs, out: Path, context: Context) -> None:
    """Leaves a mask with exactly round(sparsity · n) weights gone, or as near to that as the structure allows.

    n is the number of prunable weights, or of all parameters: `of`. Where pruning changes the weights that stay, a
    state is left with them, and with everything else as it was, what the optimizer kept included.
    """
    network = restored(step.network, step.seed, inputs["state"], context.device)
    images = Images(step, context)
    start = time.perf_counter()
    scoring = scoring_of(step, images)
    sparsity = of_prunable(step.sparsity, step.of, network, prunable(network, step.exclude))
    before = read_masks(inputs.get("before"))
    pruned = prune_in_rounds(scoring, network, cut_of(step, network), sparsity, step.rounds, before=before)
    spent_s = time.perf_counter() - start
    info = {"score_s": spent_s, "batch_sha256": images.digest(), "notes": scoring.notes}
    if remark := step.criterion.remark(step.rounds, invert=step.invert):
        info["remark"] = remark
    write_masks(out, pruned, step.network, step.seed, **info)
    if pruned.weights is not None:
        changed = {MODEL + name: portable(weight) for name, weight in pruned.weights.items()}
        write_tensors(out / layout.STATE, read_tensors(inputs["state"] / layout.STATE) | changed)


class Images:
    """The scoring batches of each round: read again only where they are others."""

    def __init__(self, step: PruneRounds | Collapse, context: Context) -> None:
        self.step, self.context = step, context
        self.batches, digest = batches_for(step, context)
        self.digests = [] if digest is None else [digest]

    def __call__(self, number: int) -> list[Batch]:
        """Those of round `number`, counted from 0."""
        if number > 0 and self.step.criterion.fresh_batches:
            self.batches, digest = batches_for(self.step, self.context, number)
            self.digests += [] if digest is None else [digest]
        return self.batches

    def digest(self) -> str | None:
        """Of the images of all rounds so far; None without data."""
        if len(self.digests) > 1:
            return hashlib.sha256("".join(self.digests).encode()).hexdigest()
        return next(iter(self.digests), None)
