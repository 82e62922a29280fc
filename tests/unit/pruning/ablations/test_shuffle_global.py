"""The mask permuted over the whole network: the total stays, the layers' shares do not."""

from __future__ import annotations

import torch

from prunectl.pruning.ablations.shuffle import Shuffle
from prunectl.pruning.ablations.shuffle_global import ShuffleGlobal
from prunectl.pruning.engines.single_weights import SingleWeights
from prunectl.pruning.structures.channels import Channels
from prunectl.pruning.structures.n_of_m import NOfM
from prunectl.pruning.structures.weights import Weights

MASKS = {"a": torch.ones(50, 20, dtype=torch.bool), "b": torch.zeros(10, 100, dtype=torch.bool)}


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_the_total_stays_and_the_shares_become_alike() -> None:
    shuffled = ShuffleGlobal().masks(MASKS, SingleWeights(), generator())
    kept = {name: int(mask.sum()) for name, mask in shuffled.items()}
    assert sum(kept.values()) == 1000
    assert all(420 < count < 580 for count in kept.values())  # half of each, by 3.6 standard deviations
    within = Shuffle().masks(MASKS, SingleWeights(), generator())
    assert {name: int(mask.sum()) for name, mask in within.items()} == {"a": 1000, "b": 0}


def test_places_are_drawn_by_the_seed() -> None:
    one, again, other = (ShuffleGlobal().masks(MASKS, SingleWeights(), generator(seed)) for seed in (1, 1, 2))
    assert all(torch.equal(mask, again[name]) for name, mask in one.items())
    assert not torch.equal(one["a"], other["a"])
    assert {name: mask.shape for name, mask in one.items()} == {name: mask.shape for name, mask in MASKS.items()}


def test_structures_that_tie_weights_together_are_refused_with_the_reason() -> None:
    assert ShuffleGlobal().refusal(Weights()) is None
    for structure in (Channels(), NOfM(n=2, m=4)):
        assert f'structure "{structure.name}" prunes weights that belong together' in (
            ShuffleGlobal().refusal(structure) or ""
        )
        assert Shuffle().refusal(structure) is None
