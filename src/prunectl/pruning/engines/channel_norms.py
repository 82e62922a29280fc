"""Which layers have a BatchNorm between them and whatever reads their channels."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping

from torch import Tensor, fx, nn

from prunectl.base.batch_norm import is_batch_norm
from prunectl.base.errors import MethodError
from prunectl.pruning.engines.channel_graph import channels_of
from prunectl.pruning.engines.tracing import traced
from prunectl.pruning.prunable import LAYERS, layers_of


def without_batch_norm(
    criterion: str, network: nn.Module, weights: Mapping[str, Tensor], shape: tuple[int, int, int]
) -> Iterator[str]:
    """One sentence with the layers whose channels may go and reach others without a BatchNorm, and what to write.

    A network whose channels cannot be followed is refused by the structure, with its reason.
    """
    try:
        channels = channels_of(network, shape)
    except MethodError:
        return
    free = channels.free.clone()
    for name, groups in channels.rows.items():
        if name not in weights:
            free[groups] = False
    bare = bare_layers(network)
    named = [name.removesuffix(".weight") for name in weights if bool(free[channels.rows[name]].any())]
    wrong = [layer for layer in named if layer in bare]
    if wrong:
        dense = [layer for layer in layers_of(network) if f"{layer}.weight" not in weights or layer in wrong]
        yield (
            f"{criterion} looks at the BatchNorm after a layer, and there is none after {', '.join(wrong)}; leave "
            f"such layers dense with [prunable] exclude = {json.dumps(dense)}"
        )


def bare_layers(network: nn.Module) -> list[str]:
    """The layers whose output reaches another layer, or the network's output, without a BatchNorm with a scale.

    Activations, pooling and sums on the way change nothing.
    """
    graph = traced(copy.deepcopy(network).to("meta").eval()).graph
    modules = dict(network.named_modules())
    carried: dict[fx.Node, set[str]] = {}
    bare: set[str] = set()
    for node in graph.nodes:
        given = set[str]().union(*(carried[before] for before in node.all_input_nodes))
        module = modules.get(str(node.target)) if node.op == "call_module" else None
        if isinstance(module, LAYERS) or node.op == "output":
            bare |= given
            given = {str(node.target)}
        elif module is not None and is_batch_norm(module) and module.affine:
            given = set()
        carried[node] = given
    return [name for name in modules if name in bare]
