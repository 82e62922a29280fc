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
from prunectl.catalog.criterion import Criterion, Subject
from prunectl.catalog.rounds import Rounds
from prunectl.catalog.scope import Scope
from prunectl.pruning import mask as masking
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
    """The scores of a network's prunable weights, on the CPU, in the criterion's precision.

    The network, its statistics and the global random state are as before: the criterion works on a copy. Figures
    that the criterion leaves about its scores are put into `notes`.
    Raises MethodError for a score that is missing, of the wrong shape, or not finite.
    """
    subject = _subject(criterion, network, exclude, masks, batches, shape, generator, notes)
    scores = _scores(criterion, subject)
    for name, found in scores.items():
        if not all_finite(found):
            bad = found.numel() - int(torch.isfinite(found).sum())
            raise MethodError(
                f"{criterion.name} gave {bad:,} scores of {found.numel():,} in {name} that are not finite"
            )
    return scores


def prune_in_rounds(
    criterion: Criterion,
    network: nn.Module,
    scope: Scope,
    sparsity: float,
    rounds: Rounds,
    *,
    exclude: Sequence[str] = (),
    batches: Sequence[Batch] = (),
    shape: tuple[int, int, int],
    generator: torch.Generator,
    before: masking.Masks | None = None,
    invert: bool = False,
    notes: dict[str, float] | None = None,
) -> masking.Pruned:
    """Score, prune a little, score what is left, ...: the masks after the last round, at exactly `sparsity`.

    Every round scores the clean weights under its mask. `notes` are those of the last round.
    """
    subject = _subject(criterion, network, exclude, before, batches, shape, generator, notes)
    original = {name: tensor.detach() for name, tensor in network.named_parameters() if name in subject.weights}
    pruned: masking.Pruned | None = None
    start = _sparsity(subject.masks)
    for target in rounds.targets(sparsity):
        if target < start:
            continue  # an earlier level has come further than this round asks
        if pruned is not None and not criterion.repeatable:
            subject = _subject(criterion, network, exclude, pruned.masks, batches, shape, generator, notes)
        pruned = masking.prune(
            _scores(criterion, subject),
            scope,
            target,
            generator=generator,
            before=dict(subject.masks),
            invert=invert,
            weights=original if scope.needs_weights else None,
        )
        _shrink(subject, pruned.masks)
        subject = replace(subject, masks=pruned.masks)
    if pruned is None:
        raise MethodError(f"the network is pruned beyond {sparsity:.4g} already; a mask only shrinks")
    return pruned


def _scores(criterion: Criterion, subject: Subject) -> Scores:
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        scores = criterion.score(subject)
    for name, weight in subject.weights.items():
        if name not in scores or scores[name].shape != weight.shape:
            raise MethodError(f"{criterion.name} gave no score of the right shape for {name}")
    return {name: scores[name].detach().cpu() for name in subject.weights}


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
        norm.train(criterion.batch_norm == "train")
    for parameter in twin.parameters():
        parameter.grad = None
        parameter.requires_grad_(True)
    weights = prunable(twin, exclude)
    kept = dict(masks) if masks is not None else masking.dense(weights)
    masking.apply(kept, twin)
    subject = Subject(
        network=twin,
        weights=weights,
        masks=kept,
        batches=[(images.to(dtype), labels) for images, labels in batches],
        shape=shape,
        generator=generator,
        notes={} if notes is None else notes,
    )
    criterion.prepare(subject)
    return subject


def _shrink(subject: Subject, masks: masking.Masks) -> None:
    """Set to zero what the masks have lost since the subject was last scored: few places, so not the whole layer."""
    with torch.no_grad():
        for name, weight in subject.weights.items():
            lost = np.flatnonzero((subject.masks[name] ^ masks[name]).numpy())  # five times as fast as torch's
            weight.view(-1).index_fill_(0, torch.from_numpy(lost).to(weight.device), 0.0)


def _sparsity(masks: Mapping[str, Tensor]) -> float:
    total = sum(mask.numel() for mask in masks.values())
    return 1 - sum(int(mask.sum()) for mask in masks.values()) / total
