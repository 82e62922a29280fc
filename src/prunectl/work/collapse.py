"""Find the critical compression of a criterion, without training."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from prunectl.base.errors import MethodError
from prunectl.base.rng import generator
from prunectl.catalog.masks import Pruned
from prunectl.plan.steps import Collapse
from prunectl.pruning.engines.collapse import best_ranks, search
from prunectl.pruning.in_rounds import prune_in_rounds
from prunectl.pruning.prunable import prunable
from prunectl.pruning.scoring import score
from prunectl.store import layout
from prunectl.work.context import Context, Inputs
from prunectl.work.networks import empty, restored
from prunectl.work.prune import cut_of
from prunectl.work.prune_rounds import Images
from prunectl.work.score import scoring_of
from prunectl.work.tensors import read_tensors, write_json

if TYPE_CHECKING:
    from torch import nn

    from prunectl.catalog.criterion import Scores


def perform(step: Collapse, inputs: Inputs, out: Path, context: Context) -> None:
    """Leaves the number of weights kept, the compressions, and whether they are exact or were found by a search.

    In one ranking over all layers the number follows from the scores; two masks confirm it. Else numbers are tried,
    beginning with that of one ranking: a number that the scope cannot reach, or at which a round finds nothing to rank,
    does not count as one at which no layer is empty.
    """
    start = time.perf_counter()
    network = empty(step.network, step.seed)
    if "state" in inputs:
        network = restored(step.network, step.seed, inputs["state"], context.device)
    masks = _Masks(step, network, context, inputs)
    total, layers = sum(map(torch.numel, masks.scores.values())), len(masks.scores)
    ranked = best_ranks(masks.scores, masks.ties(), invert=step.invert)
    first = [ranked] if masks.in_rounds else [ranked, ranked - 1]
    found = search(lambda kept: masks.keep_every_layer((total - kept) / total), total, layers, first)
    if not any(found.tried.values()) and masks.refused is not None and found.kept == total:
        raise masks.refused
    exact = masks.one_ranking and found.kept == ranked
    write_json(
        out / layout.INFO,
        {
            "n": total,
            "layers": layers,
            "kept": found.kept,
            "max_compression": total / layers,
            "critical_compression": total / found.kept,
            "critical_by": "exact" if exact else "found",
            "tried": [[kept, full] for kept, full in found.tried.items()],
            "collapse_s": time.perf_counter() - start,
        },
    )


class _Masks:
    """The masks of a step at any sparsity, as a `Prune` or `PruneRounds` of the same seed makes them."""

    def __init__(self, step: Collapse, network: nn.Module, context: Context, inputs: Inputs) -> None:
        self.step, self.network, self.context = step, network, context
        self.cut = cut_of(step, network)
        self.in_rounds = len(step.rounds.targets(0.5)) > 1
        self.refused: MethodError | None = None
        self.weights = dict(prunable(network, step.exclude)) if step.scope.needs_weights else None
        if "scores" in inputs:
            self.scores: Scores = read_tensors(inputs["scores"] / layout.SCORES)
            self._drawn = generator(step.seed, "ties").get_state()
        else:
            self.images = Images(step, context)
            self.scores, self._drawn = self._score()

    def _score(self) -> tuple[Scores, torch.Tensor]:
        """The scores of the first round, and the state of their generator, from which ties are then drawn."""
        scoring = scoring_of(self.step, self.images)
        scores = score(scoring, self.network)
        return scores, scoring.generator.get_state()

    def ties(self) -> torch.Generator:
        """What draws the ties of a one-shot mask: in the same state each time."""
        return torch.Generator().set_state(self._drawn)

    @property
    def one_ranking(self) -> bool:
        """Whether one ranking over all layers decides, so that the number follows from the scores."""
        scope, shapes = self.step.scope, {name: tuple(each.shape) for name, each in self.scores.items()}
        if self.in_rounds or scope.kept(shapes) or scope.needs_weights:
            return False
        return len(scope.groups(shapes, 0.5, dict.fromkeys(shapes, 0))) == 1

    def keep_every_layer(self, sparsity: float) -> bool:
        """Whether a mask of this sparsity leaves something of every layer."""
        try:
            pruned = self._in_rounds(sparsity) if self.in_rounds else self._at_once(sparsity)
        except MethodError as refused:
            self.refused = refused
            return False
        return all(bool(pruned.masks[name].any()) for name in self.scores)

    def _at_once(self, sparsity: float) -> Pruned:
        return self.cut.masks(self.scores, sparsity, generator=self.ties(), weights=self.weights)

    def _in_rounds(self, sparsity: float) -> Pruned:
        step = self.step
        if step.criterion.fresh_batches:
            self.images = Images(step, self.context)  # from those of the first round on
        return prune_in_rounds(scoring_of(step, self.images), self.network, self.cut, sparsity, step.rounds)
