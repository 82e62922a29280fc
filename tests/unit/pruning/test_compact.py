"""The smaller network computes what the masked one does, for every network of the catalogue."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from networks import SHAPE, batch, small_network
from prunectl.base.errors import MethodError
from prunectl.catalog.lookup import entry_type, names
from prunectl.catalog.masks import Masks
from prunectl.catalog.model import Model
from prunectl.models.initialization import initialize
from prunectl.pruning import mask as masking
from prunectl.pruning.engines.channel_graph import channels_of
from prunectl.pruning.engines.channel_masks import WholeChannels
from prunectl.pruning.engines.compact import compact, difference, resized
from prunectl.pruning.prunable import prunable
from prunectl.pruning.scopes.global_ import Global
from prunectl.pruning.scopes.layerwise import Layerwise

IMAGES = (3, 16, 16)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def magnitudes(network: nn.Module) -> dict[str, Tensor]:
    return {name: weight.detach().abs() for name, weight in prunable(network).items()}


def trained(network: nn.Module, seed: int = 0) -> nn.Module:
    """Nothing is zero or neutral: biases and BatchNorm as after a training."""
    initialize(network, init="kaiming-normal", bn_init="ones", generator=generator(seed))
    draws = generator(seed + 1)
    for name, tensor in network.state_dict().items():
        if "running_var" in name or (name.endswith("weight") and tensor.dim() == 1):
            tensor.uniform_(0.5, 1.5, generator=draws)
        elif tensor.dim() == 1:
            tensor.normal_(std=0.3, generator=draws)
    return network


def masked(network: nn.Module, masks: Masks) -> nn.Module:
    masking.apply(masks, network)
    return network


def nonzero(network: nn.Module) -> int:
    return sum(int((parameter != 0).sum()) for parameter in network.parameters())


def size(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def built(name: str, **parameters: object) -> nn.Module:
    model = entry_type("models", name)(**parameters)
    assert isinstance(model, Model)
    return trained(model.build(IMAGES, 10))


MORE_OF_THE_SAME = ("resnet-32", "resnet-44", "preact-resnet-56")
"""Networks that differ from a smaller one, which is tested, in their number of blocks alone."""


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        *((name, {}) for name in names("models") if name not in MORE_OF_THE_SAME),
        ("resnet-20", {"shortcut": "projection"}),
        ("resnet-20", {"shortcut": "projection-bn"}),
        ("resnet-18", {"stem": "imagenet"}),
        ("lenet-5", {"activation": "tanh", "pool": "avg"}),
        ("vgg11", {"conv_bias": True}),
    ],
)
def test_a_compact_network_computes_the_same(name: str, parameters: dict[str, object]) -> None:
    network = built(name, **parameters)
    channels = channels_of(network, IMAGES)
    masks = WholeChannels(channels).prune(magnitudes(network), Layerwise(), 0.6, generator=generator()).masks
    small = compact(network, masks, IMAGES)
    masked(network, masks)
    images = torch.randn(4, *IMAGES, generator=generator(7))
    with torch.no_grad():
        outputs, expected = small.network.eval()(images), network.eval()(images)
    assert (outputs - expected).abs().max() <= 1e-5 * max(1.0, float(expected.abs().max()))
    assert expected.std() > 1e-3  # and is not trivially the same
    assert size(small.network) == nonzero(network) < 0.5 * size(network)
    assert small.channels[0] < small.channels[1]
    kinds = [type(module) for module in network.modules() if not list(module.children())]
    assert {nn.Conv2d, nn.Linear, nn.BatchNorm2d} & set(kinds) == {nn.Conv2d, nn.Linear, nn.BatchNorm2d} & {
        type(module) for module in small.network.modules()
    }


@pytest.mark.parametrize("sparsity", [0.3, 0.8, 0.93])
@pytest.mark.parametrize("scope", [Global(), Layerwise()])
def test_zeros_of_a_shortcut_are_left_out_where_they_are_not_needed(scope: Global | Layerwise, sparsity: float) -> None:
    """Option A, at any sparsity: uneven numbers of zeros before and after."""
    network = built("resnet-20")
    masks = WholeChannels(channels_of(network, IMAGES)).prune(
        magnitudes(network), scope, sparsity, generator=generator()
    )
    small = compact(network, masks.masks, IMAGES)
    assert set(small.widths.pads) == {0, 1}
    assert size(small.network) == nonzero(masked(network, masks.masks))


def test_a_residual_sum_batch_norm_and_flatten() -> None:
    network = trained(small_network())
    masks = WholeChannels(channels_of(network, SHAPE)).prune(
        magnitudes(network), Layerwise(), 0.7, generator=generator()
    )
    small = compact(network, masks.masks, SHAPE)
    images, _ = batch()
    with torch.no_grad():
        assert torch.allclose(small.network.eval()(images), masked(network, masks.masks).eval()(images), atol=1e-5)
    assert small.network[3].conv.weight.shape[:2] == (2, 2)  # type: ignore[index]
    assert small.network[6].in_features == 2 * 9  # type: ignore[index]


def test_it_can_be_rebuilt_from_its_widths_and_trained() -> None:
    network = built("resnet-20")
    masks = WholeChannels(channels_of(network, IMAGES)).prune(
        magnitudes(network), Layerwise(), 0.6, generator=generator()
    )
    small = compact(network, masks.masks, IMAGES)
    again = resized(built("resnet-20"), small.widths)
    again.load_state_dict(small.network.state_dict())
    assert difference(small.network, again, IMAGES)[0] == 0
    again.train()(torch.randn(4, *IMAGES)).sum().backward()
    assert all(parameter.grad is not None for parameter in again.parameters())


def test_the_network_is_left_as_it_was() -> None:
    network = trained(small_network())
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    masks = WholeChannels(channels_of(network, SHAPE)).prune(magnitudes(network), Global(), 0.5, generator=generator())
    compact(network, masks.masks, SHAPE)
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    assert network.training


def test_a_mask_of_single_weights_leaves_its_size() -> None:
    network = trained(small_network())
    masks = masking.prune(magnitudes(network), Global(), 0.5, generator=generator()).masks
    small = compact(network, masks, SHAPE)
    assert size(small.network) == size(network)
    assert small.channels[0] == small.channels[1]


def test_where_all_is_gone_one_channel_stays() -> None:
    network = small_network()  # its linear layers have no bias: without weights they are zero
    masks = {name: torch.ones_like(score, dtype=torch.bool) for name, score in magnitudes(network).items()}
    masks["6.weight"] = torch.zeros(36, 36, dtype=torch.bool)
    small = compact(network, masks, SHAPE)
    assert small.network.get_submodule("6").weight.shape == (1, 36)
    assert small.network.get_submodule("8").weight.shape == (36, 1)


def test_a_difference_is_found_and_refused() -> None:
    """A hook that the graph cannot see makes dead channels one, and the next layer was not masked."""
    network = nn.Sequential(nn.Flatten(), nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
    network[2].register_forward_hook(lambda module, inputs, output: output + 1.0)
    masks = {"1.weight": torch.ones(8, 4, dtype=torch.bool), "1.bias": torch.ones(8, dtype=torch.bool)}
    masks["1.weight"][3:] = masks["1.bias"][3:] = False
    with pytest.raises(MethodError, match=r"differs from the masked one by \d"):
        compact(network, masks, (1, 2, 2))


def test_what_cannot_be_followed_is_refused() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Sigmoid(), nn.Flatten(), nn.Linear(4 * 14 * 14, 10))
    with pytest.raises(MethodError, match=r"1 \(Sigmoid\) makes no zeros of zeros.* and 2 does something else"):
        compact(network, {}, IMAGES)
