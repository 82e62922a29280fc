"""Critical compression against brute force: every number of weights kept is tried."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from prunectl.pruning import mask as masking
from prunectl.pruning.engines.collapse import FINE, best_ranks, search
from prunectl.pruning.scopes.global_ import Global
from prunectl.pruning.scopes.layerwise import Layerwise


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def keeps_every_layer(
    scores: dict[str, torch.Tensor], scope: Global | Layerwise, kept: int, *, seed: int = 0, invert: bool = False
) -> bool:
    total = sum(map(torch.numel, scores.values()))
    pruned = masking.prune(scores, scope, (total - kept) / total, generator=generator(seed), invert=invert)
    return all(bool(mask.any()) for mask in pruned.masks.values())


@given(
    st.lists(st.lists(st.sampled_from([-2.0, -0.0, 0.0, 1.0, 3.5]), min_size=1, max_size=9), min_size=1, max_size=4),
    st.integers(0, 9),
    st.booleans(),
)
def test_in_one_ranking_it_is_exact_with_ties_as_pruning_draws_them(
    values: list[list[float]], seed: int, invert: bool
) -> None:
    scores = {str(place): torch.tensor(layer) for place, layer in enumerate(values)}
    ranked = best_ranks(scores, generator(seed), invert=invert)
    for kept in range(sum(map(len, values)) + 1):
        assert keeps_every_layer(scores, Global(), kept, seed=seed, invert=invert) == (kept >= ranked), kept


def test_it_is_the_largest_of_the_ranks_of_the_layers_best_scores() -> None:
    """By hand: 9 8 7 | 6 | 5 4 | 3: the best of the last layer is seventh."""
    scores = {"a": torch.tensor([9.0, 8, 7]), "b": torch.tensor([6.0, 5]), "c": torch.tensor([4.0, 3])}
    assert best_ranks(scores, generator()) == 6
    assert best_ranks(scores, generator(), invert=True) == 5
    with pytest.raises(ValueError, match="without weights"):
        best_ranks({"a": torch.ones(2), "b": torch.ones(0)}, generator())


def tried(works: Callable[[int], bool], most: int, layers: int, *first: int) -> tuple[int, int]:
    found = search(works, most, layers, first)
    assert len(found.tried) == len(set(found.tried))
    return found.kept, len(found.tried)


@given(st.integers(1, 5), st.integers(1, FINE), st.integers(0, FINE), st.lists(st.integers(0, FINE), max_size=3))
def test_a_search_finds_the_lowest_number_whatever_is_tried_first(
    layers: int, most: int, lowest: int, first: list[int]
) -> None:
    most = max(most, layers)
    lowest = min(max(lowest, layers), most)
    found = search(lambda kept: kept >= lowest, most, layers, first)
    assert found.kept == lowest
    assert all(layers <= kept < most for kept in found.tried)


def test_a_large_number_is_found_to_a_thousandth_and_in_few_tries() -> None:
    kept, count = tried(lambda kept: kept >= 123_456, 15_000_000, 17)
    assert 123_456 <= kept <= 123_456 * 1.002 and count < 20
    assert tried(lambda kept: kept >= 123_456, 15_000_000, 17, 123_456, 123_455) == (123_456, 2)


def test_where_it_is_not_monotone_the_number_found_works_and_the_next_lower_does_not() -> None:
    def works(kept: int) -> bool:
        return kept % 7 < 4 or kept > 90

    found = search(works, 200, 3).kept
    assert works(found) and not works(found - 1)


def test_nothing_but_the_dense_network_may_be_found() -> None:
    assert search(lambda kept: False, 50, 3).kept == 50


def test_with_a_scope_that_gives_each_layer_its_share_the_search_agrees_with_trying_all() -> None:
    torch.manual_seed(0)
    scores = {"a": torch.rand(60), "b": torch.rand(25), "c": torch.rand(5)}
    lowest = min(kept for kept in range(1, 91) if keeps_every_layer(scores, Layerwise(), kept))
    assert search(lambda kept: keeps_every_layer(scores, Layerwise(), kept), 90, 3).kept == lowest
