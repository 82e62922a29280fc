"""The mean output of the activation function that follows each layer."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from prunectl.base.errors import MethodError
from prunectl.pruning.engines.forward_hooks import OnActivation, hooked
from prunectl.pruning.prunable import layers_by_weight, weight_of


def mean_activations(
    network: nn.Module, layers: Mapping[str, Sequence[nn.Module]], images: Tensor, *, absolute: bool = False
) -> dict[str, Tensor]:
    """Per weight (units,): the output of the first activation after its layer, averaged over images and places.

    With `absolute` its absolute value is averaged.

    "After" is read off the graph that autograd records: the first activation function, in the order in which they
    run, that a layer's output reaches without passing through another layer or activation. So the last convolution
    of a residual block goes with the activation after the sum. A layer that no activation follows (the output
    layer) goes with its own output. A layer that is called more than once gets the mean over its calls, and layers
    that share a weight the mean over all of theirs.
    """
    watch = _Watch(layers, absolute)
    with torch.enable_grad(), hooked(dict.fromkeys(watch.names, watch.layer)), OnActivation(watch.activation):
        network(images)
    means: dict[str, list[Tensor]] = {name: [] for name in layers}
    for call in watch.calls.values():
        means[call.name].append(call.mean)
    missing = [name for name, calls in means.items() if not calls]
    if missing:
        raise MethodError(f"the network never calls {', '.join(missing)}")
    return {name: torch.stack(calls).mean(0) for name, calls in means.items()}


def refused(network: nn.Module, weights: Mapping[str, Tensor], shape: tuple[int, int, int]) -> Iterator[str]:
    """Why the means of this network are not known, found with one image (C, H, W) and a copy; nothing if they are."""
    twin = copy.deepcopy(network).eval()
    parameter = next(twin.parameters())
    image = torch.ones((1, *shape), dtype=parameter.dtype, device=parameter.device)
    try:
        with torch.random.fork_rng(devices=[]):
            mean_activations(twin, layers_by_weight(twin, weights), image)
    except MethodError as error:
        yield str(error)


class _Call:
    """One call of a layer: its units' own mean output, until an activation takes its place."""

    def __init__(self, name: str, mean: Tensor) -> None:
        self.name, self.mean, self.settled = name, mean, False


class _Watch:
    """What has been called so far, by node of autograd's graph."""

    def __init__(self, layers: Mapping[str, Sequence[nn.Module]], absolute: bool) -> None:
        self.absolute = absolute
        self.names = {module: name for name, modules in layers.items() for module in modules}
        self.calls: dict[Any, _Call] = {}
        self.activated: set[Any] = set()

    def layer(self, module: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> None:
        mean = self._means(output, len(weight_of(module)), module)
        self.calls[output.grad_fn] = _Call(self.names[module], mean)

    def activation(
        self, func: Callable[..., Tensor], given: Tensor, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Tensor:
        reached = self._layers_before(given.grad_fn)  # before an in-place activation moves the tensor on
        output = func(given, *args, **kwargs)
        for call in reached:
            if not call.settled:
                call.mean, call.settled = self._means(output, len(call.mean), None), True
        self.activated.add(output.grad_fn)
        return output

    def _means(self, output: Tensor, units: int, module: nn.Module | None) -> Tensor:
        return _unit_means(output.abs() if self.absolute else output, units, module)

    def _layers_before(self, node: Any) -> list[_Call]:
        layers, waiting, seen = [], [node], set()
        while waiting:
            current = waiting.pop()
            if current is None or current in seen or current in self.activated:
                continue
            seen.add(current)
            if current in self.calls:
                layers.append(self.calls[current])
            else:
                waiting += [before for before, _ in current.next_functions]
        return layers


def _unit_means(output: Tensor, units: int, module: nn.Module | None) -> Tensor:
    """(N, units, ...) → (units,); a linear layer along a sequence has its units last."""
    values = output.detach()
    if isinstance(module, nn.Linear) or values.shape[1] % units:
        values = values.movedim(-1, 1)
    if values.shape[1] % units:
        raise MethodError(f"an activation of {tuple(output.shape)} does not match a layer of {units} units")
    return values.reshape(len(values), units, -1).mean((0, 2))
