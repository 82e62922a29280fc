"""N of M against brute force, and what it refuses."""

from __future__ import annotations

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from torch import Tensor, nn

from networks import SHAPE, small_network
from prunectl.base.errors import MethodError
from prunectl.catalog.masks import Masks
from prunectl.catalog.structure import Units
from prunectl.pruning.prunable import prunable
from prunectl.pruning.scopes.erk import Erk
from prunectl.pruning.scopes.global_ import Global
from prunectl.pruning.structures.n_of_m import NOfM


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def by_brute_force(scores: Tensor, n: int, m: int, *, invert: bool = False) -> Tensor:
    """The definition, place by place: of the scores of m consecutive inputs, the n highest stay."""
    keep = torch.zeros(scores.shape, dtype=torch.bool)
    outputs, inputs, *kernel = scores.shape
    for output, start in itertools.product(range(outputs), range(0, inputs, m)):
        for place in itertools.product(*map(range, kernel)):
            block = [(float(scores[(output, start + step, *place)]), start + step) for step in range(m)]
            block.sort(reverse=not invert)
            for _, channel in block[:n]:
                keep[(output, channel, *place)] = True
    return keep


def units_of(structure: NOfM, network: nn.Module | None = None) -> Units:
    return structure.units(network or nn.Sequential(nn.Linear(4, 4)), SHAPE)


@given(
    st.sampled_from([(1, 2), (2, 4), (1, 4), (3, 4), (2, 3), (5, 8)]),
    st.integers(1, 4),
    st.integers(1, 3),
    st.sampled_from([(), (3,), (3, 3), (1, 2), (2, 1, 2)]),
    st.booleans(),
)
@settings(deadline=None, max_examples=60)
def test_the_highest_n_of_every_m_stay(
    ratio: tuple[int, int], outputs: int, blocks: int, kernel: tuple[int, ...], invert: bool
) -> None:
    n, m = ratio
    scores = torch.randperm(outputs * blocks * m * max(1, torch.Size(kernel).numel()), generator=generator()).float()
    scores = scores.view(outputs, blocks * m, *kernel)
    units = units_of(NOfM(n=n, m=m))
    pruned = units.prune({"a": scores}, Global(), 1 - n / m, generator=generator(1), invert=invert)
    assert torch.equal(pruned.masks["a"], by_brute_force(scores, n, m, invert=invert))
    assert (pruned.tied, pruned.tied_pruned) == (scores.numel() // m, scores.numel() // m)  # each block's own cut


def test_by_hand() -> None:
    """Two outputs of eight inputs, 2 of 4: each half keeps its two highest."""
    scores = torch.tensor([[1.0, 4, 3, 2, 8, 7, 6, 5], [9, 1, 1, 8, 0, 0, -1, -2]])
    masks = units_of(NOfM(n=2, m=4)).prune({"a": scores}, Global(), 0.5, generator=generator()).masks
    assert masks["a"].int().tolist() == [[0, 1, 1, 0, 1, 1, 0, 0], [1, 0, 0, 1, 1, 1, 0, 0]]


def test_blocks_run_over_input_channels_and_not_over_the_kernel() -> None:
    """NVIDIA's layout, (outputs, k_h, k_w, inputs): a kernel of one channel may go as a whole, or stay as a whole."""
    scores = torch.zeros(1, 4, 3, 3)
    scores[0, 1] = scores[0, 2] = 1.0
    kept = units_of(NOfM(n=2, m=4)).prune({"a": scores}, Global(), 0.5, generator=generator()).masks["a"]
    assert kept[0].flatten(1).all(1).tolist() == [False, True, True, False]
    assert kept[0].flatten(1).any(1).tolist() == [False, True, True, False]


def test_ties_are_drawn_evenly_and_reported() -> None:
    scores = {"a": torch.zeros(1000, 4)}
    pruned = units_of(NOfM(n=1, m=4)).prune(scores, Global(), 0.75, generator=generator())
    assert (pruned.tied, pruned.tied_pruned) == (4000, 3000)
    assert all(200 < int(count) < 300 for count in pruned.masks["a"].sum(0))


def test_every_choice_of_n_is_equally_likely_after_a_shuffle() -> None:
    masks = {"a": torch.tensor([[True, True, False, False]]).repeat(6000, 1)}
    shuffled = units_of(NOfM(n=2, m=4)).shuffle(masks, generator())["a"]
    assert bool((shuffled.sum(1) == 2).all())
    patterns = torch.unique(shuffled, dim=0, return_counts=True)[1]
    assert len(patterns) == 6
    assert all(850 < int(count) < 1150 for count in patterns)


def test_a_shuffle_of_a_convolution_keeps_n_of_m() -> None:
    units, scores = units_of(NOfM(n=2, m=4)), torch.randn(8, 12, 3, 3, generator=generator())
    masks = units.prune({"a": scores}, Global(), 0.5, generator=generator()).masks
    shuffled = units.shuffle(masks, generator(1))["a"]
    blocks = shuffled.permute(0, 2, 3, 1).reshape(-1, 4)
    assert bool((blocks.sum(1) == 2).all())
    assert not torch.equal(shuffled, masks["a"])


def test_masks_only_shrink() -> None:
    units = units_of(NOfM(n=1, m=4))
    before: Masks = {"a": torch.tensor([[True, False, True, True], [True, True, True, True]])}
    scores = {"a": torch.tensor([[1.0, 9, 2, 3], [4, 3, 2, 1]])}
    masks = units.prune(scores, Global(), 0.75, generator=generator(), before=before).masks
    assert masks["a"].int().tolist() == [[0, 0, 0, 1], [1, 0, 0, 0]]
    assert torch.equal(units.prune(scores, Global(), 0.0, generator=generator(), before=before).masks["a"], before["a"])
    before["a"][0] = False
    with pytest.raises(MethodError, match="less than 1 of 4 weights are left"):
        units.prune(scores, Global(), 0.75, generator=generator(), before=before)


def test_only_its_own_sparsity_and_the_default_scope_are_accepted() -> None:
    structure = NOfM(n=2, m=4)
    assert structure.refusal(Global()) is None
    assert structure.refusal(Global(), 0.0) is structure.refusal(Global(), 0.5) is None
    assert NOfM(n=1, m=3).refusal(Global(), 0.666667) is None
    assert structure.refusal(Global(), 0.6) == "the only sparsities of n-of-m(n=2, m=4) are 0 and 0.5, not 0.6"
    assert "leave scope out" in (structure.refusal(Erk()) or "")
    units = units_of(structure)
    for scope, sparsity in ((Global(), 0.6), (Erk(), 0.5)):
        with pytest.raises(MethodError):
            units.prune({"a": torch.ones(4, 4)}, scope, sparsity, generator=generator())


def test_scores_that_are_not_finite_are_an_error() -> None:
    scores = {"a": torch.tensor([[1.0, float("nan"), 0.0, 0.0]])}
    with pytest.raises(MethodError, match="scores of a are not finite"):
        units_of(NOfM(n=2, m=4)).prune(scores, Global(), 0.5, generator=generator())


def test_layers_that_do_not_divide_are_named_with_the_line_to_write() -> None:
    """Layers that are excluded already stand in the line too, so that it can replace the old one."""
    network, structure = small_network(), NOfM(n=2, m=4)
    assert list(structure.check(network, prunable(network, ["0"]), SHAPE)) == []
    wanted = (
        "the input channels of a layer (of each of its groups) must be a multiple of 4: 0 has 1; "
        'leave such layers dense with [prunable] exclude = ["0", "10"]'
    )
    weights = prunable(network, ["10"])
    assert list(structure.check(network, weights, SHAPE)) == [wanted]
    scores = {name: weight.detach().abs() for name, weight in weights.items()}
    with pytest.raises(MethodError) as caught:
        structure.units(network, SHAPE).prune(scores, Global(), 0.5, generator=generator())
    assert str(caught.value) == wanted


def test_the_inputs_of_a_grouped_convolution_are_those_of_a_group() -> None:
    network = nn.Sequential(nn.Conv2d(8, 8, 1, groups=4), nn.Conv2d(8, 8, 1, groups=2))
    (reason,) = NOfM(n=2, m=4).check(network, prunable(network), (8, 1, 1))
    assert "0 has 2;" in reason
    assert 'exclude = ["0"]' in reason


@pytest.mark.parametrize(("n", "m"), [(0, 4), (4, 4), (5, 4), (1, 1), (2.0, 4)])
def test_numbers_that_mean_nothing_are_refused(n: int, m: int) -> None:
    with pytest.raises(ValidationError):
        NOfM(n=n, m=m)
