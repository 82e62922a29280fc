"""Criteria of the first order, and data-free ones, against what they stand for: move one weight and look."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from networks import SHAPE, batch, small_network
from prunectl.base.batch_norm import batch_norms, neutralize
from prunectl.catalog.criterion import Criterion
from prunectl.pruning.criteria.activation import Activation
from prunectl.pruning.criteria.gradient import Gradient
from prunectl.pruning.criteria.grasp import Grasp
from prunectl.pruning.criteria.grasp_magnitude import GraspMagnitude
from prunectl.pruning.criteria.lamp import Lamp
from prunectl.pruning.criteria.magnitude import Magnitude
from prunectl.pruning.criteria.random import Random
from prunectl.pruning.criteria.snip import Snip
from prunectl.pruning.criteria.snip_iterative import SnipIterative
from prunectl.pruning.criteria.synflow import SynFlow
from prunectl.pruning.cut import Cut
from prunectl.pruning.engines.products import as_products
from prunectl.pruning.engines.single_weights import SingleWeights
from prunectl.pruning.in_rounds import prune_in_rounds
from prunectl.pruning.prunable import prunable
from prunectl.pruning.scopes.global_ import Global
from prunectl.pruning.scoring import Scoring, score

PLACES = [("0.weight", 5), ("3.conv.weight", 17), ("3.conv.weight", 100), ("6.weight", 700), ("8.weight", 41)]
PLACES += [("10.weight", 40), ("10.weight", 107)]


def double(criterion: Criterion) -> Criterion:
    """The criterion, scoring in float64."""
    changed = type(type(criterion).__name__, (type(criterion),), {"precision": "float64"})
    found = changed(**criterion.model_dump())
    assert isinstance(found, Criterion)
    return found


def scores_of(criterion: Criterion, network: nn.Module, count: int = 1) -> dict[str, Tensor]:
    batches = [batch(seed) for seed in range(1, count + 1)] if criterion.needs_data else []
    return score(
        Scoring(criterion=criterion, batches=batches, shape=SHAPE, generator=torch.Generator().manual_seed(0)), network
    )


def slope(network: nn.Module, name: str, place: int, value: Callable[[], Tensor], step: float = 1e-6) -> float:
    """∂value/∂m for one weight multiplied by m, at m = 1, by a central difference."""
    flat = dict(network.named_parameters())[name].detach().view(-1)
    weight = float(flat[place])
    found = []
    for factor in (1 + step, 1 - step):
        flat[place] = weight * factor
        with torch.no_grad():
            found.append(float(value()))
    flat[place] = weight
    return (found[0] - found[1]) / (2 * step)


def loss(network: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    return functional.cross_entropy(network(images.double()), labels)


@pytest.mark.parametrize(("name", "place"), PLACES)
def test_snip_and_gradient_are_slopes_of_the_loss_in_the_mask(name: str, place: int) -> None:
    """Lee et al. (2019), eq. 5: ∂L/∂m at m = 1, BatchNorm on the batch; |·| per batch, or of the mean gradient."""
    network = small_network().double().train()
    batches = [batch(seed) for seed in (1, 2, 3)]
    slopes = [slope(network, name, place, partial(loss, network, *given)) for given in batches]
    got = {type(c): float(scores_of(double(c), network, 3)[name].view(-1)[place]) for c in (Snip(), Gradient())}
    assert got[Snip] == pytest.approx(sum(map(abs, slopes)) / 3, rel=1e-6, abs=1e-9)
    assert got[Gradient] == pytest.approx(abs(sum(slopes)) / 3, rel=1e-6, abs=1e-9)


def test_on_one_batch_gradient_and_snip_are_the_same() -> None:
    network = small_network()
    snip, gradient, iterative = (scores_of(c, network) for c in (Snip(), Gradient(), SnipIterative()))
    for name in snip:
        torch.testing.assert_close(snip[name], gradient[name], rtol=0, atol=0)
        torch.testing.assert_close(snip[name], iterative[name], rtol=0, atol=0)


def test_the_other_reading_of_snip_leaves_the_weight_out() -> None:
    """James (2022), eq. 3.5."""
    network = small_network().double()
    by_mask, by_weight = scores_of(double(Snip()), network), scores_of(double(Snip(wrt="weight")), network)
    for name, weight in prunable(network).items():
        torch.testing.assert_close(by_weight[name] * weight.detach().abs(), by_mask[name])


@pytest.mark.parametrize("name", ["8.weight", "10.weight"])
def test_snip_foretells_what_removing_a_weight_does_to_the_loss(name: str) -> None:
    """Brute force: remove one weight after another. The loss moves as its slope says, to the first order."""
    network = small_network().double().train()
    images, labels = batch()
    predicted = scores_of(double(Snip()), network)[name].view(-1)
    places = range(0, len(predicted), 1 + len(predicted) // 150)
    flat = dict(network.named_parameters())[name].detach().view(-1)
    with torch.no_grad():
        before = loss(network, images, labels)
        effects = []
        for place in places:
            weight = float(flat[place])
            flat[place] = 0.0
            effects.append(float((loss(network, images, labels) - before).abs()))
            flat[place] = weight
    together = torch.stack([predicted[list(places)], torch.tensor(effects, dtype=torch.float64)])
    assert torch.corrcoef(together)[0, 1] > 0.8


@pytest.mark.parametrize(("name", "place"), PLACES)
@pytest.mark.parametrize("statistics", ["running", "neutral"])
def test_synflow_is_the_slope_of_the_summed_flow(name: str, place: int, statistics: Any) -> None:
    """Tanaka et al. (2020), eq. 2: R with the whole state positive, as their code has it, and an image of ones."""
    network = small_network().double().eval()
    scored = float(scores_of(SynFlow(statistics=statistics), network)[name].view(-1)[place])
    if statistics == "neutral":
        neutralize(network)
    with torch.no_grad():
        for tensor in network.state_dict().values():
            tensor.abs_()
    ones = torch.ones((1, *SHAPE), dtype=torch.float64)
    assert scored == pytest.approx(slope(network, name, place, lambda: network(ones).sum()), rel=1e-6)


def test_at_initialization_running_statistics_are_neutral_ones_bit_for_bit() -> None:
    network = small_network()
    neutralize(network)
    running, neutral = (scores_of(SynFlow(statistics=each), network) for each in ("running", "neutral"))
    assert all(torch.equal(running[name], neutral[name]) for name in running)
    trained = small_network()
    running, neutral = (scores_of(SynFlow(statistics=each), trained) for each in ("running", "neutral"))
    assert not torch.equal(running["3.conv.weight"], neutral["3.conv.weight"])


@pytest.mark.parametrize(("name", "place"), PLACES)
def test_in_evaluation_scores_are_slopes_of_the_loss_under_running_statistics(name: str, place: int) -> None:
    """As Tanaka et al. score. The default is the mode of training."""
    network = small_network().double().eval()
    batches = [batch(seed) for seed in (1, 2)]
    slopes = [slope(network, name, place, partial(loss, network, *given)) for given in batches]
    snip, gradient = (double(kind(batch_norm="eval")) for kind in (Snip, Gradient))
    scored = {type(c).__name__: float(scores_of(c, network, 2)[name].view(-1)[place]) for c in (snip, gradient)}
    assert scored["Snip"] == pytest.approx(sum(map(abs, slopes)) / 2, rel=1e-6, abs=1e-9)
    assert scored["Gradient"] == pytest.approx(abs(sum(slopes)) / 2, rel=1e-6, abs=1e-9)
    iterative = scores_of(double(SnipIterative(batch_norm="eval")), network, 2)
    assert torch.equal(iterative[name], scores_of(snip, network, 2)[name])


@pytest.mark.parametrize("kind", [Activation, Gradient, Grasp, GraspMagnitude, Snip, SnipIterative])
def test_the_mode_of_batch_norm_is_part_of_the_key_only_where_it_is_not_that_of_training(kind: Any) -> None:
    assert "batch_norm" not in kind().preimage()
    assert kind(batch_norm="eval").preimage()["batch_norm"] == "eval"
    assert (kind().batch_norm_mode(), kind(batch_norm="eval").batch_norm_mode()) == ("train", "eval")


def test_activation_looks_at_running_statistics_in_evaluation() -> None:
    network = small_network()
    train, evaluation = (scores_of(Activation(batch_norm=mode), network) for mode in ("train", "eval"))
    shifted = small_network()
    for norm in batch_norms(shifted):
        assert norm.running_mean is not None
        norm.running_mean += 1.0
    moved = [scores_of(Activation(batch_norm=mode), shifted) for mode in ("train", "eval")]
    assert all(torch.equal(train[name], moved[0][name]) for name in train)
    assert not torch.equal(evaluation["3.conv.weight"], moved[1]["3.conv.weight"])


def test_synflow_of_running_statistics_never_takes_the_scores_of_neutral_ones() -> None:
    """What was stored before meant neutral statistics: it has the key of these."""
    assert SynFlow().preimage()["statistics"] == "running"
    assert "statistics" not in SynFlow(statistics="neutral").preimage()


def test_convolutions_as_products_are_convolutions() -> None:
    """Odd kernels, strides, dilations and borders; larger images, groups and other borders stay as they are."""
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(2, 4, (3, 2), stride=(1, 2), padding=(1, 0)),
        nn.Conv2d(4, 6, 3, padding=2, dilation=2, bias=False),
        nn.Conv2d(6, 6, 3, padding="same", groups=2),
        nn.Conv2d(6, 3, 3, padding=1, padding_mode="reflect"),
    ).double()
    for side in (6, 12):
        images = torch.rand(2, 2, side, side, dtype=torch.float64)
        twin = copy.deepcopy(network)
        as_products(twin)
        torch.testing.assert_close(twin(images), network(images))


def test_synflow_is_conserved_from_layer_to_layer() -> None:
    """Tanaka et al. (2020), Theorem 1: without biases, the scores of consecutive layers have the same sum."""
    network = nn.Sequential(nn.Flatten(), *[layer for _ in range(4) for layer in (nn.Linear(36, 36, False), nn.ReLU())])
    scores = scores_of(SynFlow(), network)
    sums = torch.stack([score.sum() for score in scores.values()])
    torch.testing.assert_close(sums, sums[:1].expand(4))


def test_rounds_that_share_a_copy_find_what_fresh_copies_find() -> None:
    """SynFlow prepares its copy once for all rounds; nothing of one round may be left for the next."""
    fresh = type("Fresh", (SynFlow,), {"repeatable": False})()
    found = [
        prune_in_rounds(
            Scoring(criterion=criterion, shape=SHAPE, generator=torch.Generator().manual_seed(0)),
            small_network(),
            Cut(units=SingleWeights(), scope=Global()),
            0.8,
            SynFlow().own_rounds(),
        )
        for criterion in (SynFlow(), fresh)
    ]
    for name, mask in found[0].masks.items():
        assert torch.equal(mask, found[1].masks[name])


def test_magnitude_is_the_weight_and_random_is_uniform() -> None:
    network = small_network()
    for name, weight in prunable(network).items():
        assert torch.equal(scores_of(Magnitude(), network)[name], weight.detach().abs())
    drawn = torch.cat([score.flatten() for score in scores_of(Random(), network).values()])
    assert drawn.min() >= 0 and drawn.max() < 1
    assert abs(float(drawn.mean()) - 0.5) < 0.03
    assert len(set(drawn.tolist())) == len(drawn)


def test_lamp_follows_its_definition() -> None:
    """Lee et al. (2021), eq. 4, weight by weight; with ties and a masked weight; each layer's largest scores 1."""
    network = small_network()
    with torch.no_grad():
        network.get_parameter("0.weight").view(-1)[:6] = torch.tensor([0.5, -0.5, 0.25, 0.5, 0.0, -0.25])
    scores = scores_of(Lamp(), network)
    for name in ("0.weight", "3.conv.weight", "10.weight"):
        w = network.get_parameter(name).detach().double().flatten().tolist()
        expected = [v * v / sum(u * u for u in w if abs(u) >= abs(v)) if v else 0.0 for v in w]
        assert scores[name].flatten().tolist() == pytest.approx(expected, rel=1e-12)
        assert float(scores[name].max()) <= 1.0
    assert float(scores["3.conv.weight"].max()) == 1.0
    assert scores["0.weight"].dtype == torch.float64


def test_lamp_of_a_layer_that_is_all_zero_is_zero() -> None:
    network = small_network()
    nn.init.zeros_(network.get_parameter("8.weight"))
    assert not scores_of(Lamp(), network)["8.weight"].any()


def test_activation_multiplies_rows_by_what_their_units_give() -> None:
    """James (2022), eq. 2.3, on activations taken by hand, in BatchNorm's training mode."""
    network = small_network().train()
    images, _ = batch()
    scores = scores_of(Activation(), network)
    with torch.no_grad():
        first = network[2](network[1](network[0](images)))
        block = network[3](first)  # the convolution in the block goes with the activation after the sum
        third = network[7](network[6](network[5](network[4](block))))
        fourth = network[9](network[8](third))
        output = network[10](fourth)
    means = {
        "0.weight": first.mean((0, 2, 3)),
        "3.conv.weight": block.mean((0, 2, 3)),
        "6.weight": third.mean(0),
        "8.weight": fourth.mean(0),
        "10.weight": output.mean(0),
    }
    for name, mean in means.items():
        weight = network.get_parameter(name).detach()
        rows = (mean / mean.norm()).view(-1, *(1,) * (weight.dim() - 1))
        torch.testing.assert_close(scores[name], (weight * rows).abs())


class Functional(nn.Module):
    """Activations as functions, methods and in place; a flattened image before an activation; a fork."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.Conv2d(1, 2, 3), nn.Conv2d(1, 2, 3)
        self.three = nn.Linear(32, 3)

    def forward(self, x: Tensor) -> Tensor:
        one = functional.relu(self.one(x), inplace=True)
        two = self.two(x).flatten(1).tanh()
        out: Tensor = self.three(one.flatten(1) + two).sigmoid_()
        return out


def test_activation_finds_functions_methods_and_flattened_images() -> None:
    torch.manual_seed(0)
    network = Functional()
    images, _ = batch()
    scores = scores_of(Activation(), network)
    with torch.no_grad():
        one, two = network.one(images).relu(), network.two(images).tanh()
        output = network.three(one.flatten(1) + two.flatten(1)).sigmoid()
    for name, mean in (("one", one.mean((0, 2, 3))), ("two", two.mean((0, 2, 3))), ("three", output.mean(0))):
        weight = network.get_parameter(f"{name}.weight").detach()
        rows = (mean / mean.norm()).view(-1, *(1,) * (weight.dim() - 1))
        torch.testing.assert_close(scores[f"{name}.weight"], (weight * rows).abs())
