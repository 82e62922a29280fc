"""The really smaller network: the channels that a mask has left, without the rest.

Where a set of channels has nothing left (its rows, biases and BatchNorm entries are zero) it is zero wherever it is
seen, and rows, columns and entries can be left out. That the outputs are the same is measured, not assumed.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, fx, nn

from prunectl.base.batch_norm import is_batch_norm
from prunectl.base.errors import MethodError
from prunectl.base.rng import generator
from prunectl.pruning import mask as masking
from prunectl.pruning.engines.channel_graph import ChannelSets, channels_of, padding
from prunectl.pruning.engines.channel_masks import kept_channels
from prunectl.pruning.engines.tracing import traced

TOLERANCE = 1e-5
"""The largest difference between outputs, absolute, or relative to the largest output where that is above 1."""
IMAGES = 8
"""Random images that the two networks are compared on."""


@dataclass(frozen=True, kw_only=True)
class Widths:
    """How many channels the layers of a smaller network have. With the catalogue's network, that rebuilds it."""

    layers: Mapping[str, tuple[int, int]]
    """Layer → (outputs, inputs); for BatchNorm both are its channels."""
    pads: Mapping[int, tuple[int, int]]
    """Call of `pad`, counted from 0 → channels of zeros before and after."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Compacted:
    """A smaller network on the CPU, its widths, and the largest difference measured between the outputs."""

    network: nn.Module
    widths: Widths
    difference: float
    channels: tuple[int, int]
    """Channels kept and channels before: sets, as `channel_graph.py` counts them."""


def compact(network: nn.Module, masks: Mapping[str, Tensor], shape: tuple[int, int, int]) -> Compacted:
    """The smaller dense network that computes what the masked one does, on images of `shape` (C, H, W).

    It has the same layers under the same names, with fewer channels; a network that pads channels becomes a
    torch.fx.GraphModule of them. Any mask is accepted, but only whole channels make it smaller; a layer with nothing
    left keeps one channel. Raises MethodError for a network whose channels cannot be followed, and if the outputs
    in evaluation differ by more than TOLERANCE.
    """
    masked = copy.deepcopy(network).cpu()
    masking.apply(masks, masked)
    channels = channels_of(masked, shape)
    keep = kept_channels({name: weight != 0 for name, weight in masked.named_parameters()}, channels)
    for sets in channels.rows.values():
        if not bool(keep[sets].any()):
            keep[sets[0]] = True
    tensors = _cut(masked.state_dict(), keep, channels)
    widths = _widths(tensors, keep, channels)
    small = resized(masked, widths)
    small.load_state_dict(tensors)
    worst, largest = difference(masked, small, shape)
    if not worst <= TOLERANCE * max(1.0, largest):
        raise MethodError(f"the compact network differs from the masked one by {worst:.2g}: it would not be the same")
    return Compacted(network=small, widths=widths, difference=worst, channels=(int(keep.sum()), channels.count))


def resized(network: nn.Module, widths: Widths) -> nn.Module:
    """A copy of the network with layers of these widths. Their weights are not initialized."""
    small = copy.deepcopy(network)
    if widths.pads:
        small = _repadded(small, widths.pads)
    for name, (outputs, inputs) in widths.layers.items():
        _resize(small.get_submodule(name), outputs, inputs)
    return small


def difference(first: nn.Module, second: nn.Module, shape: tuple[int, int, int]) -> tuple[float, float]:
    """The largest difference between the outputs on random images, in evaluation, and the largest output."""
    parameter = next(first.parameters())
    images = torch.randn((IMAGES, *shape), generator=generator(0, "compact")).to(parameter.device, parameter.dtype)
    with torch.no_grad():
        outputs, others = (copy.deepcopy(network).eval()(images) for network in (first, second))
    return float((outputs - others).abs().max()), float(outputs.abs().max())


def _cut(tensors: Mapping[str, Tensor], keep: Tensor, channels: ChannelSets) -> dict[str, Tensor]:
    """Parameters and statistics without what belongs to sets that are gone."""
    cut = {}
    for name, tensor in tensors.items():
        sets = channels.rows.get(name, channels.entries.get(name, channels.statistics.get(name)))
        left = tensor if sets is None else tensor[keep[sets]]
        if name in channels.columns:
            left = left[:, keep[channels.columns[name]]]
        cut[name] = left.detach().clone(memory_format=torch.contiguous_format)
    return cut


def _widths(tensors: Mapping[str, Tensor], keep: Tensor, channels: ChannelSets) -> Widths:
    layers = {}
    for name in channels.rows:
        outputs, inputs = tensors[name].shape[:2]
        layers[name.removesuffix(".weight")] = (outputs, inputs)
    for name in [*channels.entries, *channels.statistics]:
        layers.setdefault(name.rpartition(".")[0], (len(tensors[name]), len(tensors[name])))
    pads = {at: (int(keep[before].sum()), int(keep[after].sum())) for at, (before, after) in channels.pads.items()}
    return Widths(layers=layers, pads=pads)


def _resize(module: nn.Module, outputs: int, inputs: int) -> None:
    """Change the numbers of channels of a layer, in place."""
    if isinstance(module, nn.Linear):
        module.out_features, module.in_features = outputs, inputs
        module.weight = nn.Parameter(module.weight.new_empty(outputs, inputs))
    elif isinstance(module, nn.Conv1d | nn.Conv2d | nn.Conv3d):
        if module.in_channels == module.groups == module.out_channels:  # depthwise; other groups stay as they are
            module.groups = outputs
        module.out_channels, module.in_channels = outputs, inputs * module.groups
        module.weight = nn.Parameter(module.weight.new_empty(outputs, inputs, *module.kernel_size))
    elif is_batch_norm(module):
        if not module.affine:  # its channels stay
            return
        module.num_features = outputs
        module.weight = nn.Parameter(module.weight.new_empty(outputs))
        for name in ("running_mean", "running_var"):
            if getattr(module, name) is not None:
                setattr(module, name, module.weight.new_empty(outputs))
    else:
        raise MethodError(f"a {type(module).__name__} has no number of channels to change")
    if module.bias is not None:
        module.bias = nn.Parameter(module.weight.new_empty(outputs))


def _repadded(network: nn.Module, pads: Mapping[int, tuple[int, int]]) -> fx.GraphModule:
    """The network as a graph with these numbers of channels added by its calls of `pad`."""
    graph = traced(network)
    calls = [n for n in graph.graph.nodes if n.op == "call_function" and getattr(n.target, "__name__", "") == "pad"]
    for at, (before, after) in pads.items():
        n = calls[at]
        n.args = (n.args[0], (*padding(n)[:-2], before, after))
    graph.recompile()
    return graph
