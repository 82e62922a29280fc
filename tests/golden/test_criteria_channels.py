"""Criteria of whole channels against loops over filters and gates that are real factors, in float64."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from networks import SHAPE, batch, normalized_network, small_network
from prunectl.base.batch_norm import is_batch_norm
from prunectl.base.errors import MethodError
from prunectl.catalog.criterion import Criterion
from prunectl.catalog.masks import Masks
from prunectl.pruning.criteria.bn_scale import BnScale
from prunectl.pruning.criteria.channel_activation import ChannelActivation
from prunectl.pruning.criteria.filter_norm import L1Norm, L2Norm
from prunectl.pruning.criteria.fpgm import Fpgm
from prunectl.pruning.criteria.taylor import Taylor
from prunectl.pruning.prunable import prunable
from prunectl.pruning.scopes.layerwise import Layerwise
from prunectl.pruning.scoring import Scoring, score
from prunectl.pruning.structures.channels import Channels

GROUPS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "stage": (("0.weight", "3.conv.weight"), ("1", "3.norm")),
    "first": (("6.weight",), ("6n",)),
    "second": (("8.weight",), ("8n",)),
}
"""By hand, what goes together in the normalized network: layers, and the BatchNorms behind them.

The residual sum ties the four channels of its two convolutions.
"""


def scores_of(
    criterion: Criterion, network: nn.Module, count: int = 1, masks: Masks | None = None
) -> dict[str, Tensor]:
    """The scores in float64, on some batches."""
    kind = type(criterion)
    double = type(kind.__name__, (kind,), {"precision": "float64"})(**criterion.model_dump())
    batches = [batch(seed) for seed in range(1, count + 1)] if criterion.needs_data else []
    return score(
        Scoring(criterion=double, batches=batches, shape=SHAPE, generator=torch.Generator().manual_seed(0)),
        network,
        masks,
    )


def check(scores: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> None:
    """Each weight of a row has the value of its group."""
    for group, (layers, _) in GROUPS.items():
        for layer in layers:
            for row, value in zip(scores[layer], expected[group], strict=True):
                torch.testing.assert_close(row, torch.full_like(row, float(value)), rtol=1e-9, atol=1e-14)


def joined(values: Mapping[str, Tensor], members: str, place: int = 0) -> dict[str, Tensor]:
    """The values of layers (or with `place` 1 of BatchNorms), summed or averaged over each group."""
    stacked = {group: torch.stack([values[name] for name in names[place]]) for group, names in GROUPS.items()}
    return {group: each.sum(0) if members == "sum" else each.mean(0) for group, each in stacked.items()}


@pytest.mark.parametrize("members", ["sum", "mean"])
@pytest.mark.parametrize("kind", [L1Norm, L2Norm])
def test_norms_are_those_of_the_filters(kind: type[L1Norm] | type[L2Norm], members: Any) -> None:
    network = normalized_network().double()
    norms = {}
    for name, weight in prunable(network).items():
        rows = [row.flatten().tolist() for row in weight.detach()]
        sums = [sum(abs(w) for w in row) if kind is L1Norm else sum(w * w for w in row) ** 0.5 for row in rows]
        norms[name] = torch.tensor(sums, dtype=torch.float64)
    check(scores_of(kind(members=members), network), joined(norms, members))


def test_fpgm_is_a_double_loop_over_the_filters_of_a_layer() -> None:
    network = normalized_network().double()
    check(scores_of(Fpgm(), network), joined(distances(network), "sum"))


def distances(network: nn.Module, gone: Mapping[str, set[int]] | None = None) -> dict[str, Tensor]:
    """For each filter the sum of Euclidean distances to the others that are left."""
    sums = {}
    for name, weight in prunable(network).items():
        lost = (gone or {}).get(name, set())
        total = torch.zeros(len(weight), dtype=torch.float64)
        for one in range(len(weight)):
            for other in range(len(weight)):
                if one not in lost and other not in lost:
                    total[one] += (weight[one] - weight[other]).detach().square().sum().sqrt()
        sums[name] = total
    return sums


def test_filters_that_are_gone_take_no_part_in_fpgm() -> None:
    """They would be a point at zero, which pulls the median there."""
    network = normalized_network().double()
    masks = {name: torch.ones(weight.shape, dtype=torch.bool) for name, weight in prunable(network).items()}
    masks["6.weight"][[3, 8]] = False
    expected = distances(network, {"6.weight": {3, 8}})
    check(scores_of(Fpgm(), network, masks=masks), joined(expected, "sum"))


@pytest.mark.parametrize("members", ["sum", "mean"])
def test_bn_scale_is_the_size_of_the_scales(members: Any) -> None:
    network = normalized_network().double()
    with torch.no_grad():
        network.get_parameter("6n.weight")[::2] *= -1
    scales = {name: network.get_parameter(f"{name}.weight").detach().abs() for name in ("1", "3.norm", "6n", "8n")}
    check(scores_of(BnScale(members=members), network), joined(scales, members, place=1))


@pytest.mark.parametrize("batch_norm", ["train", "eval"])
def test_taylor_of_outputs_is_the_squared_gradient_of_real_gates(batch_norm: Any) -> None:
    """One z a group multiplies the channels behind all of its BatchNorms; autograd gives ∂L/∂z, batch by batch."""
    network = normalized_network().double().train(batch_norm == "train")
    gates = {group: torch.ones(count, dtype=torch.float64) for group, count in zip(GROUPS, (4, 36, 36), strict=True)}
    for gate in gates.values():
        gate.requires_grad_()
    for group, (_, norms) in GROUPS.items():
        for name in norms:
            network.get_submodule(name).register_forward_hook(
                lambda module, given, output, gate=gates[group]: output * gate.view(1, -1, *(1,) * (output.dim() - 2))
            )
    expected = {group: torch.zeros_like(gate) for group, gate in gates.items()}
    for seed in (1, 2, 3):
        images, labels = batch(seed)
        loss = functional.cross_entropy(network(images.double()), labels)
        for group, slope in zip(gates, torch.autograd.grad(loss, list(gates.values())), strict=True):
            expected[group] += slope.detach().square() / 3
    check(scores_of(Taylor(batch_norm=batch_norm), normalized_network(), count=3), expected)


def test_taylor_of_weights_squares_before_it_sums() -> None:
    """Σ (g w)² over the weights of a filter; the square of Σ g w would be 0 in front of a BatchNorm."""
    network = normalized_network().double().train()
    weights = prunable(network)
    sums = {name: torch.zeros(len(weight), dtype=torch.float64) for name, weight in weights.items()}
    for seed in (1, 2):
        images, labels = batch(seed)
        loss = functional.cross_entropy(network(images.double()), labels)
        for (name, weight), gradient in zip(
            weights.items(), torch.autograd.grad(loss, list(weights.values())), strict=True
        ):
            products = (weight * gradient).detach().flatten(1)
            sums[name] += products.square().sum(1) / 2
            if name == "6.weight":
                assert float(products.sum(1).abs().max()) < 1e-3 * float(products.abs().max())
    check(scores_of(Taylor(gate="weights"), network, count=2), joined(sums, "sum"))


@pytest.mark.parametrize("members", ["sum", "mean"])
def test_channel_activation_is_the_mean_size_of_what_is_read(members: Any) -> None:
    """Behind BatchNorm and ReLU; behind the residual sum for its last convolution."""
    network = normalized_network().double().train()
    outputs: dict[str, Tensor] = {}
    noted: dict[str, Tensor] = {}
    for layer, place in (("0.weight", "2"), ("3.conv.weight", "3"), ("6.weight", "7"), ("8.weight", "9")):
        network.get_submodule(place).register_forward_hook(
            lambda module, given, output, layer=layer: noted.__setitem__(layer, output.detach().clone())
        )
    for seed in (1, 2):
        network(batch(seed)[0].double())
        for layer, output in noted.items():
            mean = torch.stack([output[:, channel].abs().mean() for channel in range(output.shape[1])])
            outputs[layer] = outputs.get(layer, torch.zeros_like(mean)) + mean / 2
    check(scores_of(ChannelActivation(members=members), normalized_network(), count=2), joined(outputs, members))


@pytest.mark.parametrize("criterion", [L1Norm(), L2Norm(), Fpgm(), BnScale(), Taylor(), ChannelActivation()], ids=str)
def test_the_channels_with_the_lowest_values_go_from_every_layer(criterion: Criterion) -> None:
    network = normalized_network()
    scores = scores_of(criterion, network)
    units = Channels().units(network, SHAPE)
    masks = units.prune(scores, Layerwise(), 0.6, generator=torch.Generator().manual_seed(0)).masks
    for layer in ("0.weight", "6.weight", "8.weight"):
        values = scores[layer].flatten(1)[:, 0]
        kept = masks[layer].flatten(1).any(1)
        assert int((~kept).sum()) > 0
        assert float(values[kept].min()) >= float(values[~kept].max())


def test_scores_of_float32_lose_nothing_on_the_way_to_a_ranking() -> None:
    """The structure takes the mean over a group's weights: of equal values in float32 it is the value itself."""
    network = normalized_network()
    scores = score(Scoring(criterion=L1Norm(), shape=SHAPE, generator=torch.Generator()), network)
    for rows in scores.values():
        flat = rows.flatten(1).double()
        assert torch.equal(flat.sum(1) / flat.shape[1], flat[:, 0])


@pytest.mark.parametrize("criterion", [BnScale(), Taylor()], ids=str)
def test_layers_without_a_batch_norm_behind_them_are_refused_by_name(criterion: Criterion) -> None:
    """In the small network the linear layers have none; excluded, they need none."""
    network = small_network()
    with pytest.raises(MethodError, match=r'none after 6, 8; leave such layers dense .* exclude = \["6", "8"\]'):
        scores_of(criterion, network)
    weights = {name: weight for name, weight in prunable(network).items() if name not in ("6.weight", "8.weight")}
    assert list(criterion.check(network, weights, SHAPE)) == []
    assert list(Taylor(gate="weights").check(network, prunable(network), SHAPE)) == []


class PreActivated(nn.Module):
    """A residual stream that BatchNorms read, each for a branch of its own: none follows the sum itself but them."""

    def __init__(self, *, last: bool) -> None:
        super().__init__()
        self.stem, self.conv, self.head = nn.Conv2d(1, 4, 3), nn.Conv2d(4, 4, 3, padding=1), nn.Linear(4, 3)
        self.before, self.after = nn.BatchNorm2d(4), nn.BatchNorm2d(4) if last else nn.Identity()

    def forward(self, images: Tensor) -> Tensor:
        """Logits (N, 3)."""
        stream = self.stem(images)
        stream = stream + self.conv(self.before(stream).relu())
        logits: Tensor = self.head(self.after(stream).relu().mean((2, 3)))
        return logits


def test_a_batch_norm_may_follow_the_sum() -> None:
    """Every reader of the channels needs one: with the last left out, both convolutions reach the head without."""
    whole, without = PreActivated(last=True), PreActivated(last=False)
    assert list(BnScale().check(whole, prunable(whole), SHAPE)) == []
    (reason,) = BnScale().check(without, prunable(without), SHAPE)
    assert "none after stem, conv;" in reason
    assert sum(is_batch_norm(module) for module in without.modules()) == 1
