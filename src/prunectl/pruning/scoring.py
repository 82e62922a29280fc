"""Scoring a network without leaving a trace in it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from prunectl.base.batch_norm import batch_norms
from prunectl.base.errors import MethodError
from prunectl.base.rng import seeded
from prunectl.catalog.criterion import Criterion, Subject
from prunectl.catalog.masks import Masks
from prunectl.pruning import mask as masking
from prunectl.pruning.engines.independence import refuse_dependence
from prunectl.pruning.engines.select import all_finite
from prunectl.pruning.prunable import prunable

if TYPE_CHECKING:
    from prunectl.catalog.criterion import Batch, Scores


@dataclass(frozen=True, kw_only=True, eq=False)
class Scoring:
    """How networks are scored: by which criterion, which of their weights, on which images."""

    criterion: Criterion
    exclude: Sequence[str] = ()
    batches: Sequence[Batch] | Callable[[int], Sequence[Batch]] = ()
    """Those of every round, or given for the number of a round, counted from 0."""
    shape: tuple[int, int, int]
    generator: torch.Generator
    notes: dict[str, float] = field(default_factory=dict)
    """Receives the figures that the criterion leaves about its scores; those of the last round, in rounds."""

    def batches_of(self, number: int) -> Sequence[Batch]:
        """The batches of round `number`."""
        return self.batches(number) if callable(self.batches) else self.batches

    def refuse(self, network: nn.Module) -> None:
        """Raise MethodError for a network that the criterion cannot score."""
        if self.criterion.per_image:
            refuse_dependence(self.criterion.name, network, self.shape)
        weights = prunable(network, self.exclude)
        if reason := next(self.criterion.check(network, weights, self.shape), None):
            raise MethodError(reason)

    def scores(self, subject: Subject) -> Scores:
        """The scores of a subject's weights, on the CPU. Raises MethodError for one that is missing or misshapen."""
        with torch.enable_grad():
            scores = self.criterion.score(subject)
        for name, weight in subject.weights.items():
            if name not in scores or scores[name].shape != weight.shape:
                raise MethodError(f"{self.criterion.name} gave no score of the right shape for {name}")
        return {name: scores[name].detach().cpu().contiguous() for name in subject.weights}

    def subject(
        self, network: nn.Module, masks: Mapping[str, Tensor] | None, number: int, before: Mapping[str, Tensor] | None
    ) -> Subject:
        """A fresh copy of a network under masks, for round `number`; `before` is the mask of the level before."""
        dtype = getattr(torch, self.criterion.precision)
        twin = copy.deepcopy(network).to(dtype).eval()
        for norm in batch_norms(twin):
            norm.train(self.criterion.batch_norm_mode() == "train")
        for parameter in twin.parameters():
            parameter.grad = None
            parameter.requires_grad_(True)
        weights = prunable(twin, self.exclude)
        unmasked: dict[str, Tensor] = {name: weight.detach() for name, weight in weights.items()}
        if self.criterion.regrows:
            masking.apply(before or {}, twin)
            unmasked = {name: weight.clone() for name, weight in unmasked.items()}
        kept = dict(masks) if masks is not None else masking.dense(weights)
        masking.apply(kept, twin)  # biases and BatchNorm of channels that are gone among them
        subject = Subject(
            network=twin,
            weights=weights,
            masks=masking.of_weights(kept),
            unmasked=unmasked,
            batches=[(images.to(dtype), labels) for images, labels in self.batches_of(number)],
            shape=self.shape,
            generator=self.generator,
            notes=self.notes,
        )
        self.criterion.prepare(subject)
        return subject


def score(scoring: Scoring, network: nn.Module, masks: Mapping[str, Tensor] | None = None) -> Scores:
    """The scores of a network's prunable weights, contiguous on the CPU, in the criterion's precision.

    `masks` are those of a level before; what they prune is zero while scoring. The network, its statistics and the
    global random state are as before: the criterion works on a copy, and global generators follow the generator's seed.
    Raises MethodError for a score that is missing, of the wrong shape, or not finite, and where the images of a batch
    depend on each other although the criterion looks at single ones.
    """
    scoring.refuse(network)
    with seeded(scoring.generator.initial_seed(), "score", 0):
        scores = scoring.scores(scoring.subject(network, masks, 0, before=masks))
    for name, values in scores.items():
        if not all_finite(values):
            bad = values.numel() - int(torch.isfinite(values).sum())
            raise MethodError(
                f"{scoring.criterion.name} gave {bad:,} scores of {values.numel():,} in {name} that are not finite"
            )
    return scores


def shrunk(subject: Subject, masks: Masks) -> Subject:
    """The subject under masks that have lost more: set to zero in place, few places, so not the whole layer."""
    left = masking.of_weights(masks)
    with torch.no_grad():
        for name, weight in subject.weights.items():
            lost = (subject.masks[name] ^ left[name]).numpy()
            if weight.is_contiguous():
                places = torch.from_numpy(np.flatnonzero(lost))  # five times as fast as torch's
                weight.view(-1).index_fill_(0, places.to(weight.device), 0.0)
            else:
                weight.masked_fill_(torch.from_numpy(lost).to(weight.device), 0.0)
    masking.apply({name: mask for name, mask in masks.items() if name not in left}, subject.network)
    return replace(subject, masks=left)
