"""Trap 6 on the deepest network of the catalogue."""

from __future__ import annotations

import torch

from prunectl.models.initialization import initialize
from prunectl.models.resnet import ResNet110
from prunectl.pruning.criteria.synflow import SynFlow
from prunectl.pruning.cut import Cut
from prunectl.pruning.engines.single_weights import SingleWeights
from prunectl.pruning.in_rounds import prune_in_rounds
from prunectl.pruning.rounds.exponential import Exponential
from prunectl.pruning.scopes.global_ import Global
from prunectl.pruning.scoring import Scoring, score


def test_synflow_stays_finite_on_resnet_110_and_prunes_what_is_asked() -> None:
    shape = (3, 32, 32)
    network = ResNet110().build(shape, 10)
    draws = torch.Generator().manual_seed(1)
    initialize(network, init="kaiming-normal", bn_init="ones", generator=draws)
    scores = score(Scoring(criterion=SynFlow(), shape=shape, generator=draws), network)
    assert all(bool(torch.isfinite(found).all()) for found in scores.values())
    assert max(float(found.max()) for found in scores.values()) > torch.finfo(torch.float32).max  # trap: f32 overflows
    rounds = Exponential(count=1)
    pruned = prune_in_rounds(
        Scoring(criterion=SynFlow(), shape=shape, generator=draws),
        network,
        Cut(units=SingleWeights(), scope=Global()),
        0.9,
        rounds,
    )
    total = sum(mask.numel() for mask in pruned.masks.values())
    assert sum(int((~mask).sum()) for mask in pruned.masks.values()) == round(0.9 * total)
