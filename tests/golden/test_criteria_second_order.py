"""GraSP, OBD and Fisher against finite differences, Jacobians and gradients of single images, in float64."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional

from networks import CLASSES, SHAPE, batch, small_network
from prunectl.base.errors import MethodError
from prunectl.catalog.criterion import Criterion
from prunectl.catalog.masks import Masks
from prunectl.pruning import mask as masking
from prunectl.pruning.criteria.fisher import Fisher
from prunectl.pruning.criteria.grasp import Grasp
from prunectl.pruning.criteria.grasp_magnitude import GraspMagnitude
from prunectl.pruning.criteria.obd import Obd
from prunectl.pruning.engines import curvature
from prunectl.pruning.prunable import prunable
from prunectl.pruning.scoring import Scoring, score

Weights = dict[str, Tensor]


def scores_of(
    criterion: Criterion,
    network: nn.Module,
    *,
    images: Tensor | None = None,
    notes: dict[str, float] | None = None,
    masks: Masks | None = None,
) -> Weights:
    """The scores in float64, on the usual batch or on the images given."""
    kind = type(criterion)
    changed = type(kind.__name__, (kind,), {"precision": "float64"})(**criterion.model_dump())
    given_images, labels = batch()
    chosen = (given_images if images is None else images, labels)
    return score(
        Scoring(
            criterion=changed,
            batches=[chosen],
            shape=SHAPE,
            generator=torch.Generator().manual_seed(0),
            notes={} if notes is None else notes,
        ),
        network,
        masks,
    )


def gradients(network: nn.Module, temperature: float = 1.0) -> Weights:
    images, labels = batch()
    loss = functional.cross_entropy(network(images.double()) / temperature, labels)
    weights = prunable(network)
    return dict(zip(weights, torch.autograd.grad(loss, list(weights.values())), strict=True))


def moved(network: nn.Module, direction: Weights, step: float) -> None:
    with torch.no_grad():
        for name, weight in prunable(network).items():
            weight.add_(direction[name], alpha=step)


@pytest.mark.parametrize("temperature", [200.0, 1.0])
def test_grasp_is_the_weight_times_a_finite_difference_of_the_gradient(temperature: float) -> None:
    """Hg ≈ (∇L(w + εg) − ∇L(w − εg)) / 2ε, BatchNorm on the batch; low scores go, so +w ⊙ Hg."""
    network = small_network().double().train()
    g = gradients(network, temperature)
    step = 1e-5 / max(float(each.abs().max()) for each in g.values())
    moved(network, g, step)
    ahead = gradients(network, temperature)
    moved(network, g, -2 * step)
    behind = gradients(network, temperature)
    moved(network, g, step)
    signed = scores_of(Grasp(temperature=temperature), network)
    plain = scores_of(GraspMagnitude(temperature=temperature), network)
    for name, weight in prunable(network).items():
        expected = weight.detach() * (ahead[name] - behind[name]) / (2 * step)
        torch.testing.assert_close(signed[name], expected, rtol=1e-4, atol=float(expected.abs().max()) * 1e-6)
        assert torch.equal(plain[name], signed[name].abs())


@pytest.mark.parametrize("batch_norm", ["train", "eval"])
@pytest.mark.parametrize("average", ["products", "gradients"])
def test_grasp_of_several_batches_averages_products_or_gradients(batch_norm: Any, average: Any) -> None:
    """The mean of H_b g_b (Frankle et al.), or the mean of H_b times the mean of g_b (Wang et al.): by differences."""
    network = small_network().double().train(batch_norm == "train")
    batches = [batch(seed) for seed in (1, 2, 3)]
    weights = prunable(network)

    def slopes(images: Tensor, labels: Tensor) -> Weights:
        value = functional.cross_entropy(network(images.double()) / 200.0, labels)
        return dict(zip(weights, torch.autograd.grad(value, list(weights.values())), strict=True))

    own = [slopes(*each) for each in batches]
    mean = {name: sum(g[name] for g in own) / len(own) for name in weights}
    expected = {name: torch.zeros_like(weight) for name, weight in weights.items()}
    for each, gradient in zip(batches, own, strict=True):
        direction: Weights = gradient if average == "products" else mean  # type: ignore[assignment]  # sums of tensors
        step = 1e-5 / max(float(g.abs().max()) for g in direction.values())
        moved(network, direction, step)
        ahead = slopes(*each)
        moved(network, direction, -2 * step)
        behind = slopes(*each)
        moved(network, direction, step)
        for name, weight in weights.items():
            expected[name] += weight.detach() * (ahead[name] - behind[name]) / (2 * step) / len(batches)
    kind = type("Grasp", (Grasp,), {"precision": "float64"})
    scores = score(
        Scoring(
            criterion=kind(average=average, batch_norm=batch_norm),
            batches=batches,
            shape=SHAPE,
            generator=torch.Generator(),
        ),
        network,
    )
    for name, value in expected.items():
        torch.testing.assert_close(scores[name], value, rtol=1e-4, atol=float(value.abs().max()) * 1e-6)


def test_on_one_batch_the_two_averages_are_the_same_bits() -> None:
    network = small_network()
    products, gradients_apart = (scores_of(Grasp(average=each), network) for each in ("products", "gradients"))
    assert all(torch.equal(products[name], gradients_apart[name]) for name in products)
    assert "average" not in Grasp().preimage()


@pytest.mark.parametrize(("name", "place"), [("0.weight", 3), ("3.conv.weight", 50), ("8.weight", 700)])
def test_grasp_is_the_slope_of_the_gradient_flow_in_the_mask(name: str, place: int) -> None:
    """∂(½‖g‖²)/∂m = w · Hg: what scores low lets the gradient flow grow, or fall least, when it goes."""
    network = small_network().double().train()
    flat = network.get_parameter(name).detach().view(-1)
    weight, step, flows = float(flat[place]), 1e-5, []
    for factor in (1 + step, 1 - step):
        flat[place] = weight * factor
        flows.append(sum(float(g.square().sum()) for g in gradients(network).values()) / 2)
    flat[place] = weight
    slope = (flows[0] - flows[1]) / (2 * step)
    assert float(scores_of(Grasp(temperature=1.0), network)[name].reshape(-1)[place]) == pytest.approx(slope, rel=1e-5)


def test_masked_weights_have_no_part_in_the_gradient_flow() -> None:
    """Under a mask, GraSP is GraSP of the network in which the weights that are left are all there are."""
    network = small_network().double()
    masks = masking.dense(prunable(network))
    masks["8.weight"][:, 10:] = False
    masks["6.weight"][10:, :] = False
    masks["10.weight"][:, 30:] = False
    masks["8.weight"][30:, :] = False
    smaller = small_network().double()
    smaller[6], smaller[8], smaller[10] = nn.Linear(36, 10, False), nn.Linear(10, 30, False), nn.Linear(30, 3)
    smaller.double()
    with torch.no_grad():
        smaller.get_parameter("6.weight").copy_(network.get_parameter("6.weight")[:10])
        smaller.get_parameter("8.weight").copy_(network.get_parameter("8.weight")[:30, :10])
        smaller.get_parameter("10.weight").copy_(network.get_parameter("10.weight")[:, :30])
        smaller.get_parameter("10.bias").copy_(network.get_parameter("10.bias"))
    whole, part = scores_of(Grasp(), network, masks=masks), scores_of(Grasp(), smaller)
    torch.testing.assert_close(whole["8.weight"][:30, :10], part["8.weight"])
    torch.testing.assert_close(whole["0.weight"], part["0.weight"])


def ggn_diagonal(network: nn.Module, images: Tensor) -> Weights:
    """Σ_n J_nᵀ (diag(p) − p pᵀ) J_n / N from whole Jacobians: brute force."""
    weights = {name: weight.detach() for name, weight in prunable(network).items()}

    def logits(given: Weights, image: Tensor) -> Tensor:
        found: Tensor = torch.func.functional_call(network, given, (image[None],))[0]
        return found

    total = {name: torch.zeros_like(weight) for name, weight in weights.items()}
    for image in images.double():
        p = logits(weights, image).detach().softmax(0)
        hessian = torch.diag(p) - torch.outer(p, p)
        for name, jacobian in torch.func.jacrev(logits)(weights, image).items():
            total[name] += torch.einsum("a...,ab,b...->...", jacobian, hessian, jacobian) / len(images)
    return total


@pytest.mark.parametrize("chunk", [1, 2, 7, 100])
def test_obd_has_the_exact_diagonal_of_gauss_newton(chunk: int) -> None:
    network = small_network().double().eval()
    scores = scores_of(Obd(chunk=chunk), network)
    for name, h in ggn_diagonal(network, batch()[0]).items():
        torch.testing.assert_close(scores[name], h * network.get_parameter(name).detach().square() / 2)


@pytest.mark.parametrize(
    ("name", "place"),
    [("0.weight", 5), ("0.weight", 30), ("3.conv.weight", 17), ("6.weight", 700), ("8.weight", 41), ("10.weight", 40)],
)
def test_obd_is_half_the_second_derivative_of_the_loss(name: str, place: int) -> None:
    """For ReLU networks the diagonal of Gauss-Newton is that of the Hessian: ½ h w² = ½ ∂²L/∂m² at m = 1."""
    network = small_network().double().eval()
    scored = float(scores_of(Obd(), network)[name].view(-1)[place])
    flat = network.get_parameter(name).detach().view(-1)
    weight, step, slopes = float(flat[place]), 1e-5, []
    for factor in (1 + step, 1 - step):
        flat[place] = weight * factor
        slopes.append(weight * float(gradients(network)[name].reshape(-1)[place]))
    flat[place] = weight
    assert scored == pytest.approx((slopes[0] - slopes[1]) / (2 * step) / 2, rel=1e-5, abs=1e-12)


def test_monte_carlo_is_right_on_average() -> None:
    network = small_network().double().eval()
    exact, sampled = scores_of(Obd(), network), scores_of(Obd(estimator="monte-carlo", samples=300), network)
    for name in exact:
        assert float((sampled[name] - exact[name]).abs().sum() / exact[name].sum()) < 0.1


def test_fisher_is_the_mean_square_of_single_gradients() -> None:
    network = small_network().double().eval()
    images, labels = batch()
    weights = prunable(network)
    total = {name: torch.zeros_like(weight) for name, weight in weights.items()}
    for image, label in zip(images.double(), labels, strict=True):
        loss = functional.cross_entropy(network(image[None]), label[None])
        for name, g in zip(weights, torch.autograd.grad(loss, list(weights.values())), strict=True):
            total[name] += g.square() / len(images)
    fisher, obd = scores_of(Fisher(chunk=5), network), scores_of(Obd(estimator="empirical-fisher"), network)
    for name, weight in weights.items():
        torch.testing.assert_close(fisher[name], total[name] * weight.detach().square())
        torch.testing.assert_close(obd[name], fisher[name] / 2)


def test_batch_norm_that_has_seen_nothing_is_measured_on_the_batch() -> None:
    """At initialization there are no running statistics: scoring then uses those of its images, and says so."""
    fresh, measured = small_network().double(), small_network().double().train()
    for module in [*fresh.modules(), *measured.modules()]:
        if isinstance(module, nn.BatchNorm2d):
            module.reset_running_stats()
    for module in measured.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None
    with torch.no_grad():
        measured(batch()[0].double())
    for name, expected in scores_of(Obd(), measured).items():
        torch.testing.assert_close(scores_of(Obd(), fresh)[name], expected)


class Odd(nn.Module):
    """Groups, stride, dilation, asymmetric kernels, reflected borders, one dimension, and a layer used twice."""

    def __init__(self) -> None:
        super().__init__()
        self.grouped = nn.Conv2d(1, 4, (3, 2), stride=(1, 2), padding=(1, 0))
        self.depthwise = nn.Conv2d(4, 4, 3, padding=2, dilation=2, groups=2, padding_mode="reflect")
        self.line = nn.Conv1d(4, 5, 3, padding="same")
        self.twice = nn.Linear(90, 90, bias=False)
        self.last = nn.Linear(90, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.tanh(self.grouped(x))
        x = torch.relu_(self.depthwise(x))
        x = torch.relu(self.line(x.flatten(2))).flatten(1)
        out: Tensor = self.last(torch.relu(self.twice(torch.relu(self.twice(x)))))
        return out


def test_curvature_of_odd_layers_and_of_a_layer_used_twice() -> None:
    torch.manual_seed(0)
    network = Odd().double().eval()
    scores = scores_of(Obd(chunk=6), network)
    for name, h in ggn_diagonal(network, batch()[0]).items():
        torch.testing.assert_close(scores[name], h * network.get_parameter(name).detach().square() / 2)


def test_curvature_of_what_is_not_known_is_an_error() -> None:
    network = nn.Sequential(nn.Unflatten(1, (1, 1)), nn.Conv3d(1, 2, (1, 3, 3)), nn.Flatten(), nn.Linear(32, CLASSES))
    with pytest.raises(MethodError, match="Conv3d"):
        scores_of(Obd(), network)


@given(st.integers(1, 3), st.integers(1, 4), st.integers(1, 2), st.integers(1, 5), st.integers(1, 6))
@settings(deadline=None)
def test_both_ways_of_adding_up_squares_agree(k: int, n: int, groups: int, outputs: int, places: int) -> None:
    draws = torch.Generator().manual_seed(0)
    derivatives = torch.randn(k, n, groups, outputs, places, generator=draws, dtype=torch.float64)
    inputs = torch.randn(n, groups, 7, places, generator=draws, dtype=torch.float64)
    plain = torch.einsum("kngol,ngil->kngoi", derivatives, inputs).square().sum((0, 1))
    torch.testing.assert_close(curvature._by_pairs(derivatives, inputs), plain)
    torch.testing.assert_close(curvature._one_by_one(derivatives, inputs), plain)


def test_the_artefact_says_how_reliable_obd_is() -> None:
    """The rank correlation of two halves is high for many images, and 1 if the halves are the same images."""
    network = small_network()
    images, _ = batch()
    notes: dict[str, float] = {}
    scores_of(Obd(), network, notes=notes, images=images.repeat_interleave(2, 0)[:12])
    assert notes["split_half"] == pytest.approx(1.0)
    scores_of(Obd(), network, notes=notes)
    assert 0.5 < notes["split_half"] < 1.0


def test_rank_correlation_has_ties_at_their_mean_rank() -> None:
    """Spearman by hand: ranks (1.5, 1.5, 3, 4) and (1, 2, 3.5, 3.5) → 4.25 / (4.5 · 4.5)^½."""
    first, second = torch.tensor([0.0, 0.0, 5.0, 9.0]), torch.tensor([1.0, 2.0, 7.0, 7.0])
    assert curvature.rank_correlation(first, second) == pytest.approx(4.0 / 4.5)
    assert curvature.rank_correlation(first, torch.ones(4)) == 0.0


def test_samples_belong_to_monte_carlo() -> None:
    with pytest.raises(ValueError, match="monte-carlo"):
        Obd(samples=3)
