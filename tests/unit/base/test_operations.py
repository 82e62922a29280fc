"""The operations of a forward pass, whatever the network's code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from prunectl.base.operations import Operation, UncountedError, record, storage_of


class Of(nn.Module):
    """A network that is one function of the image."""

    def __init__(self, function: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Any:
        """Whatever the function returns."""
        return self.function(x)


def operations(function: Callable[[Tensor], Any], *whole: str) -> list[Operation]:
    return record(Of(function), (1, 2, 2), whole=whole).operations


RELUS = [nn.ReLU(), functional.relu, torch.relu, Tensor.relu, nn.ReLU(inplace=True), torch.relu_]


@pytest.mark.parametrize("relu", RELUS)
def test_an_operation_is_one_however_it_is_called(relu: Callable[[Tensor], Tensor]) -> None:
    (operation,) = operations(relu)
    assert operation.base == "relu"
    assert [tensor.shape for tensor in operation.inputs] == [(1, 1, 2, 2)]
    assert len(operation.changed) == (operation.name == "relu_")


def test_what_is_made_of_others_is_taken_apart_unless_it_is_wanted_whole() -> None:
    layer = nn.Linear(2, 2)
    assert [operation.base for operation in operations(layer)][-2:] == ["addmm", "view"]
    assert [operation.base for operation in operations(layer, "linear")] == ["linear"]


def test_each_tensor_is_the_one_that_an_operation_returned() -> None:
    first, second = operations(lambda x: (x + 1).view(4))
    assert second.inputs[0] is first.output
    assert second.is_view
    assert not first.is_view
    assert storage_of(second.output) == storage_of(first.output)


def test_a_network_runs_in_evaluation_and_stays_as_it_was() -> None:
    network = nn.Sequential(nn.BatchNorm2d(1), nn.Dropout()).train()
    recording = record(network, (1, 2, 2))
    assert network.training
    assert float(recording.output.std()) == 0
    assert recording.parameters["0.weight"] is not network[0].weight
    assert not recording.parameters["0.weight"].requires_grad or recording.parameters["0.weight"].is_inference()


def test_a_tied_parameter_has_all_its_names() -> None:
    network = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    network[1].weight = network[0].weight
    recording = record(network, (1, 2, 2))
    assert recording.parameters["0.weight"] is recording.parameters["1.weight"]


def test_an_error_of_the_network_is_a_reason() -> None:
    with pytest.raises(UncountedError, match=r"the network does not run on one image: RuntimeError: .*shape"):
        operations(lambda x: x.view(3))


@pytest.mark.parametrize("leaves", [Tensor.tolist, Tensor.numpy])
def test_activations_that_leave_torch_are_noticed(leaves: Callable[[Tensor], Any]) -> None:
    with pytest.raises(UncountedError, match=rf"after {leaves.__name__}\(\) is not known"):
        operations(lambda x: leaves(x + 1))
