"""Scoring a network without leaving a trace in it, once or in rounds."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from prunectl.base.batch_norm import batch_norms
from prunectl.base.errors import MethodError
from prunectl.base.rng import seeded
from prunectl.catalog.criterion import Criterion, Subject
from prunectl.catalog.rounds import Rounds
from prunectl.catalog.scope import Scope
from prunectl.catalog.structure import Masks, Pruned, Units
from prunectl.pruning import mask as masking
from prunectl.pruning.engines.independence import refuse_dependence
from prunectl.pruning.engines.select import all_finite
from prunectl.pruning.prunable import prunable

if TYPE_CHECKING:
    from prunectl.catalog.criterion import Batch, Scores


def score(
    criterion: Criterion,
    network: nn.Module,
    *,
    exclude: Sequence[str] = (),
    masks: Mapping[str, Tensor] | None = None,
    batches: Sequence[Batch] = (),
    shape: tuple[int, int, int],
    generator: torch.Generator,
    notes: dict[str, float] | None = None,
) -> Scores:
    """The scores of a network's prunable weights, contiguous on the CPU, in the criterion's precision.

    `masks` are those of a level before; what they prune is zero while scoring. The network, its statistics and the
    global random state are as before: the criterion works on a copy, and global generators follow `generator`'s seed.
    Figures that the criterion leaves about its scores are put into `notes`.
    Raises MethodError for a score that is missing, of the wrong shape, or not finite, and where the images of a batch
    depend on each other although the criterion looks at single ones.
    """
    if criterion.per_image:
        refuse_dependence(criterion.name, network, shape)
    with seeded(generator.initial_seed(), "score", 0):
        subject = _subject(criterion, network, exclude, masks, batches, shape, generator, notes)
        scores = _scores(criterion, subject)
    for name, values in scores.items():
        if not all_finite(values):
            bad = values.numel() - int(torch.isfinite(values).sum())
            raise MethodError(
                f"{criterion.name} gave {bad:,} scores of {values.numel():,} in {name} that are not finite"
            )
    return scores


def prune_in_rounds(
    criterion: Criterion,
    network: nn.Module,
    units: Units,
    scope: Scope,
    sparsity: float,
    rounds: Rounds,
    *,
    exclude: Sequence[str] = (),
    batches: Sequence[Batch] = (),
    shape: tuple[int, int, int],
    generator: torch.Generator,
    before: Masks | None = None,
    invert: bool = False,
    notes: dict[str, float] | None = None,
) -> Pruned:
    """Score, prune a little, score what is left, ...: the masks after the last round, at `sparsity`.

    Every round scores the clean weights under its mask. `units` are those of the network. `notes` are those of the
    last round. A round that asks for less than `before` has pruned already is left out, but never the last one:
    whole channels may have gone beyond it. Raises MethodError for scores that no ranking can be made of, and for a
    sparsity that cannot be reached, and where the images of a batch depend on each other although the criterion looks
    at single ones.
    """
    if criterion.per_image:
        refuse_dependence(criterion.name, network, shape)
    seed = generator.initial_seed()
    with seeded(seed, "score", 0):
        subject = _subject(criterion, network, exclude, before, batches, shape, generator, notes)
        original = {name: tensor.detach() for name, tensor in network.named_parameters() if name in subject.weights}
        start = masking.sparsity_of(subject.masks)
        first, *others = [target for target in rounds.targets(sparsity) if target >= start] or [sparsity]
        pruned = _round(criterion, subject, units, scope, first, before, invert, original)
    for number, target in enumerate(others, start=1):
        with seeded(seed, "score", number):
            if criterion.repeatable:
                subject = _shrunk(subject, pruned.masks)
            else:
                subject = _subject(criterion, network, exclude, pruned.masks, batches, shape, generator, notes)
            pruned = _round(criterion, subject, units, scope, target, pruned.masks, invert, original)
    return pruned


def _round(
    criterion: Criterion,
    subject: Subject,
    units: Units,
    scope: Scope,
    target: float,
    before: Masks | None,
    invert: bool,
    original: Mapping[str, Tensor],
) -> Pruned:
    return units.prune(
        _scores(criterion, subject),
        scope,
        target,
        generator=subject.generator,
        before=before,
        invert=invert,
        weights=original if scope.needs_weights else None,
    )


def _scores(criterion: Criterion, subject: Subject) -> Scores:
    with torch.enable_grad():
        scores = criterion.score(subject)
    for name, weight in subject.weights.items():
        if name not in scores or scores[name].shape != weight.shape:
            raise MethodError(f"{criterion.name} gave no score of the right shape for {name}")
    return {name: scores[name].detach().cpu().contiguous() for name in subject.weights}


def _subject(
    criterion: Criterion,
    network: nn.Module,
    exclude: Sequence[str],
    masks: Mapping[str, Tensor] | None,
    batches: Sequence[Batch],
    shape: tuple[int, int, int],
    generator: torch.Generator,
    notes: dict[str, float] | None,
) -> Subject:
    dtype = getattr(torch, criterion.precision)
    twin = copy.deepcopy(network).to(dtype).eval()
    for norm in batch_norms(twin):
        norm.train(criterion.batch_norm_mode() == "train")
    for parameter in twin.parameters():
        parameter.grad = None
        parameter.requires_grad_(True)
    weights = prunable(twin, exclude)
    kept = dict(masks) if masks is not None else masking.dense(weights)
    masking.apply(kept, twin)  # biases and BatchNorm of channels that are gone among them
    subject = Subject(
        network=twin,
        weights=weights,
        masks=masking.of_weights(kept),
        batches=[(images.to(dtype), labels) for images, labels in batches],
        shape=shape,
        generator=generator,
        notes={} if notes is None else notes,
    )
    criterion.prepare(subject)
    return subject


def _shrunk(subject: Subject, masks: Masks) -> Subject:
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
