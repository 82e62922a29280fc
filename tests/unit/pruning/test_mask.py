"""Exactly k weights go, whatever the scores; masks survive packing; ablations do what they say."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from networks import SHAPE, batch, linear, small_network
from prunectl.base.errors import MethodError
from prunectl.pruning import mask as masking
from prunectl.pruning.criteria.magnitude import Magnitude
from prunectl.pruning.criteria.random import Random
from prunectl.pruning.criteria.snip import Snip
from prunectl.pruning.criteria.synflow import SynFlow
from prunectl.pruning.cut import Cut
from prunectl.pruning.engines.allocation import apportion
from prunectl.pruning.engines.paths import effective
from prunectl.pruning.engines.select import lowest
from prunectl.pruning.engines.single_weights import SingleWeights
from prunectl.pruning.in_rounds import prune_in_rounds
from prunectl.pruning.prunable import prunable
from prunectl.pruning.rounds.exponential import Exponential
from prunectl.pruning.rounds.linear import Linear
from prunectl.pruning.scopes.global_ import Global
from prunectl.pruning.scopes.layerwise import Layerwise
from prunectl.pruning.scoring import Scoring, score


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@given(st.lists(st.sampled_from([0.0, -0.0, 1.0, -2.5, 3.0]), min_size=1, max_size=60), st.data())
def test_exactly_k_go_and_none_kept_is_lower(values: list[float], data: st.DataObject) -> None:
    k = data.draw(st.integers(0, len(values)))
    scores = torch.tensor(values)
    chosen, tie = lowest(scores, k, generator())
    assert int(chosen.sum()) == k
    if 0 < k < len(values):
        assert scores[chosen].max() <= scores[~chosen].min()
        assert tie.scores == int((scores == scores[chosen].max()).sum())


def test_ties_are_broken_by_the_seed_not_by_the_place() -> None:
    scores = torch.zeros(1000)
    one, _ = lowest(scores, 500, generator(1))
    again, _ = lowest(scores, 500, generator(1))
    other, _ = lowest(scores, 500, generator(2))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)
    assert 150 < int(one[:500].sum()) < 350  # not the first half, not the last


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_a_score_that_is_not_finite_is_an_error(bad: float) -> None:
    with pytest.raises(MethodError, match="not finite"):
        lowest(torch.tensor([1.0, bad, 2.0]), 1, generator())


@given(
    st.lists(st.integers(1, 50), min_size=1, max_size=6),
    st.floats(0, 0.999),
    st.booleans(),
    st.sampled_from([Global(), Layerwise()]),
)
def test_round_of_s_times_n_go_in_every_scope(
    sizes: list[int], sparsity: float, invert: bool, scope: Global | Layerwise
) -> None:
    scores = {f"layer{i}": torch.randn(size, generator=generator(i)) for i, size in enumerate(sizes)}
    pruned = masking.prune(scores, scope, sparsity, generator=generator(), invert=invert)
    gone = sum(int((~mask).sum()) for mask in pruned.masks.values())
    assert gone == round(sparsity * sum(sizes))
    if isinstance(scope, Layerwise):
        for name, mask in pruned.masks.items():
            assert abs(int((~mask).sum()) - sparsity * scores[name].numel()) <= 1


def test_inverted_takes_the_highest() -> None:
    scores = {"a": torch.arange(10.0)}
    plain = masking.prune(scores, Global(), 0.3, generator=generator()).masks["a"]
    inverted = masking.prune(scores, Global(), 0.3, generator=generator(), invert=True).masks["a"]
    assert (~plain).nonzero().flatten().tolist() == [0, 1, 2]
    assert (~inverted).nonzero().flatten().tolist() == [7, 8, 9]


def test_a_signed_score_is_ranked_from_one_end() -> None:
    """Trap 2: a threshold on both sides would prune half of what was asked."""
    scores = {"a": torch.tensor([-5.0, -4.0, -0.1, 0.1, 4.0, 5.0])}
    kept = masking.prune(scores, Global(), 0.5, generator=generator()).masks["a"]
    assert kept.tolist() == [False, False, False, True, True, True]


@given(st.lists(st.integers(1, 30), min_size=1, max_size=5), st.lists(st.floats(0, 0.99), min_size=2, max_size=5))
def test_masks_only_shrink(sizes: list[int], targets: list[float]) -> None:
    before = None
    for level, target in enumerate(sorted(targets)):
        scores = {f"l{i}": torch.randn(size, generator=generator(level)) for i, size in enumerate(sizes)}
        after = masking.prune(scores, Layerwise(), target, generator=generator(), before=before).masks
        if before is not None:
            assert all(bool((after[name] <= before[name]).all()) for name in after)
        assert sum(int((~mask).sum()) for mask in after.values()) == round(target * sum(sizes))
        before = after


@given(st.lists(st.tuples(st.floats(0, 20), st.integers(0, 5), st.integers(5, 20)), min_size=1, max_size=6), st.data())
def test_apportioned_counts_add_up_within_their_bounds(rows: list[tuple[float, int, int]], data: st.DataObject) -> None:
    quotas, low, high = (list(column) for column in zip(*rows, strict=True))
    total = data.draw(st.integers(sum(low), sum(high)))
    counts = apportion(quotas, total, low, high)
    assert sum(counts) == total
    assert all(lo <= count <= hi for count, lo, hi in zip(counts, low, high, strict=True))


@given(st.lists(st.booleans(), min_size=1, max_size=40))
def test_packed_masks_come_back(bits: list[bool]) -> None:
    masks = {"a": torch.tensor(bits)}
    packed = masking.pack(masks)
    assert packed["a"].numel() == -(-len(bits) // 8)
    assert torch.equal(masking.unpack(packed, {"a": (len(bits),)})["a"], masks["a"])


def test_shuffle_keeps_the_counts_and_moves_the_places() -> None:
    """Trap 7: a shuffle that shuffles nothing."""
    masks = {"a": torch.arange(100) < 30, "b": torch.arange(64).view(8, 8) < 8}
    shuffled = masking.shuffle(masks, generator())
    for name, mask in masks.items():
        assert int(shuffled[name].sum()) == int(mask.sum())
        assert shuffled[name].shape == mask.shape
        assert not torch.equal(shuffled[name], mask)


def test_only_weights_are_prunable() -> None:
    """Trap 3: BatchNorm scales and biases are never pruned."""
    assert list(prunable(small_network())) == ["0.weight", "3.conv.weight", "6.weight", "8.weight", "10.weight"]
    assert list(prunable(small_network(), ["3.*", "10"])) == ["0.weight", "6.weight", "8.weight"]


def test_nothing_to_prune_is_an_error() -> None:
    """Trap 4, and a pattern that excludes nothing."""
    with pytest.raises(MethodError, match="nothing to prune"):
        prunable(torch.nn.Sequential(torch.nn.BatchNorm2d(3)))
    with pytest.raises(MethodError, match="matches no layer"):
        prunable(small_network(), ["head"])


@pytest.mark.parametrize("criterion", [Random(), Magnitude(), Snip(), Snip(wrt="weight"), SynFlow()])
def test_scoring_leaves_no_trace(criterion: Random | Magnitude | Snip | SynFlow) -> None:
    """Trap 9: network, BatchNorm statistics and the random state are as before."""
    network = small_network().train()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    state = torch.get_rng_state()
    scores = score(Scoring(criterion=criterion, batches=[batch()], shape=SHAPE, generator=generator()), network)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    assert all(parameter.grad is None for parameter in network.parameters())
    assert network.training
    assert list(scores) == list(prunable(network))


def test_snip_is_the_gradient_with_respect_to_the_mask() -> None:
    """Against a finite difference of the loss in a mask entry, in float64."""
    network = small_network().double().train()
    images, labels = batch()

    class Double(Snip):
        precision = "float64"

    scores = score(Scoring(criterion=Double(), batches=[(images, labels)], shape=SHAPE, generator=generator()), network)
    weights = prunable(network)
    for name, place in (("0.weight", 5), ("3.conv.weight", 17), ("10.weight", 40)):
        flat = weights[name].detach().view(-1)
        value, step = float(flat[place]), 1e-5
        losses = []
        for mask in (1 + step, 1 - step):
            flat[place] = value * mask
            with torch.no_grad():
                losses.append(float(torch.nn.functional.cross_entropy(network(images.double()), labels)))
        flat[place] = value
        assert abs(losses[0] - losses[1]) / (2 * step) == pytest.approx(float(scores[name].view(-1)[place]), rel=1e-5)


def test_synflow_of_a_chain_is_the_product_of_the_paths() -> None:
    """Two linear layers: the score of a weight is the sum over its paths of the products of magnitudes."""
    network = torch.nn.Sequential(
        torch.nn.Flatten(), torch.nn.Linear(2, 2, bias=False), torch.nn.Linear(2, 1, bias=False)
    )
    with torch.no_grad():
        linear(network, "1").weight.copy_(torch.tensor([[1.0, -2.0], [3.0, 4.0]]))
        linear(network, "2").weight.copy_(torch.tensor([[-5.0, 6.0]]))
    scores = score(Scoring(criterion=SynFlow(), shape=(1, 1, 2), generator=generator()), network)
    assert scores["1.weight"].tolist() == [[5.0, 10.0], [18.0, 24.0]]
    assert scores["2.weight"].tolist() == [[15.0, 42.0]]


def test_synflow_survives_where_float32_does_not() -> None:
    """Trap 6: deep networks overflow float32."""
    layers = [torch.nn.Linear(64, 64, bias=False) for _ in range(60)]
    for layer in layers:
        torch.nn.init.constant_(layer.weight, 1.0)
    network = torch.nn.Sequential(torch.nn.Flatten(), *layers)
    pruned = prune_in_rounds(
        Scoring(criterion=SynFlow(), shape=(1, 8, 8), generator=generator()),
        network,
        Cut(units=SingleWeights(), scope=Global()),
        0.5,
        Exponential(count=3),
    )
    assert sum(int((~mask).sum()) for mask in pruned.masks.values()) == round(0.5 * 60 * 64 * 64)


@given(st.floats(0.01, 0.99), st.integers(1, 200))
def test_exponential_rounds_end_exactly_at_the_target(target: float, count: int) -> None:
    """Trap 12: no rounding drift."""
    levels = Exponential(count=count).targets(target)
    assert len(levels) == count
    assert levels[-1] == target
    assert levels == sorted(levels)


def test_rounds_prune_exactly_and_never_bring_back() -> None:
    network = small_network()
    for rounds in (Exponential(count=10), Linear(count=10)):
        pruned = prune_in_rounds(
            Scoring(criterion=SynFlow(), shape=SHAPE, generator=generator()),
            network,
            Cut(units=SingleWeights(), scope=Global()),
            0.9,
            rounds,
        )
        total = sum(mask.numel() for mask in pruned.masks.values())
        assert sum(int((~mask).sum()) for mask in pruned.masks.values()) == round(0.9 * total)


def test_effective_weights_lie_on_a_path() -> None:
    """Trap 14: a kept weight behind a cut is not effective."""
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3, 3), torch.nn.Sigmoid(), torch.nn.Linear(3, 2))
    masks = {
        "1.weight": torch.tensor([[True, False, False], [False, False, False], [False, True, True]]),
        "3.weight": torch.tensor([[True, True, False], [False, True, False]]),
    }
    found = effective(network, masks, (1, 1, 3))
    assert found["1.weight"].tolist() == [[True, False, False], [False, False, False], [False, False, False]]
    assert found["3.weight"].tolist() == [[True, False, False], [False, False, False]]


def test_every_kept_weight_of_a_dense_network_is_effective() -> None:
    network = small_network()
    dense = masking.dense(prunable(network))
    assert all(bool(found.all()) for found in effective(network, dense, SHAPE).values())
