"""FORCE against a plain loop: every round ranks all weights by the gradient of the masked network."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from networks import SHAPE, batch, small_network
from prunectl.catalog.masks import Masks
from prunectl.pruning import mask as masking
from prunectl.pruning.criteria.force import Force
from prunectl.pruning.cut import Cut
from prunectl.pruning.engines.single_weights import SingleWeights
from prunectl.pruning.in_rounds import prune_in_rounds
from prunectl.pruning.prunable import prunable
from prunectl.pruning.rounds.exponential import Exponential
from prunectl.pruning.scopes.global_ import Global
from prunectl.pruning.scoring import Scoring

ROUNDS, SPARSITY = 6, 0.9


class Double(Force):
    """In float64."""

    precision = "float64"


def images_of(number: int) -> list[tuple[Tensor, Tensor]]:
    """Two batches, others in each round."""
    return [batch(10 * number + 1), batch(10 * number + 2)]


def half() -> Masks:
    draws = torch.Generator().manual_seed(5)
    return {name: torch.rand(weight.shape, generator=draws) < 0.5 for name, weight in prunable(small_network()).items()}


def loop(before: Masks) -> tuple[Masks, int]:
    """The last mask, and how many times a weight has come back."""
    weights = {name: weight.detach() * before[name] for name, weight in prunable(small_network().double()).items()}
    n = sum(weight.numel() for weight in weights.values())
    masks, returned = dict(before), 0
    for k in range(ROUNDS):
        network = small_network().double().train()
        with torch.no_grad():
            for name, weight in prunable(network).items():
                weight.copy_(weights[name] * masks[name])
        total = {name: torch.zeros_like(weight) for name, weight in weights.items()}
        for images, labels in images_of(k):
            loss = functional.cross_entropy(network(images.double()), labels)
            for name, gradient in zip(total, torch.autograd.grad(loss, list(prunable(network).values())), strict=True):
                total[name] += gradient / 2
        scores = torch.cat([(weights[name] * total[name]).abs().flatten() for name in weights])
        scores[~torch.cat([mask.flatten() for mask in before.values()])] = -1.0
        kept = n - round((1 - (1 - SPARSITY) ** ((k + 1) / ROUNDS)) * n)
        chosen = torch.zeros(n, dtype=torch.bool)
        chosen[scores.argsort(descending=True)[: min(kept, int((scores >= 0).sum()))]] = True
        new = dict(zip(weights, torch.split(chosen, [weight.numel() for weight in weights.values()]), strict=True))
        new = {name: mask.view(weights[name].shape) for name, mask in new.items()}
        if k > 0:
            returned += sum(int((new[name] & ~masks[name]).sum()) for name in new)
        masks = new
    return masks, returned


@pytest.mark.parametrize("level", [False, True])
def test_force_is_the_plain_loop_and_weights_come_back(level: bool) -> None:
    """What a level before has pruned stays pruned."""
    network = small_network()
    before = half() if level else masking.dense(prunable(network))
    pruned = prune_in_rounds(
        Scoring(criterion=Double(), batches=images_of, shape=SHAPE, generator=torch.Generator().manual_seed(0)),
        network,
        Cut(units=SingleWeights(), scope=Global()),
        SPARSITY,
        Exponential(count=ROUNDS),
        before=before if level else None,
    )
    expected, returned = loop(before)
    if not level:
        assert returned > 0
    n = sum(mask.numel() for mask in pruned.masks.values())
    assert sum(int((~mask).sum()) for mask in pruned.masks.values()) == round(SPARSITY * n)
    for name, mask in pruned.masks.items():
        assert not (mask & ~before[name]).any()
        if not level:
            assert torch.equal(mask, expected[name])


def test_it_is_defined_with_sixty_exponential_rounds() -> None:
    assert Force().own_rounds() == Exponential(count=60)
