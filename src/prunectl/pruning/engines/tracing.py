"""A network as a graph of its operations, and where in the network an operation is."""

from __future__ import annotations

from torch import fx, nn

from prunectl.base import ctrl_c
from prunectl.base.errors import MethodError


def traced(network: nn.Module) -> fx.GraphModule:
    """The network as a graph. Raises MethodError, with the layer, where what it does depends on what it sees."""
    tracer = fx.Tracer()
    try:
        return fx.GraphModule(network, tracer.trace(network), type(network).__name__)
    except BaseException as error:  # whatever a network's own code raises
        ctrl_c.pass_on(error)
        layers = [name for name, _ in getattr(tracer, "module_stack", {}).values() if name]
        where = f" in layer {layers[-1]}" if layers else ""
        raise MethodError(f"the network cannot be traced{where}: {error}") from error


def last_layer(n: fx.Node) -> str | None:
    """The layer that an operation's input comes from, through others that are no layers; None at the image."""
    waiting, seen = list(n.all_input_nodes), set[fx.Node]()
    while waiting:
        node = waiting.pop(0)
        if node.op == "call_module":
            return str(node.target)
        seen.add(node)
        waiting += [before for before in node.all_input_nodes if before not in seen]
    return None
