"""Networks that are unusual and right: every criterion, mask, training step and count works with them.

Those that are refused are in `tests/unit/work/test_surveyed.py`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import odd_networks as odd
from networks import CLASSES, SHAPE, batch
from prunectl.base.errors import MethodError
from prunectl.catalog.criterion import Criterion
from prunectl.catalog.lookup import entry_type, names
from prunectl.models.flops import flops_of
from prunectl.models.initialization import initialize
from prunectl.models.lazy import materialized
from prunectl.pruning import mask as masking
from prunectl.pruning.cut import Cut
from prunectl.pruning.engines.paths import effective
from prunectl.pruning.engines.single_weights import SingleWeights
from prunectl.pruning.in_rounds import prune_in_rounds
from prunectl.pruning.prunable import prunable
from prunectl.pruning.rounds.exponential import Exponential
from prunectl.pruning.scopes.global_ import Global
from prunectl.pruning.scoring import Scoring, score
from prunectl.training.loop import advance
from prunectl.training.state import load_network, network_tensors
from prunectl.training.trainee import begin
from trainings import training


def spectral(layer: nn.Module) -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        return nn.utils.spectral_norm(layer)


NETWORKS: Mapping[str, tuple[Callable[[], nn.Module], tuple[str, ...]]] = {
    "plain": (odd.Plain, ()),
    "in place": (odd.InPlace, ()),
    "a layer never called, excluded": (odd.WithAux, ("aux",)),
    "a layer called in training alone, excluded": (odd.AuxInTraining, ("aux",)),
    "a weight used without its layer, excluded": (odd.Functional, ("fc", "conv2")),
    "a frozen layer": (odd.frozen, ()),
    "channels last": (odd.channels_last, ()),
    "a transposed weight": (odd.transposed, ()),
    "tied weights": (odd.tied, ()),
    "one layer under two names": (odd.two_names, ()),
    "lazy layers": (odd.lazy, ()),
    "spectral_norm, excluded": (lambda: odd.normalized(spectral), ("fc",)),
    "the new spectral_norm, excluded": (lambda: odd.normalized(nn.utils.parametrizations.spectral_norm), ("fc",)),
    "weight_norm, excluded": (lambda: odd.normalized(nn.utils.parametrizations.weight_norm), ("fc",)),
}
SAME_AS_PLAIN = ("in place", "a frozen layer", "channels last", "a transposed weight", "one layer under two names",
                 "lazy layers")  # fmt: skip


def built(kind: str) -> nn.Module:
    """The network, drawn; the weights of one that computes what the plain one does are the plain one's."""
    network = materialized(NETWORKS[kind][0](), SHAPE)
    initialize(network, init="kaiming-normal", bn_init="uniform", generator=torch.Generator().manual_seed(7))
    if kind in SAME_AS_PLAIN:
        network.load_state_dict(built("plain").state_dict(), strict=kind != "one layer under two names")
    return network


def scores_of(name: str, network: nn.Module, exclude: tuple[str, ...]) -> dict[str, Tensor]:
    criterion = made(name)
    batches = [batch(1), batch(2)] if criterion.needs_data else []
    rng = torch.Generator().manual_seed(3)
    return score(Scoring(criterion=criterion, exclude=exclude, batches=batches, shape=SHAPE, generator=rng), network)


def made(name: str) -> Criterion:
    criterion = entry_type("criteria", name)()
    assert isinstance(criterion, Criterion)
    return criterion


every_network = pytest.mark.parametrize("kind", NETWORKS)
every_criterion = pytest.mark.parametrize("name", [name for name in names("criteria") if made(name).structures is None])
"""Those of single weights: what scores channels has networks of its own in `test_criteria.py`."""


@every_criterion
@every_network
def test_scores_prune_exactly_what_was_asked_once_and_in_rounds(name: str, kind: str) -> None:
    network, exclude = built(kind), NETWORKS[kind][1]
    if (name, kind) == ("lap", "a weight used without its layer, excluded"):
        with pytest.raises(MethodError, match=r"lap cannot follow conv2, fc: weights are used without calling"):
            scores_of(name, network, exclude)
        return
    before = {key: value.clone() for key, value in network.state_dict().items()}
    scores = scores_of(name, network, exclude)
    weights = prunable(network, exclude)
    assert scores.keys() == weights.keys()
    assert all(scores[key].shape == weight.shape and scores[key].is_contiguous() for key, weight in weights.items())
    assert all(bool(values.any()) for values in scores.values()), "no layer is scored as if it did nothing"
    criterion = made(name)
    pruned = prune_in_rounds(
        Scoring(
            criterion=criterion,
            exclude=exclude,
            batches=[batch(1)] if criterion.needs_data else [],
            shape=SHAPE,
            generator=torch.Generator().manual_seed(3),
        ),
        network,
        Cut(units=SingleWeights(), scope=Global()),
        0.5,
        Exponential(count=3),
    )
    n = sum(weight.numel() for weight in weights.values())
    assert sum(int((~mask).sum()) for mask in pruned.masks.values()) == round(0.5 * n)
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())


@every_criterion
@pytest.mark.parametrize("kind", SAME_AS_PLAIN)
def test_what_is_unusual_does_not_change_the_scores(name: str, kind: str) -> None:
    plain, other = scores_of(name, built("plain"), ()), scores_of(name, built(kind), ())
    for key, values in plain.items():
        torch.testing.assert_close(other[key], values, rtol=1e-4, atol=1e-7)


@every_network
def test_training_leaves_pruned_weights_at_zero_and_frozen_ones_as_they_were(kind: str) -> None:
    network, exclude = built(kind), NETWORKS[kind][1]
    masks = masking.dense(prunable(network, exclude))
    for mask in masks.values():
        mask.view(-1)[::2] = False
    masking.apply(masks, network)
    before = {name: parameter.detach().clone() for name, parameter in network.named_parameters()}
    advance(begin(network, training(), masks=masks), 3)
    for name, parameter in network.named_parameters():
        assert not parameter[~masks[name]].any() if name in masks else True
        changed = not torch.equal(parameter, before[name])
        assert changed == (parameter.requires_grad and (kind, name.partition(".")[0]) not in UNTRAINED), name
    again = built(kind)
    load_network(again, network_tensors(network))
    images = batch(9)[0]
    torch.testing.assert_close(again.eval()(images), network.eval()(images))


UNTRAINED = {
    ("a layer never called, excluded", "aux"),
    ("a weight used without its layer, excluded", "conv2"),
}


@every_network
def test_counts_are_those_of_the_calls(kind: str) -> None:
    network, exclude = built(kind), NETWORKS[kind][1]
    masks = masking.dense(prunable(network, exclude))
    on_path = effective(network, masks, SHAPE)
    assert all(bool(on_path[name].all()) for name in masks)
    for name, weight in network.named_parameters():
        if name == "aux.weight":
            flops = flops_of(network, SHAPE, [name])
            assert flops.pruned({name: torch.zeros(weight.shape, dtype=torch.bool)}) == flops.dense


def test_a_tied_weight_has_one_score_which_is_that_of_all_its_uses() -> None:
    network = built("tied weights")
    assert list(prunable(network)) == ["1.weight", "3.weight", "7.weight"]
    images, labels = batch(1)
    loss = functional.cross_entropy(network.eval()(images), labels)
    (gradient,) = torch.autograd.grad(loss, [network.get_parameter("3.weight")])
    criterion = entry_type("criteria", "snip")()
    assert isinstance(criterion, Criterion)
    rng = torch.Generator().manual_seed(0)
    scores = score(Scoring(criterion=criterion, batches=[(images, labels)], shape=SHAPE, generator=rng), network)
    torch.testing.assert_close(scores["3.weight"], (network.get_parameter("3.weight") * gradient).abs().detach())


def test_the_curvature_of_a_tied_weight_is_that_of_the_sum_of_its_uses() -> None:
    """Not the sum of the curvatures: the square is taken of each image's whole derivative."""
    network = built("tied weights").eval()
    images, labels = batch(1)
    weight = network.get_parameter("3.weight")
    squares = torch.zeros_like(weight)
    for image, label in zip(images, labels, strict=True):
        loss = functional.cross_entropy(network(image[None]), label[None])
        squares += torch.autograd.grad(loss, [weight])[0].square()
    expected = weight.detach().square() * squares / len(images)
    criterion = entry_type("criteria", "fisher")()
    assert isinstance(criterion, Criterion)
    scores = score(
        Scoring(criterion=criterion, batches=[(images, labels)], shape=SHAPE, generator=torch.Generator()), network
    )
    torch.testing.assert_close(scores["3.weight"], expected, rtol=1e-4, atol=1e-8)


def test_lookahead_adds_up_what_lies_around_each_use_of_a_tied_weight() -> None:
    network = built("tied weights").double()
    first, tied, last = (network.get_parameter(f"{place}.weight").detach() for place in (1, 3, 7))
    around = torch.outer(tied.square().sum(0), first.square().sum(1))  # of layer 3: before it 1, after it 5
    around += torch.outer(last.square().sum(0), tied.square().sum(1))  # of layer 5: before it 3, after it 7
    criterion = entry_type("criteria", "lap")()
    assert isinstance(criterion, Criterion)
    scores = score(Scoring(criterion=criterion, shape=SHAPE, generator=torch.Generator()), network)
    torch.testing.assert_close(scores["3.weight"].double(), tied.abs() * around.sqrt(), rtol=1e-5, atol=0)


def test_a_network_of_odd_layers_still_gives_logits() -> None:
    assert all(built(kind).eval()(batch(1)[0]).shape == (12, CLASSES) for kind in NETWORKS)
