"""What every network of the catalogue promises: shapes, modules for activations, and weights from one generator."""

from __future__ import annotations

import operator
from functools import cache

import pytest
import torch
from torch import fx, nn

from prunectl.catalog.lookup import entry_type
from prunectl.catalog.model import Model
from prunectl.catalog.tables import MODELS
from prunectl.models.initialization import INITIALIZATIONS, initialize

ALLOWED_FUNCTIONS = {operator.add, operator.mul, operator.getitem, nn.functional.pad}
"""What a network may do outside its modules: add a shortcut, widen one that has no parameters, weigh channels."""


def model(name: str) -> Model:
    built = entry_type("models", name)()
    assert isinstance(built, Model)
    return built


def shape_for(name: str) -> tuple[int, int, int]:
    return (1, 28, 28) if "lenet" in name or "mnist" in name else (3, 32, 32)


@cache
def followed(name: str) -> fx.GraphModule:
    """The network for 23 classes, without values, as a graph."""
    with torch.device("meta"):
        return fx.symbolic_trace(model(name).build(shape_for(name), 23))


def drawn(name: str, seed: int) -> nn.Module:
    network = model(name).build(shape_for(name), 10)
    initialize(network, init="kaiming-normal", bn_init="uniform", generator=torch.Generator().manual_seed(seed))
    return network


@pytest.mark.parametrize("name", MODELS)
def test_images_become_finite_logits(name: str) -> None:
    network = drawn(name, 0)
    images = torch.randn(2, *shape_for(name), generator=torch.Generator().manual_seed(1))
    logits = network(images)
    assert logits.shape == (2, 10)
    assert logits.isfinite().all()


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("shape", [(1, 8, 8), (1, 28, 28), (3, 32, 32), (3, 64, 48)], ids=str)
def test_every_shape_is_taken_or_refused_in_words(name: str, shape: tuple[int, int, int]) -> None:
    reason = model(name).refusal(shape)
    if reason:
        with pytest.raises(ValueError, match=f"{name} needs images of at least"):
            model(name).build(shape, 7)
        return
    with torch.device("meta"):
        assert model(name).build(shape, 7)(torch.empty(4, *shape)).shape == (4, 7)


@pytest.mark.parametrize("name", MODELS)
def test_activations_and_pooling_are_modules_that_do_not_work_in_place(name: str) -> None:
    network = followed(name)
    nodes = list(network.graph.nodes)
    assert not [node for node in nodes if node.op == "call_method"]
    assert {node.target for node in nodes if node.op == "call_function"} <= ALLOWED_FUNCTIONS
    assert not [module for module in network.modules() if getattr(module, "inplace", False)]


@pytest.mark.parametrize("name", MODELS)
def test_no_module_is_used_twice(name: str) -> None:
    """A shared activation would give a hook on it two meanings."""
    called = [node.target for node in followed(name).graph.nodes if node.op == "call_module"]
    assert len(called) == len(set(called))


@pytest.mark.parametrize("name", MODELS)
def test_the_layer_of_the_logits_is_called_head(name: str) -> None:
    head = followed(name).get_submodule("head")
    assert isinstance(head, nn.Linear) and head.out_features == 23


@pytest.mark.parametrize("name", MODELS)
def test_weights_come_from_the_generator_alone(name: str) -> None:
    torch.manual_seed(1)
    first = drawn(name, 5).state_dict()
    torch.manual_seed(2)
    second, other = drawn(name, 5).state_dict(), drawn(name, 6).state_dict()
    assert all(torch.equal(first[key], second[key]) for key in first)
    assert not torch.equal(first["head.weight"], other["head.weight"])


@pytest.mark.parametrize("init", INITIALIZATIONS)
def test_drawing_takes_nothing_from_the_global_generator(init: str) -> None:
    network = model("resnet-20").build((3, 32, 32), 10)
    before = torch.get_rng_state()
    initialize(network, init=init, bn_init="uniform", generator=torch.Generator().manual_seed(0))
    assert torch.equal(torch.get_rng_state(), before)
