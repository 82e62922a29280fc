"""What lies before and after each weight in the network's real graph, for lookahead pruning.

The network is run once, on squared norms: every tensor holds, per channel, the squared norm
of the weights that write that channel; BatchNorm multiplies it by its squared factor, activations and pooling pass it
on, a sum adds its branches up. A layer reads that number and starts again from its own rows. What follows a layer is
the derivative of all that is read later with respect to what it writes.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import ParametrizationList

from prunectl.base.batch_norm import is_batch_norm
from prunectl.base.errors import MethodError
from prunectl.pruning.engines.forward_hooks import Hook, OnActivation, hooked
from prunectl.pruning.prunable import LAYERS, layers_by_weight, layers_of


class Lookahead:
    """One run of a network in evaluation; `factor(weight, layers)` is then what LAP multiplies |w| by."""

    def __init__(self, network: nn.Module, shape: tuple[int, int, int]) -> None:
        self.calls: dict[nn.Module, list[tuple[Tensor, Tensor]]] = {}
        parameter = next(network.parameters())
        ones = torch.ones((1, *shape), dtype=parameter.dtype, device=parameter.device)
        self.read = torch.zeros((), dtype=parameter.dtype, device=parameter.device)
        with torch.enable_grad(), hooked(self._hooks(network)), OnActivation(_pass_on):
            output = network(ones)
            self.read = self.read + _per_channel(output).sum()
        self._refuse_uncalled(network)
        rows = [row for calls in self.calls.values() for _, row in calls]
        after = torch.autograd.grad(self.read, rows, allow_unused=True)
        self.after = dict(zip(map(id, rows), after, strict=True))

    def _refuse_uncalled(self, network: nn.Module) -> None:
        """A weight that is used without its layer has multiplied norms as if they were activations."""
        uncalled = {name: layer for name, layer in layers_of(network).items() if layer not in self.calls}
        parameters = [parameter for layer in uncalled.values() for parameter in layer.parameters()]
        if parameters and self.read.requires_grad:
            used = torch.autograd.grad(self.read, parameters, retain_graph=True, allow_unused=True)
            if any(gradient is not None for gradient in used):
                raise MethodError(f"lap cannot follow {', '.join(uncalled)}: weights are used without calling a layer")

    def factor(self, weight: Tensor, layers: Sequence[nn.Module]) -> Tensor:
        """√(Σ over the calls of a weight's layers of before[input] · after[output]), shaped as the weight."""
        total = torch.zeros((), dtype=weight.dtype, device=weight.device)
        calls = [(layer, *call) for layer in layers for call in self.calls.get(layer, [])]
        for layer, before, row in calls:
            after = self.after[id(row)]
            if after is not None:
                kernel = (1,) * (weight.dim() - 2)
                total = total + _inputs_of(layer, before).view(*weight.shape[:2], *kernel) * after.view(-1, 1, *kernel)
        return total.sqrt().expand(weight.shape)

    def _hooks(self, network: nn.Module) -> Mapping[nn.Module, Hook]:
        hooks: dict[nn.Module, Hook] = {}
        for name, module in network.named_modules():
            if isinstance(module, LAYERS):
                hooks[module] = partial(self._layer, name)
            elif is_batch_norm(module):
                hooks[module] = _batch_norm
            elif isinstance(module, ParametrizationList):
                continue  # part of a layer
            elif next(module.parameters(recurse=False), None) is not None:
                kind = type(module).__name__
                own = ", ".join(own for own, _ in module.named_parameters(recurse=False))
                what = f"layer {name} ({kind})" if name else f"the network's own {own} ({kind})"
                raise MethodError(f"lap does not know what {what} does to a norm")
        return hooks

    def _layer(self, name: str, module: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> Tensor:
        squares = _weight(module).detach().square()
        if isinstance(module, nn.Linear) and output.dim() != 2:
            raise MethodError(f"lap does not know linear layers along an image or a sequence, as {name} is")
        groups = getattr(module, "groups", 1)
        columns = squares.reshape(groups, -1, squares.shape[1], squares[0, 0].numel()).sum((1, 3)).flatten()
        before = _per_channel(inputs[0])
        self.read = self.read + (columns * before).sum()
        row = squares.flatten(1).sum(1).requires_grad_()
        self.calls.setdefault(module, []).append((before.detach(), row))
        # A copy, because the network may go on in place, as in `out += shortcut`.
        return row.view(1, -1, *(1,) * (output.dim() - 2)).expand(output.shape).clone()


def refused(network: nn.Module, weights: Mapping[str, Tensor], shape: tuple[int, int, int]) -> Iterator[str]:
    """Why a network cannot be followed on norms, found with a copy of it; nothing if it can."""
    twin = copy.deepcopy(network).eval()
    try:
        layers_by_weight(twin, weights)
        with torch.random.fork_rng(devices=[]):
            Lookahead(twin, shape)
    except MethodError as error:
        yield str(error)


def _weight(layer: nn.Module) -> Tensor:
    """The weight of a layer, computed from others or not."""
    weight = layer.weight
    assert isinstance(weight, Tensor)
    return weight


def _batch_norm(module: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> Tensor:
    """γ² / (σ² + ε) per channel; without γ or without running statistics, ones take their place."""
    assert is_batch_norm(module)
    factor = torch.ones(module.num_features, dtype=output.dtype, device=output.device)
    if module.running_var is not None:
        factor = factor / (module.running_var + module.eps)
    if module.affine:
        factor = factor * module.weight.detach().square()
    given: Tensor = inputs[0]
    return given * factor.view(1, -1, *(1,) * (given.dim() - 2))


def _pass_on(func: Callable[..., Tensor], given: Tensor, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor:
    return given


def _per_channel(tensor: Tensor) -> Tensor:
    """(1, C, ...) → (C,): the mean over the places, which are alike."""
    return tensor.reshape(tensor.shape[1], -1).mean(1)


def _inputs_of(layer: nn.Module, before: Tensor) -> Tensor:
    """Which input channel each weight reads: (outputs, inputs / groups)."""
    groups = getattr(layer, "groups", 1)
    outputs = len(_weight(layer))
    return before.view(groups, 1, -1).expand(groups, outputs // groups, -1).reshape(outputs, -1)
