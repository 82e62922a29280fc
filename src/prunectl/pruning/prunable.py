"""Which weights may be pruned: of convolutions, linear layers and attention. Never biases, norms or embeddings."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase

from torch import nn

from prunectl.base.errors import MethodError
from prunectl.base.text import did_you_mean
from prunectl.catalog.masks import layer_of

LAYERS = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.Linear)
PROJECTIONS = ("in_proj_weight", "q_proj_weight", "k_proj_weight", "v_proj_weight")
"""The weights of nn.MultiheadAttention that belong to no layer of its own."""


def prunable(network: nn.Module, exclude: Sequence[str] = ()) -> dict[str, nn.Parameter]:
    """The prunable weights by parameter name, in the network's order, without the layers excluded by name or glob.

    A weight that several layers share is in it once, under its first name. Raises MethodError if nothing is left, if
    a pattern names no layer of the network, and for a weight that cannot be pruned: see `refusals`.
    """
    kept = kept_layers(network, exclude)
    if reasons := list(refusals(network, exclude)):
        raise MethodError("; ".join(reasons))
    names = {parameter: name for name, parameter in network.named_parameters()}
    return {names[weight]: weight for weight in kept.values() if weight is not None}


def all_weights(network: nn.Module) -> dict[str, nn.Parameter | None]:
    """The weight of every convolution, linear layer and projection of attention, by the name of the layer.

    None for a weight that is computed from other parameters.
    """
    weights: dict[str, nn.Parameter | None] = {}
    for name, module in network.named_modules():
        if isinstance(module, LAYERS):
            weights[name] = own_weight(module)
        elif isinstance(module, nn.MultiheadAttention):
            weights |= {
                layer_of(f"{name}.{projection}".lstrip(".")): weight
                for projection in PROJECTIONS
                if (weight := module._parameters.get(projection)) is not None
            }
    return weights


def layers_of(network: nn.Module) -> dict[str, nn.Module]:
    """Every convolution and linear layer by name, excluded or not."""
    return {name: module for name, module in network.named_modules() if isinstance(module, LAYERS)}


def kept_layers(network: nn.Module, exclude: Sequence[str] = ()) -> dict[str, nn.Parameter | None]:
    """The layers that are to be pruned, by name, with their weights: see `all_weights`.

    Raises MethodError as `prunable` does for patterns.
    """
    layers = all_weights(network)
    for pattern in exclude:
        if not any(fnmatchcase(name, pattern) for name in layers):
            hint = did_you_mean(pattern, layers, "'{}'")
            raise MethodError(
                f"[prunable] exclude = {pattern!r} matches no layer; there are {', '.join(layers)}"
                + (f"; {hint}" if hint else "")
            )
    kept = {name: kept for name, kept in layers.items() if not any(fnmatchcase(name, pattern) for pattern in exclude)}
    if not kept:
        raise MethodError("nothing to prune: the network has no convolution or linear layer that is not excluded")
    return kept


def layers_by_weight(network: nn.Module, weights: Collection[str]) -> dict[str, list[nn.Module]]:
    """For each weight, by parameter name, the layers that compute with it: several, if they share it.

    Raises MethodError for weights of nn.MultiheadAttention, which computes with them without calling a layer.
    """
    unseen = [weight for weight in weights if _in_attention(network, weight)]
    if unseen:
        layers_ = [layer_of(weight) for weight in unseen]
        raise MethodError(
            f"{listed(layers_)} part of nn.MultiheadAttention, which calls no layer that could be observed: "
            f"{remedy(layers_, ())}, or use a criterion that looks at weights and gradients alone"
        )
    names = {parameter: name for name, parameter in network.named_parameters()}
    layers: dict[str, list[nn.Module]] = {name: [] for name in weights}
    for layer in layers_of(network).values():
        weight = own_weight(layer)
        if weight is not None and names[weight] in layers:
            layers[names[weight]].append(layer)
    return layers


def _in_attention(network: nn.Module, weight: str) -> bool:
    owner, _, name = weight.rpartition(".")
    if name in PROJECTIONS:
        return True
    parent, _, last = owner.rpartition(".")
    return last == "out_proj" and isinstance(network.get_submodule(parent), nn.MultiheadAttention)


def weight_of(layer: nn.Module) -> nn.Parameter:
    """The weight of a prunable layer."""
    weight = own_weight(layer)
    assert weight is not None, "a prunable layer has its weight as a parameter"
    return weight


def own_weight(layer: nn.Module) -> nn.Parameter | None:
    """The parameter that a layer has as its weight; None if the weight is computed from other parameters."""
    return layer._parameters.get("weight")


def refusals(network: nn.Module, exclude: Sequence[str]) -> Iterator[str]:
    """Why weights cannot be pruned: one sentence for each reason, with the layers and what to write instead."""
    kept = kept_layers(network, exclude)
    computed = [name for name, weight in kept.items() if weight is None]
    if computed:
        yield (
            f"{listed(computed, 'the weight')} computed from other parameters (spectral_norm, weight_norm or another "
            f"parametrization), so that zeros in it would not last: {remedy(computed, exclude)}"
        )
    empty = [name for name, weight in kept.items() if weight is not None and not weight.numel()]
    if empty:
        yield f"{listed(empty, 'the weight')} of size zero: {remedy(empty, exclude)}"
    yield from _shared(network, kept, exclude)


def _shared(network: nn.Module, kept: Mapping[str, nn.Parameter | None], exclude: Sequence[str]) -> Iterator[str]:
    """Weights that are pruned in one place and must stay dense in another."""
    for places in _shared_places(network):
        layers = [layer for layer, name, module in places if name == "weight" and isinstance(module, LAYERS)]
        pruned = [layer for layer in layers if layer in kept]
        others = [f"{layer} ({type(module).__name__})" for layer, _, module in places if layer not in layers]
        if pruned and others:
            what = f"the weight of layer {pruned[0]} is also a parameter of {', '.join(others)}, which is not pruned"
            yield f"{what}: {remedy(layers, exclude)}"
        elif pruned and len(pruned) < len(layers):
            without = [layer for layer in layers if layer not in kept]
            what = f"layer {pruned[0]} and layer {without[0]}, which is excluded, share one weight"
            yield f"{what}: exclude both or neither; to exclude both, {remedy(layers, exclude)}"


def _shared_places(network: nn.Module) -> list[list[tuple[str, str, nn.Module]]]:
    """For each parameter that several modules have: those modules' names, its name there, the modules."""
    places: dict[nn.Parameter, list[tuple[str, str, nn.Module]]] = {}
    for layer, module in network.named_modules():
        for name, parameter in module._parameters.items():
            if parameter is not None:
                places.setdefault(parameter, []).append((layer, name, module))
    return [several for several in places.values() if len(several) > 1]


def listed(layers: Sequence[str], what: str | None = None) -> str:
    """Layers as the subject of a sentence: 'layer a is', 'the weights of layers a and b are'."""
    of = "" if what is None else f"{what}{'s' if len(layers) > 1 else ''} of "
    if len(layers) == 1:
        return f"{of}layer {layers[0]} is"
    return f"{of}layers {', '.join(layers[:-1])} and {layers[-1]} are"


def remedy(layers: Sequence[str], exclude: Sequence[str]) -> str:
    """How to leave layers dense: the line to write, with what it has already."""
    patterns = dict.fromkeys([*exclude, *layers])
    return f"exclude {'it' if len(layers) == 1 else 'them'} ([prunable] exclude = {json.dumps(list(patterns))})"
