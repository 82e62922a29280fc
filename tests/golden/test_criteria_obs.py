"""OBS against a dense inverse of every block, one image at a time, in float64."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from prunectl.base.errors import MethodError
from prunectl.catalog.masks import Masks
from prunectl.pruning import mask as masking
from prunectl.pruning.criteria.obs import Obs
from prunectl.pruning.cut import Cut
from prunectl.pruning.engines import inverse_fisher
from prunectl.pruning.engines.single_weights import SingleWeights
from prunectl.pruning.in_rounds import prune_in_rounds
from prunectl.pruning.prunable import prunable
from prunectl.pruning.rounds.linear import Linear
from prunectl.pruning.rounds.one_shot import OneShot
from prunectl.pruning.scopes.global_ import Global
from prunectl.pruning.scoring import Scoring, score

SHAPE = (1, 5, 5)
BLOCK, DAMP, SAMPLES = 7, 1e-3, 10
Weights = dict[str, Tensor]


def network_of() -> nn.Sequential:
    """27, 24 and 24 weights: no layer is a multiple of the block."""
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(3, 8, bias=False),
        nn.ReLU(), nn.Linear(8, 3),
    ).double()  # fmt: skip
    network(torch.randn(20, *SHAPE, dtype=torch.float64))  # gives BatchNorm statistics
    return network


def batches() -> list[tuple[Tensor, Tensor]]:
    draws = torch.Generator().manual_seed(1)
    return [(torch.randn(12, *SHAPE, generator=draws), torch.arange(12) % 3)]


def dense_inverses(network: nn.Module, alive: Masks) -> dict[str, list[tuple[Tensor, Tensor]]]:
    """For each block of a layer the places of its weights that are alive, and the inverse of F among these."""
    ((images, labels),) = batches()
    weights = prunable(network.eval())
    gradients: dict[str, list[Tensor]] = {name: [] for name in weights}
    for image, label in zip(images[:SAMPLES].double(), labels[:SAMPLES], strict=True):
        loss = functional.cross_entropy(network(image[None]), label[None])
        for name, gradient in zip(weights, torch.autograd.grad(loss, list(weights.values())), strict=True):
            gradients[name].append(gradient.flatten())
    inverses: dict[str, list[tuple[Tensor, Tensor]]] = {name: [] for name in weights}
    for name, weight in weights.items():
        for start in range(0, weight.numel(), BLOCK):
            places = [q for q in range(start, min(start + BLOCK, weight.numel())) if alive[name].flatten()[q]]
            matrix = DAMP * torch.eye(len(places), dtype=torch.float64)
            for gradient in gradients[name]:
                matrix += torch.outer(gradient[places], gradient[places]) / SAMPLES
            inverses[name].append((torch.tensor(places, dtype=torch.long), torch.linalg.inv(matrix)))
    return inverses


def expected_scores(network: nn.Module, alive: Masks) -> Weights:
    scores = {name: torch.zeros(weight.numel(), dtype=torch.float64) for name, weight in prunable(network).items()}
    for name, blocks in dense_inverses(network, alive).items():
        for places, inverse in blocks:
            for row, q in enumerate(places.tolist()):
                w = float(prunable(network)[name].detach().flatten()[q])
                scores[name][q] = w * w / (2 * float(inverse[row, row]))
    return {name: scores[name].view(weight.shape) for name, weight in prunable(network).items()}


def expected_update(network: nn.Module, alive: Masks, masks: Masks) -> Weights:
    weights = {name: weight.detach().flatten().clone() for name, weight in prunable(network).items()}
    for name, blocks in dense_inverses(network, alive).items():
        before, lost = weights[name].clone(), alive[name] & ~masks[name]
        for places, inverse in blocks:
            for row, q in enumerate(places.tolist()):
                if lost.flatten()[q]:
                    weights[name][places] -= before[q] * inverse[:, row] / inverse[row, row]
        weights[name][~masks[name].flatten()] = 0.0
    return {name: weights[name].view(weight.shape) for name, weight in prunable(network).items()}


class Double(Obs):
    """In float64."""

    precision = "float64"


def obs(**changed: Any) -> Obs:
    return Double(samples=SAMPLES, block=BLOCK, damp=DAMP, **changed)


def half() -> Masks:
    draws = torch.Generator().manual_seed(5)
    return {name: torch.rand(weight.shape, generator=draws) < 0.5 for name, weight in prunable(network_of()).items()}


def run(criterion: Obs, network: nn.Module, sparsity: float, **options: Any) -> Any:
    return prune_in_rounds(
        Scoring(criterion=criterion, batches=batches(), shape=SHAPE, generator=torch.Generator().manual_seed(0)),
        network,
        Cut(units=SingleWeights(), scope=Global()),
        sparsity,
        options.pop("rounds", OneShot()),
        **options,
    )


@pytest.mark.parametrize("masked", [False, True])
def test_scores_are_the_squares_over_the_diagonal_of_the_inverse(masked: bool) -> None:
    """Weights that are gone already have no part in F."""
    network = network_of()
    masks = half() if masked else masking.dense(prunable(network))
    masking.apply(masks, network)
    scores = score(
        Scoring(criterion=obs(), batches=batches(), shape=SHAPE, generator=torch.Generator()), network, masks
    )
    for name, value in expected_scores(network, masks).items():
        torch.testing.assert_close(scores[name], value, rtol=1e-8, atol=1e-14)


@pytest.mark.parametrize("masked", [False, True])
def test_the_weights_that_stay_make_up_for_all_that_go_at_once(masked: bool) -> None:
    network = network_of()
    before = half() if masked else masking.dense(prunable(network))
    masking.apply(before, network)
    state = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    pruned = run(obs(), network, 0.7, before=before)
    assert all(torch.equal(tensor, state[name]) for name, tensor in network.state_dict().items())
    plain = {name: weight.detach() * pruned.masks[name] for name, weight in prunable(network).items()}
    assert not all(torch.equal(pruned.weights[name], plain[name]) for name in plain)
    for name, value in expected_update(network, before, pruned.masks).items():
        torch.testing.assert_close(pruned.weights[name], value, rtol=1e-8, atol=1e-12)
        assert not pruned.weights[name][~pruned.masks[name]].any()


def test_each_round_goes_on_with_the_updated_weights() -> None:
    reference, before = network_of(), masking.dense(prunable(network_of()))
    pruned = run(obs(), network_of(), 0.6, rounds=Linear(count=3))
    for sparsity in (0.2, 0.4, 0.6):
        scores = expected_scores(reference, before)
        masks = masking.prune(scores, Global(), sparsity, generator=torch.Generator(), before=before).masks
        updated = expected_update(reference, before, masks)
        with torch.no_grad():
            for name, weight in prunable(reference).items():
                weight.copy_(updated[name])
        before = masks
    for name, weight in prunable(reference).items():
        assert torch.equal(pruned.masks[name], before[name])
        torch.testing.assert_close(pruned.weights[name], weight.detach(), rtol=1e-6, atol=1e-10)


def test_the_update_lowers_what_the_quadratic_model_loses() -> None:
    """½ δᵀ F δ within blocks: less than with the weights left as they are."""
    network = network_of()
    alive = masking.dense(prunable(network))
    pruned = run(obs(), network, 0.3)
    losses = {"updated": 0.0, "plain": 0.0}
    for name, blocks in dense_inverses(network, alive).items():
        weight = prunable(network)[name].detach()
        changes = {"updated": pruned.weights[name] - weight, "plain": weight * pruned.masks[name] - weight}
        for places, inverse in blocks:
            for kind, change in changes.items():
                part = change.flatten()[places]
                losses[kind] += float(part @ torch.linalg.inv(inverse) @ part) / 2
    assert 0 < losses["updated"] < losses["plain"]


def test_without_update_only_a_mask_is_left() -> None:
    assert run(obs(update=False), network_of(), 0.5).weights is None


def test_layers_in_groups_and_images_in_chunks_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    together, apart = obs(), obs(memory=1e-9, chunk=3)
    weights = prunable(network_of())
    assert [len(group) for group in inverse_fisher.layer_groups(weights, SAMPLES, 1 << 30)] == [3]
    assert [len(group) for group in inverse_fisher.layer_groups(weights, SAMPLES, 1)] == [1, 1, 1]
    wide = run(together, network_of(), 0.5)
    monkeypatch.setattr(inverse_fisher, "NUMBERS", 1)  # one block at a time
    narrow = run(apart, network_of(), 0.5)
    for name in weights:
        assert torch.equal(wide.masks[name], narrow.masks[name])
        torch.testing.assert_close(wide.weights[name], narrow.weights[name], rtol=1e-9, atol=1e-14)


def test_more_than_the_machine_has_is_refused_with_the_estimate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inverse_fisher, "memory_bytes", lambda device: 2_000)
    with pytest.raises(MethodError, match=r"obs needs 6.0 kB for 10 gradients of the 75 weights of 0, 5, 7, .* 2.0 kB"):
        score(Scoring(criterion=obs(), batches=batches(), shape=SHAPE, generator=torch.Generator()), network_of())
    (reason,) = obs(memory=1e-9).check(network_of(), prunable(network_of()), SHAPE)
    assert "27 weights of 0, and" in reason and reason.endswith("give it fewer samples")


@pytest.mark.parametrize(("samples", "classes", "asked"), [(400, 10, 40), (400, 1000, 1), (401, 10, 41)])
def test_it_asks_for_at_least_as_many_images_as_it_needs(samples: int, classes: int, asked: int) -> None:
    assert Obs(samples=samples).sampling(classes) == (asked, 1)
