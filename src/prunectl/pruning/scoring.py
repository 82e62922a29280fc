"""Scoring a network without leaving a trace in it, once or in rounds."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from prunectl.base.batch_norm import batch_norms
from prunectl.base.errors import MethodError
from prunectl.base.rng import seeded
from prunectl.catalog.criterion import Criterion, Subject
from prunectl.catalog.masks import Masks, Pruned
from prunectl.catalog.rounds import Rounds
from prunectl.catalog.scope import Scope
from prunectl.catalog.structure import Units
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
    run = _Run(
        criterion=criterion, network=network, exclude=exclude, batches=lambda _: batches, shape=shape,
        generator=generator, notes={} if notes is None else notes, before=masks,
    )  # fmt: skip
    run.refuse()
    with seeded(generator.initial_seed(), "score", 0):
        scores = _scores(criterion, run.subject(masks, 0))
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
    batches: Sequence[Batch] | Callable[[int], Sequence[Batch]] = (),
    shape: tuple[int, int, int],
    generator: torch.Generator,
    before: Masks | None = None,
    invert: bool = False,
    notes: dict[str, float] | None = None,
) -> Pruned:
    """Score, prune a little, score what is left, ...: the masks after the last round, at `sparsity`.

    Every round scores the clean weights under its mask; where pruning updates weights, those of the round before, and
    the last ones are part of what is returned. The network stays as it is. `batches` are those of every round, or
    given for the number of a round, counted from 0. `units` are those of the network. `notes` are those of the last
    round. A round that asks for less than `before` has pruned already is left out, but never the last one:
    whole channels may have gone beyond it. Raises MethodError for scores that no ranking can be made of, and for a
    sparsity that cannot be reached, and where the images of a batch depend on each other although the criterion looks
    at single ones.
    """
    given = batches if callable(batches) else lambda _: batches
    run = _Run(
        criterion=criterion, network=copy.deepcopy(network) if criterion.updates_weights() else network,
        exclude=exclude, batches=given, shape=shape, generator=generator, notes={} if notes is None else notes,
        before=before,
    )  # fmt: skip
    run.refuse()
    seed = generator.initial_seed()
    with seeded(seed, "score", 0):
        subject = run.subject(before, 0)
        start = masking.sparsity_of(subject.masks)
        first, *others = [target for target in rounds.targets(sparsity) if target >= start] or [sparsity]
        pruned = run.round(subject, units, scope, first, before, invert)
    for number, target in enumerate(others, start=1):
        with seeded(seed, "score", number):
            subject = run.next_subject(subject, pruned.masks, number)
            pruned = run.round(subject, units, scope, target, before if criterion.regrows else pruned.masks, invert)
    return pruned


@dataclass(frozen=True, kw_only=True, eq=False)
class _Run:
    """What does not change from round to round. `before` is the mask of the level before."""

    criterion: Criterion
    network: nn.Module
    exclude: Sequence[str]
    batches: Callable[[int], Sequence[Batch]]
    shape: tuple[int, int, int]
    generator: torch.Generator
    notes: dict[str, float]
    before: Mapping[str, Tensor] | None

    def refuse(self) -> None:
        """Raise MethodError for a network that the criterion cannot score."""
        if self.criterion.per_image:
            refuse_dependence(self.criterion.name, self.network, self.shape)
        weights = prunable(self.network, self.exclude)
        if reason := next(self.criterion.check(self.network, weights, self.shape), None):
            raise MethodError(reason)

    def round(
        self, subject: Subject, units: Units, scope: Scope, target: float, before: Masks | None, invert: bool
    ) -> Pruned:
        """Score and prune; with the weights that stay, where pruning changes them."""
        weights = {name: each.detach() for name, each in self.network.named_parameters() if name in subject.weights}
        pruned = units.prune(
            _scores(self.criterion, subject),
            scope,
            target,
            generator=subject.generator,
            before=before,
            invert=invert,
            weights=weights if scope.needs_weights else None,
        )
        if not self.criterion.updates_weights():
            return pruned
        updated = _updated(self.criterion, subject, pruned.masks)
        for name, weight in weights.items():
            weight.copy_(updated[name])
        return replace(pruned, weights={name: weight.clone() for name, weight in weights.items()})

    def next_subject(self, subject: Subject, masks: Masks, number: int) -> Subject:
        """The subject of the next round: the same copy if it may be scored again, else a fresh one."""
        kind = self.criterion
        if kind.repeatable and not (kind.regrows or kind.fresh_batches or kind.updates_weights()):
            return _shrunk(subject, masks)
        return self.subject(masks, number)

    def subject(self, masks: Mapping[str, Tensor] | None, number: int) -> Subject:
        """A fresh copy of the network under these masks, for round `number`."""
        dtype = getattr(torch, self.criterion.precision)
        twin = copy.deepcopy(self.network).to(dtype).eval()
        for norm in batch_norms(twin):
            norm.train(self.criterion.batch_norm_mode() == "train")
        for parameter in twin.parameters():
            parameter.grad = None
            parameter.requires_grad_(True)
        weights = prunable(twin, self.exclude)
        unmasked: dict[str, Tensor] = {name: weight.detach() for name, weight in weights.items()}
        if self.criterion.regrows:
            masking.apply(self.before or {}, twin)
            unmasked = {name: weight.clone() for name, weight in unmasked.items()}
        kept = dict(masks) if masks is not None else masking.dense(weights)
        masking.apply(kept, twin)  # biases and BatchNorm of channels that are gone among them
        subject = Subject(
            network=twin,
            weights=weights,
            masks=masking.of_weights(kept),
            unmasked=unmasked,
            batches=[(images.to(dtype), labels) for images, labels in self.batches(number)],
            shape=self.shape,
            generator=self.generator,
            notes=self.notes,
        )
        self.criterion.prepare(subject)
        return subject


def _updated(criterion: Criterion, subject: Subject, masks: Masks) -> dict[str, Tensor]:
    """The weights once masks are in force, exactly zero outside them. Raises MethodError if one is not finite."""
    with torch.no_grad():
        weights = criterion.updated(subject, masking.of_weights(masks))
        for name, weight in weights.items():
            if not all_finite(weight):
                raise MethodError(f"{criterion.name} gave weights of {name} that are not finite")
            weight.masked_fill_(~masks[name].to(weight.device), 0.0)
    return weights


def _scores(criterion: Criterion, subject: Subject) -> Scores:
    with torch.enable_grad():
        scores = criterion.score(subject)
    for name, weight in subject.weights.items():
        if name not in scores or scores[name].shape != weight.shape:
            raise MethodError(f"{criterion.name} gave no score of the right shape for {name}")
    return {name: scores[name].detach().cpu().contiguous() for name in subject.weights}


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
