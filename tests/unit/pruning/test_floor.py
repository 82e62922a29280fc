"""A global ranking with a floor: exact totals, floors that hold, and the global ranking where none of them binds."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from networks import SHAPE, small_network
from prunectl.base.errors import MethodError
from prunectl.pruning import mask as masking
from prunectl.pruning.criteria.magnitude import Magnitude
from prunectl.pruning.criteria.synflow import SynFlow
from prunectl.pruning.cut import Cut
from prunectl.pruning.engines.single_weights import SingleWeights
from prunectl.pruning.in_rounds import prune_in_rounds
from prunectl.pruning.rounds.exponential import Exponential
from prunectl.pruning.scopes.erk import Erk
from prunectl.pruning.scopes.global_ import Global
from prunectl.pruning.scopes.layerwise import Layerwise
from prunectl.pruning.scoring import Scoring
from prunectl.pruning.structures.channels import Channels
from prunectl.pruning.structures.n_of_m import NOfM

FLOOR = Global(floor=0.1)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def left(masks: dict[str, torch.Tensor]) -> dict[str, int]:
    return {name: int(mask.sum()) for name, mask in masks.items()}


layers = st.lists(st.lists(st.integers(0, 6), min_size=1, max_size=12), min_size=1, max_size=4)


@given(layers, st.floats(0, 0.6), st.floats(0, 1), st.booleans())
def test_totals_are_exact_floors_hold_and_no_kept_weight_beyond_a_floor_is_worse_than_one_gone(
    values: list[list[int]], floor: float, sparsity: float, invert: bool
) -> None:
    scores = {str(place): torch.tensor(layer, dtype=torch.float32) for place, layer in enumerate(values)}
    n = sum(map(len, values))
    asked, least = n - round(sparsity * n), {name: math.ceil(floor * len(each)) for name, each in scores.items()}
    scope = Global(floor=floor)
    if asked < sum(least.values()):
        with pytest.raises(MethodError, match="the highest sparsity that it reaches here is"):
            masking.prune(scores, scope, sparsity, generator=generator(), invert=invert)
        return
    masks = masking.prune(scores, scope, sparsity, generator=generator(), invert=invert).masks
    assert sum(left(masks).values()) == asked
    sign = -1 if invert else 1
    kept = {name: (sign * scores[name][mask]).sort().values for name, mask in masks.items()}
    lost = {name: sign * scores[name][~mask] for name, mask in masks.items()}
    for name, floor_of in least.items():
        assert len(kept[name]) >= floor_of
        if len(lost[name]) and len(kept[name]):
            assert kept[name][0] >= lost[name].max(), "within a layer the highest stay"
    beyond = [kept[name][0] for name in masks if len(kept[name]) > least[name]]
    if beyond and any(map(len, lost.values())):
        assert min(beyond) >= max(each.max() for each in lost.values() if len(each))


@given(layers, st.floats(0, 0.3), st.floats(0, 1))
def test_where_no_floor_binds_it_is_the_global_ranking_ties_included(
    values: list[list[int]], floor: float, sparsity: float
) -> None:
    scores = {str(place): torch.tensor(layer, dtype=torch.float32) for place, layer in enumerate(values)}
    plain = masking.prune(scores, Global(), sparsity, generator=generator())
    if all(kept >= math.ceil(floor * len(scores[name])) for name, kept in left(plain.masks).items()):
        floored = masking.prune(scores, Global(floor=floor), sparsity, generator=generator())
        assert all(torch.equal(mask, plain.masks[name]) for name, mask in floored.masks.items())
        assert (floored.tied, floored.tied_pruned) == (plain.tied, plain.tied_pruned)


def test_it_is_the_best_of_all_masks_with_these_floors() -> None:
    """Against every choice of kept weights of a tiny network: the largest sum of scores."""
    torch.manual_seed(0)
    scores = {"a": torch.rand(3) + 1, "b": torch.rand(4), "c": torch.rand(3) / 10}
    flat = torch.cat(list(scores.values())).tolist()
    layer = [name for name, each in scores.items() for _ in each]
    scope = Global(floor=0.3)
    least = {"a": 1, "b": 2, "c": 1}
    for asked in range(4, 11):
        best = max(
            (
                kept
                for kept in itertools.combinations(range(10), asked)
                if all([layer[place] for place in kept].count(name) >= count for name, count in least.items())
            ),
            key=lambda kept: sum(flat[place] for place in kept),
        )
        masks = masking.prune(scores, scope, (10 - asked) / 10, generator=generator()).masks
        assert torch.cat(list(masks.values())).nonzero().flatten().tolist() == list(best)


def test_a_floor_is_the_decimal_that_is_written() -> None:
    shapes = {"a": (100,), "b": (10, 10, 2)}
    assert 0.07 * 100 > 7
    assert Global(floor=0.07).kept(shapes) == {"a": 7, "b": 14}
    assert Global(floor=0.0001).kept(shapes) == {"a": 1, "b": 1}
    assert Global().kept(shapes) == Erk().kept(shapes) == {}


def test_floors_hold_in_every_round_and_after_levels_before() -> None:
    network = small_network()
    pruned = prune_in_rounds(
        Scoring(criterion=SynFlow(), shape=SHAPE, generator=generator()),
        network,
        Cut(units=SingleWeights(), scope=FLOOR),
        0.85,
        Exponential(count=5),
    )
    for name, mask in pruned.masks.items():
        assert int(mask.sum()) >= math.ceil(mask.numel() / 10), name
    further = prune_in_rounds(
        Scoring(criterion=Magnitude(), shape=SHAPE, generator=generator()),
        network,
        Cut(units=SingleWeights(), scope=Global(floor=0.05)),
        0.93,
        Exponential(count=2),
        before=pruned.masks,
    )
    total = sum(mask.numel() for mask in further.masks.values())
    assert sum(left(further.masks).values()) == total - round(0.93 * total)
    for name, mask in further.masks.items():
        assert not (mask & ~pruned.masks[name]).any()
        assert int(mask.sum()) >= math.ceil(mask.numel() / 20)


def test_a_layer_with_less_than_its_floor_left_keeps_what_it_has() -> None:
    scores = {"a": torch.arange(10.0), "b": torch.arange(10.0) + 100}
    before = {"a": torch.arange(10) >= 9, "b": torch.ones(10, dtype=torch.bool)}
    masks = masking.prune(scores, Global(floor=0.3), 0.8, generator=generator(), before=before).masks
    assert left(masks) == {"a": 1, "b": 3}


def test_no_existing_key_changes() -> None:
    assert "floor" not in Global().preimage()
    assert FLOOR.preimage()["floor"] == 0.1
    assert FLOOR.label() == "global(floor=0.1)"


@pytest.mark.parametrize("floor", [-0.1, 1.0, float("nan")])
def test_a_floor_is_a_fraction_below_1(floor: float) -> None:
    with pytest.raises(ValidationError):
        Global(floor=floor)


def test_structures_that_do_not_rank_single_weights_refuse_it() -> None:
    assert "leave floor out" in (Channels().refusal(FLOOR) or "")
    assert "leave scope out" in (NOfM(n=2, m=4).refusal(FLOOR) or "")
    assert Channels().refusal(Global()) is None and Channels().refusal(Layerwise()) is None
    network = small_network()
    scores = {name: torch.rand(each.shape) for name, each in network.named_parameters() if each.dim() > 1}
    with pytest.raises(MethodError, match="whole channels go"):
        Channels().units(network, SHAPE).prune(scores, FLOOR, 0.5, generator=generator())
