"""Score a network once, for every sparsity."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from prunectl.base.rng import generator
from prunectl.catalog.criterion import Criterion
from prunectl.plan.steps import Collapse, Data, Network, PruneRounds, Score
from prunectl.pruning.scoring import Scoring, score
from prunectl.store import layout
from prunectl.work.context import Context, Inputs
from prunectl.work.masks import read_masks
from prunectl.work.networks import restored
from prunectl.work.scoring_batches import scoring_batches
from prunectl.work.tensors import write_json, write_tensors

if TYPE_CHECKING:
    from prunectl.catalog.criterion import Batch


def perform(step: Score, inputs: Inputs, out: Path, context: Context) -> None:
    """Leaves the scores of every prunable weight, and the figures that the criterion notes about them."""
    network = restored(step.network, step.seed, inputs["state"], context.device)
    batches, digest = batches_for(step, context)
    start = time.perf_counter()
    scoring = scoring_of(step, batches)
    scores = score(scoring, network, read_masks(inputs.get("mask")))
    write_tensors(out / layout.SCORES, {name: value.contiguous() for name, value in scores.items()})
    write_json(
        out / layout.INFO, {"score_s": time.perf_counter() - start, "batch_sha256": digest, "notes": scoring.notes}
    )


def scoring_of(
    step: Score | PruneRounds | Collapse, batches: Sequence[Batch] | Callable[[int], Sequence[Batch]]
) -> Scoring:
    """How a step scores, from a generator of its own; `batches` as in `Scoring`."""
    return Scoring(
        criterion=step.criterion,
        exclude=step.exclude,
        batches=batches,
        shape=step.network.shape,
        generator=generator(step.seed, f"score-{step.criterion.name}"),
    )


def batches_for(
    step: Score | PruneRounds | Collapse, context: Context, number: int = 0
) -> tuple[list[Batch], str | None]:
    """The scoring batches of round `number`, if the criterion looks at data, and their digest."""
    if step.data is None:
        return [], None
    return batches_of(step.criterion, step.data, step.network, step.seed, context, number)


def batches_of(
    criterion: Criterion, data: Data, network: Network, seed: int, context: Context, number: int = 0
) -> tuple[list[Batch], str | None]:
    """The batches of a criterion and a seed, frozen unless it wants fresh ones, and their digest; none without data."""
    sampling = criterion.sampling(network.classes) if criterion.needs_data else None
    if sampling is None:
        return [], None
    per_class, batches = sampling
    number = number if criterion.fresh_batches else 0
    return scoring_batches(data, network.classes, per_class, batches, seed, context, number)
