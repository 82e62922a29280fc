"""Pruning during a training: the hook that the rounds build, and what it leaves of the network."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from torch import nn

from prunectl.catalog.hook import Pruning
from prunectl.catalog.masks import Masks, Pruned
from prunectl.catalog.rounds import Setting
from prunectl.plan.steps import During, Train
from prunectl.pruning.cut import Cut
from prunectl.pruning.during import Pruner
from prunectl.pruning.prunable import prunable
from prunectl.training.trainee import Trainee
from prunectl.work.context import Context
from prunectl.work.masks import write_masks
from prunectl.work.networks import empty
from prunectl.work.score import batches_of

if TYPE_CHECKING:
    from prunectl.catalog.criterion import Batch


@dataclass(frozen=True, kw_only=True, eq=False)
class PrunedTraining:
    """A training that prunes on the way."""

    step: Train
    during: During
    context: Context

    def begin(self, network: nn.Module) -> tuple[Masks, Pruning]:
        """The masks that the training begins with, which keep everything, and the hook that changes them."""
        step, during = self.step, self.during
        pruner = Pruner(
            criterion=during.criterion,
            cut=Cut(
                units=during.structure.units(empty(step.network, step.seed), step.network.shape),
                scope=during.scope,
                invert=during.invert,
            ),
            exclude=during.exclude,
            of=during.of,
            shape=step.network.shape,
            seed=step.seed,
            batches=lambda: self._batches[0],
        )
        setting = Setting(
            recipe=step.recipe,
            seed=step.seed,
            sparsity=during.sparsity,
            prune=pruner.prune,
            scatter=pruner.scatter,
        )
        return pruner.dense(prunable(network, during.exclude)), during.rounds.hook(setting)

    @cached_property
    def _batches(self) -> tuple[list[Batch], str | None]:
        step = self.step
        return batches_of(self.during.criterion, step.data, step.network, step.seed, self.context)

    def write(self, out: Path, trainee: Trainee, hook: Pruning) -> None:
        """Leaves the masks of the end, as a step that prunes does."""
        masks = {name: mask.cpu().contiguous() for name, mask in trainee.masks.items()}
        pruned = Pruned(masks=masks, tied=hook.tied, tied_pruned=hook.tied_pruned)
        info = {"batch_sha256": self._batches[1]}
        if remark := self.during.criterion.remark(self.during.rounds, invert=self.during.invert):
            info["remark"] = remark
        write_masks(out, pruned, self.step.network, self.step.seed, **info)
