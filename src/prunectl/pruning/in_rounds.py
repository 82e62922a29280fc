"""Scoring and pruning in rounds, without training in between."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from prunectl.base.errors import MethodError
from prunectl.base.rng import seeded
from prunectl.catalog.criterion import Criterion, Subject
from prunectl.catalog.masks import Masks, Pruned
from prunectl.catalog.rounds import Rounds
from prunectl.pruning import mask as masking
from prunectl.pruning.cut import Cut
from prunectl.pruning.engines.select import all_finite
from prunectl.pruning.scoring import Scoring, shrunk


def prune_in_rounds(
    scoring: Scoring, network: nn.Module, cut: Cut, sparsity: float, rounds: Rounds, *, before: Masks | None = None
) -> Pruned:
    """Score, prune a little, score what is left, ...: the masks after the last round, at `sparsity`.

    Every round scores the clean weights under its mask; where pruning updates weights, those of the round before, and
    the last ones are part of what is returned. The network stays as it is. The units of `cut` are those of the
    network. A round that asks for less than `before` has pruned already is left out, but never the last one:
    whole channels may have gone beyond it. Raises MethodError for scores that no ranking can be made of, and for a
    sparsity that cannot be reached, and where the images of a batch depend on each other although the criterion looks
    at single ones.
    """
    criterion = scoring.criterion
    own = copy.deepcopy(network) if criterion.updates_weights() else network
    run = _Run(scoring=scoring, network=own, cut=cut, before=before)
    scoring.refuse(own)
    seed = scoring.generator.initial_seed()
    with seeded(seed, "score", 0):
        subject = run.subject(before, 0)
        start = masking.sparsity_of(subject.masks)
        first, *others = [target for target in rounds.targets(sparsity) if target >= start] or [sparsity]
        pruned = run.round(subject, first, before)
    for number, target in enumerate(others, start=1):
        with seeded(seed, "score", number):
            subject = run.next_subject(subject, pruned.masks, number)
            pruned = run.round(subject, target, before if criterion.regrows else pruned.masks)
    return pruned


@dataclass(frozen=True, kw_only=True, eq=False)
class _Run:
    """What does not change from round to round. `before` is the mask of the level before."""

    scoring: Scoring
    network: nn.Module
    cut: Cut
    before: Masks | None

    def round(self, subject: Subject, target: float, before: Masks | None) -> Pruned:
        """Score and prune; with the weights that stay, where pruning changes them."""
        criterion = self.scoring.criterion
        weights = {name: each.detach() for name, each in self.network.named_parameters() if name in subject.weights}
        scores = self.scoring.scores(subject)
        pruned = self.cut.masks(scores, target, generator=subject.generator, before=before, weights=weights)
        if not criterion.updates_weights():
            return pruned
        updated = _updated(criterion, subject, pruned.masks)
        for name, weight in weights.items():
            weight.copy_(updated[name])
        return replace(pruned, weights={name: weight.clone() for name, weight in weights.items()})

    def next_subject(self, subject: Subject, masks: Masks, number: int) -> Subject:
        """The subject of the next round: the same copy if it may be scored again, else a fresh one."""
        kind = self.scoring.criterion
        if kind.repeatable and not (kind.regrows or kind.fresh_batches or kind.updates_weights()):
            return shrunk(subject, masks)
        return self.subject(masks, number)

    def subject(self, masks: Mapping[str, Tensor] | None, number: int) -> Subject:
        """A fresh copy of the network under these masks, for round `number`."""
        return self.scoring.subject(self.network, masks, number, self.before)


def _updated(criterion: Criterion, subject: Subject, masks: Masks) -> dict[str, Tensor]:
    """The weights once masks are in force, exactly zero outside them. Raises MethodError if one is not finite."""
    with torch.no_grad():
        weights = criterion.updated(subject, masking.of_weights(masks))
        for name, weight in weights.items():
            if not all_finite(weight):
                raise MethodError(f"{criterion.name} gave weights of {name} that are not finite")
            weight.masked_fill_(~masks[name].to(weight.device), 0.0)
    return weights
