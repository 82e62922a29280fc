"""Channels that live and die together, and pruning them: against hand-made networks and brute force."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from networks import SHAPE, batch, small_network
from prunectl.base.errors import MethodError
from prunectl.catalog.lookup import entry_type, names
from prunectl.catalog.masks import Masks
from prunectl.catalog.model import Model
from prunectl.catalog.recipe import Recipe
from prunectl.catalog.scope import Scope
from prunectl.pruning import mask as masking
from prunectl.pruning.criteria.magnitude import Magnitude
from prunectl.pruning.criteria.synflow import SynFlow
from prunectl.pruning.cut import Cut
from prunectl.pruning.engines.channel_graph import channels_of
from prunectl.pruning.engines.channel_masks import (
    WholeChannels,
    kept_channels,
    masks_of,
)
from prunectl.pruning.in_rounds import prune_in_rounds
from prunectl.pruning.prunable import prunable
from prunectl.pruning.rounds.exponential import Exponential
from prunectl.pruning.rounds.one_shot import OneShot
from prunectl.pruning.scopes.erk import Erk
from prunectl.pruning.scopes.global_ import Global
from prunectl.pruning.scopes.layerwise import Layerwise, Uniform
from prunectl.pruning.scopes.rates import Rates
from prunectl.pruning.scoring import Scoring
from prunectl.training.loop import advance
from prunectl.training.optimizers.sgd import Sgd
from prunectl.training.pixels import Normalize
from prunectl.training.schedules.constant import Constant
from prunectl.training.source import InMemory
from prunectl.training.trainee import Material, Training, begin


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def magnitudes(network: nn.Module, *exclude: str) -> dict[str, Tensor]:
    return {name: weight.detach().abs() for name, weight in prunable(network, exclude).items()}


def gone(masks: Masks) -> int:
    return sum(int((~mask).sum()) for mask in masks.values() if mask.dim() > 1)


def rows_left(masks: Masks, name: str) -> int:
    return int(masks[name].flatten(1).any(1).sum())


def mlp(*widths: int, seed: int = 0) -> nn.Sequential:
    """Linear layers with ReLU between; images (1, 1, widths[0])."""
    torch.manual_seed(seed)
    layers: list[nn.Module] = [nn.Flatten()]
    for inputs, outputs in pairwise(widths[:-1]):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(widths[-2], widths[-1]))


def built(name: str, **parameters: object) -> nn.Module:
    model = entry_type("models", name)(**parameters)
    assert isinstance(model, Model)
    return model.build((3, 16, 16), 10)


class Calls(nn.Module):
    """A network that is one expression of its input and a few layers."""

    def __init__(self, body: Callable[[Calls, Tensor], Tensor]) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 4, 3, padding=1)
        self.twin = nn.Conv2d(2, 4, 3, padding=1)
        self.next = nn.Conv2d(4, 4, 3, padding=1)
        self.head = nn.Linear(4, 3)
        self.body = body

    def forward(self, x: Tensor) -> Tensor:
        """(N, 2, 6, 6) → (N, 3)."""
        return self.head(self.body(self, x).mean((2, 3)))  # type: ignore[no-any-return]


# ---- the graph -----------------------------------------------------------------------------------


def test_a_sum_ties_and_a_flatten_spreads() -> None:
    channels = channels_of(small_network(), SHAPE)
    assert torch.equal(channels.rows["0.weight"], channels.rows["3.conv.weight"])
    for name in ("0.bias", "1.weight", "1.bias", "3.norm.weight", "3.norm.bias"):
        assert torch.equal(channels.entries[name], channels.rows["0.weight"])
    assert torch.equal(channels.columns["6.weight"], channels.rows["0.weight"].repeat_interleave(9))
    assert torch.equal(channels.columns["8.weight"], channels.rows["6.weight"])
    assert torch.equal(channels.statistics["3.norm.running_var"], channels.rows["0.weight"])
    assert int(channels.free.sum()) == 4 + 36 + 36
    assert channels.held == {"10": "it gives the network's output"}
    assert not channels.free[channels.columns["0.weight"]].any()


def test_zeros_of_a_shortcut_without_parameters_are_tied_to_what_they_are_added_to() -> None:
    """Option A: 16 channels go on as the middle of 32, and these as the middle of 64."""
    channels = channels_of(built("resnet-20"), (3, 16, 16))
    one, two, three = (channels.rows[f"layer{stage}.0.conv2.weight"] for stage in (1, 2, 3))
    assert torch.equal(two[8:24], one)
    assert torch.equal(three[16:48], two)
    assert len(set(three.tolist())) == 64
    assert [len(before) + len(after) for before, after in channels.pads.values()] == [16, 32]


def test_projections_are_tied_to_the_blocks_they_are_added_to() -> None:
    channels = channels_of(built("resnet-20", shortcut="projection-bn"), (3, 16, 16))
    assert torch.equal(channels.rows["layer2.0.shortcut.conv.weight"], channels.rows["layer2.2.conv2.weight"])
    assert not set(channels.rows["layer1.0.conv2.weight"].tolist()) & set(
        channels.rows["layer2.0.conv2.weight"].tolist()
    )


@pytest.mark.parametrize("name", names("models"))
def test_every_network_of_the_catalogue_can_be_followed(name: str) -> None:
    network = built(name)
    channels = channels_of(network, (3, 16, 16))
    assert set(channels.rows) == set(prunable(network))
    assert set(channels.held) == {"head"}
    assert not [name for name, tensor in network.named_parameters() if tensor.is_meta]


def test_a_depthwise_convolution_goes_with_its_input_and_other_groups_stay() -> None:
    network = nn.Sequential(
        nn.Conv2d(2, 4, 3), nn.Conv2d(4, 4, 3, groups=4), nn.Conv2d(4, 6, 1), nn.Conv2d(6, 4, 1, groups=2),
        nn.Flatten(), nn.Linear(16, 3),
    )  # fmt: skip
    channels = channels_of(network, (2, 6, 6))
    assert torch.equal(channels.rows["0.weight"], channels.rows["1.weight"])
    assert "1.weight" not in channels.columns
    assert channels.free[channels.rows["0.weight"]].all()
    assert channels.held["2"] == channels.held["3"] == "it reads or writes a grouped convolution"
    masks = WholeChannels(channels).prune(magnitudes(network), Global(), 0.1, generator=generator()).masks
    assert torch.equal(masks["0.weight"].flatten(1).any(1), masks["1.weight"].flatten(1).any(1))


def test_a_layer_called_twice_ties_what_it_reads() -> None:
    channels = channels_of(Calls(lambda self, x: self.next(torch.relu(self.next(self.conv(x))))), (2, 6, 6))
    assert torch.equal(channels.rows["next.weight"], channels.rows["conv.weight"])


def test_channels_side_by_side_stay_apart() -> None:
    def body(self: Calls, x: Tensor) -> Tensor:
        left, right = torch.cat([self.conv(x), self.twin(x)], 1), torch.cat([self.twin(x), self.conv(x)], dim=1)
        return (left + right)[:, :, ::2, ::2]

    network = Calls(body)
    network.head = nn.Linear(8, 3)
    channels = channels_of(network, (2, 6, 6))
    assert torch.equal(channels.rows["conv.weight"], channels.rows["twin.weight"])
    assert torch.equal(channels.columns["head.weight"], channels.rows["conv.weight"].repeat(2))


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (lambda self, x: self.conv(x) * self.twin(x), "mul"),
        (lambda self, x: self.conv(x) + 1, "add"),
        (lambda self, x: self.conv(x) + self.twin(x)[:, :1], "getitem"),
        (lambda self, x: self.conv(x) + self.twin(x).mean((2, 3), keepdim=True), "add"),
        (lambda self, x: self.conv(x).sigmoid(), "sigmoid"),
        (lambda self, x: self.conv(x).mean(1, keepdim=True).expand(-1, 4, -1, -1), "mean"),
        (lambda self, x: torch.cat([self.conv(x), self.twin(x)]), "cat"),
        (lambda self, x: self.next(self.conv(x).view(-1, 4, 6, 6)), "view"),
        (lambda self, x: nn.functional.pad(self.conv(x), (0, 0, 0, 0, 1, -1)), "pad"),
        (lambda self, x: nn.functional.pad(self.conv(x), (1, 1), "constant", 2.0), "pad"),
        (lambda self, x: self.conv(x) if x.sum() > 0 else self.twin(x), "cannot be traced"),
        (lambda self, x: self.next(x), "cannot be followed"),
    ],
)  # fmt: skip
def test_what_is_not_known_is_refused_by_name(body: Callable[[Calls, Tensor], Tensor], says: str) -> None:
    with pytest.raises(MethodError, match=says):
        channels_of(Calls(body), (2, 6, 6))


@pytest.mark.parametrize(
    ("layers", "says"),
    [
        ([nn.Conv2d(2, 4, 3), nn.GroupNorm(2, 4), nn.Flatten(), nn.Linear(64, 3)], r"1 \(GroupNorm\)"),
        ([nn.Conv2d(2, 4, 3), nn.Sigmoid(), nn.Flatten(), nn.Linear(64, 3)], r"1 \(Sigmoid\)"),
        ([nn.Conv2d(2, 4, 3), nn.Linear(4, 4), nn.Flatten(), nn.Linear(64, 3)], "along an image"),
    ],
)
def test_modules_that_are_not_known_are_refused_by_name(layers: list[nn.Module], says: str) -> None:
    with pytest.raises(MethodError, match=says):
        channels_of(nn.Sequential(*layers), (2, 6, 6))


class Gated(nn.Module):
    """Channels weighed by a gate (Hu et al. 2018), in one of several ways."""

    def __init__(self, weigh: Callable[[Tensor, Tensor], Tensor]) -> None:
        super().__init__()
        self.conv, self.squeeze, self.gate = nn.Conv2d(2, 4, 3), nn.Conv2d(4, 4, 1), nn.Sigmoid()
        self.average, self.head, self.weigh = nn.AdaptiveAvgPool2d(1), nn.Linear(4, 3), weigh

    def forward(self, x: Tensor) -> Tensor:
        """(N, 2, 6, 6) → (N, 3)."""
        made = self.conv(x)
        out: Tensor = self.head(self.weigh(made, self.gate(self.squeeze(self.average(made)))).mean((2, 3)))
        return out


@pytest.mark.parametrize("weigh", [lambda x, gate: x * gate, lambda x, gate: gate * x], ids=["after", "before"])
def test_a_gate_goes_with_the_channel_that_it_weighs(weigh: Callable[[Tensor, Tensor], Tensor]) -> None:
    channels = channels_of(Gated(weigh), (2, 6, 6))
    assert torch.equal(channels.rows["squeeze.weight"], channels.rows["conv.weight"])
    assert torch.equal(channels.entries["squeeze.bias"], channels.rows["conv.weight"])
    assert torch.equal(channels.columns["head.weight"], channels.rows["conv.weight"])
    assert channels.held == {"head": "it gives the network's output"}


@pytest.mark.parametrize(
    ("weigh", "says"),
    [
        (lambda x, gate: x + gate, r"gate \(Sigmoid\) makes no zeros of zeros"),
        (lambda x, gate: gate * gate, "mul"),
        (lambda x, gate: x * gate[:, :1], r"getitem.*gate"),
        (lambda x, gate: x * gate.mean((2, 3), keepdim=True), r"gate \(Sigmoid\) makes no zeros of zeros"),
        (lambda x, gate: x * 2, "mul"),
    ],
)
def test_a_gate_that_does_more_than_weigh_channels_is_refused(
    weigh: Callable[[Tensor, Tensor], Tensor], says: str
) -> None:
    with pytest.raises(MethodError, match=says):
        channels_of(Gated(weigh), (2, 6, 6))


def test_shared_weights_are_refused() -> None:
    network = mlp(4, 4, 4, 2)
    network[3].weight = network[1].weight
    with pytest.raises(MethodError, match=r"1\.weight and 3\.weight are one parameter"):
        channels_of(network, (1, 1, 4))


def test_a_batch_norm_without_scale_holds_its_channels() -> None:
    network = nn.Sequential(nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4, affine=False), nn.Flatten(), nn.Linear(64, 3))
    channels = channels_of(network, (2, 6, 6))
    with pytest.raises(MethodError, match=r"nothing to prune.*1 is a BatchNorm without scale"):
        WholeChannels(channels).prune(magnitudes(network), Global(), 0.5, generator=generator())


# ---- masks ---------------------------------------------------------------------------------------


def test_a_masked_channel_is_a_channel_set_to_zero_by_hand() -> None:
    """Every channel of a network with BatchNorm, a residual sum and a flatten, one at a time."""
    network = small_network().eval()
    for bias in (network[0].bias, network[10].bias):
        nn.init.normal_(bias)  # type: ignore[arg-type]
    channels = channels_of(network, SHAPE)
    places: dict[str, list[nn.Module]] = {
        "0.weight": [network[1], network.get_submodule("3.norm")], "6.weight": [network[6]], "8.weight": [network[8]],
    }  # fmt: skip
    images, _ = batch()
    moved = 0
    for name, modules in places.items():
        for place, one in enumerate(channels.rows[name].tolist()):
            keep = torch.arange(channels.count) != one

            def cut(module: nn.Module, inputs: object, output: Tensor, place: int = place) -> Tensor:
                return output.index_fill(1, torch.tensor([place]), 0.0)

            hooks = [module.register_forward_hook(cut) for module in modules]
            expected = network(images)
            for hook in hooks:
                hook.remove()
            masked = small_network().eval()
            masked.load_state_dict(network.state_dict())
            masking.apply(masks_of(keep, magnitudes(network), channels), masked)
            assert torch.allclose(masked(images), expected, atol=1e-6)
            moved += not torch.allclose(network(images), expected, atol=1e-6)
    assert moved > 50  # the others are zero on all of these images


def test_masks_cover_rows_columns_and_entries_and_nothing_else() -> None:
    network = small_network()
    channels = channels_of(network, SHAPE)
    keep = torch.ones(channels.count, dtype=torch.bool)
    keep[channels.rows["0.weight"][2]] = False
    masks = masks_of(keep, magnitudes(network), channels)
    assert {name: int((~mask).sum()) for name, mask in masks.items()} == {
        "0.weight": 9, "3.conv.weight": 9 * (4 + 4 - 1), "6.weight": 9 * 36, "8.weight": 0, "10.weight": 0,
        "0.bias": 1, "1.weight": 1, "1.bias": 1, "3.norm.weight": 1, "3.norm.bias": 1,
    }  # fmt: skip
    assert torch.equal(kept_channels(masks, channels), keep)


def test_pruned_entries_stay_zero_in_training() -> None:
    """Trap 8, for parameters of one dimension: weights, biases, BatchNorm, and what the optimizer keeps of them."""
    network = small_network()
    channels = channels_of(network, SHAPE)
    masks = WholeChannels(channels).prune(magnitudes(network), Layerwise(), 0.7, generator=generator()).masks
    recipe = Recipe(
        steps=6, steps_per_epoch=3, batch_size=8, optimizer=Sgd(), lr=0.1, weight_decay=1e-2, schedule=Constant(),
        augment=(),
    )  # fmt: skip
    images = torch.randint(0, 256, (24, *SHAPE), dtype=torch.uint8, generator=generator())
    labels = torch.arange(24) % 3
    material = Material(
        train=InMemory(images, labels), test=InMemory(images, labels),
        normalize=Normalize([0.5], [0.3], torch.device("cpu")),
    )  # fmt: skip
    trainee = begin(network, Training(material=material, recipe=recipe, seed=1), masks=masks)
    advance(trainee, 6)
    for name, parameter in network.named_parameters():
        if name in masks:
            assert not parameter[~masks[name]].any()
            assert not trainee.optimizer.state[parameter]["momentum_buffer"][~masks[name]].any()
            assert parameter[masks[name]].all()


# ---- which channels ------------------------------------------------------------------------------


def test_the_lowest_mean_magnitude_goes_first() -> None:
    """The 2021 reproduction of Renda et al. (2020): rows and channels by mean |w|, one ranking over all layers."""
    network = mlp(6, 8, 5, 3)
    channels = channels_of(network, (1, 1, 6))
    scores = magnitudes(network)
    means = {
        (name, row): float(scores[name][row].mean())
        for name in ("1.weight", "3.weight")
        for row in range(len(scores[name]))
    }
    order = sorted(means, key=lambda one: means[one])
    for sparsity in (0.2, 0.4, 0.6):
        masks = WholeChannels(channels).prune(scores, Global(), sparsity, generator=generator()).masks
        removed = {one for one in order if not masks[one[0]][one[1]].any()}
        assert removed == set(order[: len(removed)])
        assert removed


def test_channels_that_are_tied_are_ranked_by_all_their_weights() -> None:
    network = small_network()
    channels = channels_of(network, SHAPE)
    scores = {name: torch.ones_like(score) for name, score in magnitudes(network).items()}
    scores["0.weight"][1] = 0.0  # 9 weights of 0 and 36 of 1: a mean of 0.8
    scores["3.conv.weight"][2] = 0.7  # 9 of 1 and 36 of 0.7: 0.76
    masks = WholeChannels(channels).prune(scores, Global(), 0.1, generator=generator()).masks
    assert masks["0.weight"].flatten(1).any(1).tolist() == [True, True, False, True]


def test_scores_with_a_sign_keep_it() -> None:
    """The low end goes (GraSP): a channel of large negative scores, not one of small ones."""
    network = mlp(4, 3, 2)
    scores = magnitudes(network)
    scores["1.weight"] = torch.tensor([[-5.0], [0.1], [3.0]]).expand(3, 4)
    channels = channels_of(network, (1, 1, 4))
    masks = WholeChannels(channels).prune(scores, Global(), 0.33, generator=generator()).masks
    assert masks["1.weight"].any(1).tolist() == [False, True, True]
    masks = WholeChannels(channels).prune(scores, Global(), 0.33, generator=generator(), invert=True).masks
    assert masks["1.weight"].any(1).tolist() == [True, True, False]


@pytest.mark.parametrize("scope", [Global(), Layerwise()])
def test_the_cut_is_the_nearest_that_whole_channels_allow(scope: Scope) -> None:
    network = small_network()
    channels, scores = channels_of(network, SHAPE), magnitudes(network)
    total = sum(score.numel() for score in scores.values())
    asked = [step / 400 for step in range(360)]
    found = [WholeChannels(channels).prune(scores, scope, sparsity, generator=generator()).masks for sparsity in asked]
    reached = sorted({gone(masks) for masks in found})
    assert len(reached) > 40
    for sparsity, masks, following in zip(asked, found, found[1:], strict=False):
        wanted = round(sparsity * total)
        assert abs(gone(masks) - wanted) == min(abs(one - wanted) for one in reached)
        assert all((masks[name] | ~following[name]).all() for name in masks)  # a higher sparsity only takes more
    assert gone(found[0]) == 0


@settings(deadline=None, max_examples=40)
@given(st.floats(0.0, 0.85), st.integers(0, 5), st.booleans(), st.sampled_from([Global(), Layerwise()]))
def test_a_mask_is_whole_channels_and_every_layer_keeps_one(s: float, seed: int, invert: bool, scope: Scope) -> None:
    network = small_network(seed)
    channels, scores = channels_of(network, SHAPE), magnitudes(network)
    masks = WholeChannels(channels).prune(scores, scope, s, generator=generator(seed), invert=invert).masks
    expected = masks_of(kept_channels(masks, channels), scores, channels)
    assert all(torch.equal(masks[name], expected[name]) for name in expected)
    assert all(rows_left(masks, name) > 0 for name in scores)
    assert rows_left(masks, "10.weight") == 3
    assert masks["0.weight"].flatten(1).any(1).equal(masks["3.conv.weight"].flatten(1).any(1))


def test_layerwise_takes_the_same_fraction_of_every_layer() -> None:
    network = built("resnet-20")
    channels, scores = channels_of(network, (3, 16, 16)), magnitudes(network)
    masks = WholeChannels(channels).prune(scores, Layerwise(), 0.75, generator=generator()).masks
    left = {name: rows_left(masks, name) / len(mask) for name, mask in masks.items() if mask.dim() == 4}
    assert max(left.values()) - min(left.values()) < 1 / 16 + 1e-9
    assert 0.4 < min(left.values()) < 0.6
    again = WholeChannels(channels).prune(scores, Uniform(), 0.75, generator=generator()).masks
    assert all(torch.equal(masks[name], again[name]) for name in masks)


def by_hand(rates: dict[str, float]) -> Rates:
    return Rates.model_validate({"per_layer": rates})


def test_rates_are_kept_in_proportion_and_what_is_not_named_stays_whole() -> None:
    """Li et al. (2017), as Renda et al. use them: rates by stage, the first convolution of each block only."""
    network = built("resnet-20")
    channels, scores = channels_of(network, (3, 16, 16)), magnitudes(network)
    rates = {"layer1.*.conv1": 0.8, "layer2.*.conv1": 0.4, "layer3.*.conv1": 0.2}
    masks = WholeChannels(channels).prune(scores, by_hand(rates), 0.15, generator=generator()).masks
    left = {name: rows_left(masks, name) / len(masks[name]) for name in scores}
    pruned = [sum(1 - left[f"layer{stage}.{block}.conv1.weight"] for block in range(3)) / 3 for stage in (1, 2, 3)]
    assert pruned[0] == pytest.approx(2 * pruned[1], abs=0.1)
    assert pruned[1] == pytest.approx(2 * pruned[2], abs=0.1)
    assert all(left[name] == 1 for name in left if "conv1" not in name or name == "conv1.weight")
    with pytest.raises(MethodError, match=r"matches no layer; did you mean 'layer1\.0\.conv"):
        WholeChannels(channels).prune(scores, by_hand({"layer1.0.conv": 0.5}), 0.1, generator=generator())
    clash = by_hand({"layer1.0.conv2": 0.5, "layer1.1.conv2": 0.6})
    with pytest.raises(MethodError, match="another rate"):
        WholeChannels(channels).prune(scores, clash, 0.1, generator=generator())


def test_ties_are_drawn_by_the_seed_and_reported() -> None:
    network = mlp(6, 40, 3)
    channels = channels_of(network, (1, 1, 6))
    scores = {name: torch.ones_like(score) for name, score in magnitudes(network).items()}
    pruned = [WholeChannels(channels).prune(scores, Global(), 0.5, generator=generator(seed)) for seed in (1, 1, 2)]
    assert [(one.tied, one.tied_pruned) for one in pruned] == [(40, 20)] * 3
    one, again, other = (found.masks["1.weight"] for found in pruned)
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


def test_excluded_layers_keep_their_rows_and_are_not_counted() -> None:
    network = mlp(6, 8, 8, 3)
    channels = channels_of(network, (1, 1, 6))
    scores = magnitudes(network, "1", "5")
    masks = WholeChannels(channels).prune(scores, Global(), 0.5, generator=generator()).masks
    assert set(masks) == {"3.weight", "3.bias"}
    assert gone(masks) == 32
    with pytest.raises(MethodError, match=r"nothing to prune.*1: it is excluded; 3: it is excluded"):
        WholeChannels(channels).prune(magnitudes(network, "1", "3"), Global(), 0.5, generator=generator())


def test_refusals_say_why() -> None:
    network = small_network()
    channels, scores = channels_of(network, SHAPE), magnitudes(network)

    def prune(sparsity: float, scope: Scope | None = None, before: Masks | None = None) -> Masks:
        return (
            WholeChannels(channels)
            .prune(scores, scope or Global(), sparsity, generator=generator(), before=before)
            .masks
        )

    with pytest.raises(MethodError, match=r"up to a sparsity of 0\.98\d\d here, not 0\.999: every layer keeps"):
        prune(0.999)
    with pytest.raises(MethodError, match=r"beyond 0\.2 already"):
        prune(0.2, before=prune(0.8))
    with pytest.raises(MethodError, match="not one of whole channels"):
        prune(0.8, before=masking.prune(scores, Global(), 0.5, generator=generator()).masks)
    with pytest.raises(MethodError, match="scope 'erk' spreads single weights"):
        prune(0.5, scope=Erk())
    scores["6.weight"] = scores["6.weight"].clone().fill_(float("nan"))
    with pytest.raises(MethodError, match=r"6\.weight are not finite"):
        prune(0.5)


def test_levels_only_shrink_and_a_finer_level_than_a_channel_changes_nothing() -> None:
    network = small_network()
    channels, scores = channels_of(network, SHAPE), magnitudes(network)
    before: Masks | None = None
    for sparsity in (0.3, 0.3001, 0.51, 0.66, 0.76, 0.9):
        masks = WholeChannels(channels).prune(scores, Layerwise(), sparsity, generator=generator(), before=before).masks
        if before is not None:
            assert all((before[name] | ~masks[name]).all() for name in masks)
            assert gone(masks) > gone(before) or sparsity == 0.3001
        before = masks


def test_shuffling_moves_channels_and_keeps_every_count() -> None:
    network = built("resnet-20")
    channels, scores = channels_of(network, (3, 16, 16)), magnitudes(network)
    masks = WholeChannels(channels).prune(scores, Layerwise(), 0.5, generator=generator()).masks
    shuffled = WholeChannels(channels).shuffle(masks, generator(1))
    assert shuffled.keys() == masks.keys()
    assert all(int(shuffled[name].sum()) == int(mask.sum()) for name, mask in masks.items())
    assert sum(not torch.equal(shuffled[name], mask) for name, mask in masks.items()) > 40
    expected = masks_of(kept_channels(shuffled, channels), scores, channels)
    assert all(torch.equal(shuffled[name], expected[name]) for name in expected)


def test_rounds_reach_the_sparsity_and_leave_the_network_as_it_was() -> None:
    network = small_network()
    state = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    rounds = Exponential(count=20)
    units = WholeChannels(channels_of(network, SHAPE))
    pruned = prune_in_rounds(
        Scoring(criterion=SynFlow(), shape=SHAPE, generator=generator()),
        network,
        Cut(units=units, scope=Global()),
        0.8,
        rounds,
    )
    total = sum(weight.numel() for weight in prunable(network).values())
    assert gone(pruned.masks) / total == pytest.approx(0.8, abs=0.05)
    assert all(torch.equal(tensor, state[name]) for name, tensor in network.state_dict().items())
    more = prune_in_rounds(
        Scoring(criterion=SynFlow(), shape=SHAPE, generator=generator()),
        network,
        Cut(units=units, scope=Global()),
        0.9,
        rounds,
        before=pruned.masks,
    )
    assert all((pruned.masks[name] | ~more.masks[name]).all() for name in more.masks)
    once = prune_in_rounds(
        Scoring(criterion=Magnitude(), shape=SHAPE, generator=generator()),
        network,
        Cut(units=units, scope=Global()),
        0.5,
        OneShot(),
    )
    direct = units.prune(magnitudes(network), Global(), 0.5, generator=generator())
    assert all(torch.equal(once.masks[name], direct.masks[name]) for name in direct.masks)


def test_a_layer_that_is_never_called_is_named() -> None:
    network = Calls(lambda self, x: self.next(self.conv(x)))
    channels = channels_of(network, (2, 6, 6))
    with pytest.raises(MethodError, match=r"never calls twin\.weight"):
        WholeChannels(channels).prune(magnitudes(network), Global(), 0.5, generator=generator())
