"""Running statistics of BatchNorm: averages over the images, measured only where asked."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from networks import SHAPE, small_network
from prunectl.base import batch_norm


def images(count: int, seed: int = 0) -> Tensor:
    return torch.randn(count, *SHAPE, generator=torch.Generator().manual_seed(seed))


def fresh_network() -> nn.Sequential:
    network = small_network().eval()
    for norm in batch_norm.batch_norms(network):
        norm.reset_running_stats()
    return network


def test_they_are_the_layers_of_one_two_and_three_dimensions() -> None:
    layers = [nn.BatchNorm1d(2), nn.BatchNorm2d(2), nn.BatchNorm3d(2)]
    others = [nn.GroupNorm(1, 2), nn.LayerNorm(2), nn.Conv2d(2, 2, 1)]
    assert batch_norm.batch_norms(nn.ModuleList([*others, *layers])) == layers
    assert not any(map(batch_norm.is_batch_norm, others))


def test_neutral_layers_only_scale_and_shift() -> None:
    network = small_network().eval()
    batch_norm.neutralize(network)
    norm = batch_norm.batch_norms(network)[0]
    given = images(3).expand(3, 4, 6, 6)
    wanted = given * norm.weight.view(1, -1, 1, 1) + norm.bias.view(1, -1, 1, 1)
    torch.testing.assert_close(norm(given), wanted, rtol=1e-4, atol=1e-4)


def test_neutral_is_possible_without_statistics() -> None:
    batch_norm.neutralize(nn.Sequential(nn.BatchNorm2d(2, track_running_stats=False)))


def test_batches_of_one_size_give_the_bits_of_torchs_own_average() -> None:
    """torch's average over batches, `momentum = None`, is what criteria were scored with in the first version."""
    ours, theirs = fresh_network(), fresh_network()
    batches = [images(12, seed) for seed in range(7)]
    batch_norm.measure_fresh(ours, batches)
    norms = batch_norm.batch_norms(theirs)
    for norm in norms:
        norm.train().momentum = None
    with torch.no_grad():
        for batch in batches:
            theirs(batch)
    for one, other in zip(ours.state_dict().values(), theirs.state_dict().values(), strict=True):
        assert torch.equal(one, other)


def test_each_image_counts_once() -> None:
    norm = nn.BatchNorm2d(1)
    few, many = images(2), images(30, 1)
    batch_norm.measure(norm, [norm], [few, many])
    mean = torch.cat([few, many]).mean()
    assert norm.running_mean is not None
    torch.testing.assert_close(norm.running_mean, mean.view(1))
    assert (norm.momentum, norm.training) == (0.1, False)


def test_statistics_that_describe_data_are_not_measured_again() -> None:
    network = small_network().eval()
    before = copy.deepcopy(network.state_dict())
    batch_norm.measure_fresh(network, [images(12)])
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert not any(map(batch_norm.is_fresh, batch_norm.batch_norms(network)))
    assert not batch_norm.is_fresh(nn.BatchNorm2d(2, track_running_stats=False))
