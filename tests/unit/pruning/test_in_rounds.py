"""Rounds without training: which of them are done, on which images, and what is left of the network."""

from __future__ import annotations

import torch
from torch import Tensor

from networks import SHAPE, batch, small_network
from prunectl.pruning import mask as masking
from prunectl.pruning.criteria.magnitude import Magnitude
from prunectl.pruning.criteria.snip import Snip
from prunectl.pruning.criteria.snip_iterative import SnipIterative
from prunectl.pruning.cut import Cut
from prunectl.pruning.engines.single_weights import SingleWeights
from prunectl.pruning.in_rounds import prune_in_rounds
from prunectl.pruning.rounds.linear import Linear
from prunectl.pruning.rounds.one_shot import OneShot
from prunectl.pruning.scopes.global_ import Global
from prunectl.pruning.scoring import Scoring, score

CUT = Cut(units=SingleWeights(), scope=Global())


class Fresh(SnipIterative):
    """Looks at other images in each round."""

    repeatable = False


def test_one_round_is_a_scoring_and_a_cut() -> None:
    def scoring() -> Scoring:
        draws = torch.Generator().manual_seed(0)
        return Scoring(criterion=Snip(), batches=[batch()], shape=SHAPE, generator=draws)

    network, apart = small_network(), scoring()
    once = prune_in_rounds(scoring(), network, CUT, 0.8, OneShot())
    scores = score(apart, network)
    masks = CUT.masks(scores, 0.8, generator=apart.generator).masks
    assert all(torch.equal(once.masks[name], mask) for name, mask in masks.items())


def test_each_round_is_given_its_number_and_a_round_that_is_passed_is_left_out() -> None:
    """Three of the four rounds to 0.8 ask for no more than 0.6, which is pruned already."""
    asked: list[int] = []

    def batches(number: int) -> list[tuple[Tensor, Tensor]]:
        asked.append(number)
        return [batch(number + 1)]

    network = small_network()
    scoring = Scoring(criterion=Fresh(), batches=batches, shape=SHAPE, generator=torch.Generator().manual_seed(0))
    first = prune_in_rounds(scoring, network, CUT, 0.65, Linear(count=2))
    assert asked == [0, 1]
    asked.clear()
    pruned = prune_in_rounds(scoring, network, CUT, 0.8, Linear(count=4), before=first.masks)
    assert asked == [0]
    assert masking.sparsity_of(pruned.masks) > masking.sparsity_of(first.masks)


def test_the_last_round_is_done_even_if_nothing_is_left_to_go() -> None:
    scoring = Scoring(criterion=Magnitude(), shape=SHAPE, generator=torch.Generator().manual_seed(0))
    first = prune_in_rounds(scoring, small_network(), CUT, 0.8, OneShot())
    again = prune_in_rounds(scoring, small_network(), CUT, 0.8, OneShot(), before=first.masks)
    assert all(torch.equal(again.masks[name], mask) for name, mask in first.masks.items())
