"""The channel graph: which channels of a network live and die together.

The network's real graph is followed once (torch.fx), tensor by tensor. A layer makes new channels, its rows; BatchNorm
has an entry for each; a layer that reads them has a column for each, or one for each pixel of them after a flatten; a
sum ties the channels that it adds; zeros that a shortcut pads with (ResNet option A) are tied to what they are added
to, and to nothing else. What is tied is a set, kept or pruned together (the "dependency graph" of Fang et al.
2023, one channel at a time).
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx, nn

from prunectl.base import ctrl_c
from prunectl.base.batch_norm import is_batch_norm
from prunectl.base.errors import MethodError
from prunectl.base.operations import LARGE
from prunectl.pruning.engines.channel_operations import GATES, PASSING, PASSING_CALLS
from prunectl.pruning.engines.joined import Ids, Joined
from prunectl.pruning.engines.tracing import last_layer, traced
from prunectl.pruning.prunable import LAYERS

OUTPUT, INPUT = "it gives the network's output", "it reads the network's input"


@dataclass(frozen=True, kw_only=True, eq=False)
class ChannelSets:
    """Sets of channels that live and die together, numbered 0 ... count − 1, and what belongs to each."""

    count: int
    rows: Mapping[str, Tensor]
    """Weight name → the set of each row (outputs,), layer by layer, in the order of the graph."""
    columns: Mapping[str, Tensor]
    """Weight name → the set of each column (inputs,). A grouped convolution has none."""
    entries: Mapping[str, Tensor]
    """Biases and BatchNorm parameters: name → the set of each entry."""
    statistics: Mapping[str, Tensor]
    """The same for BatchNorm's running mean and variance."""
    pads: Mapping[int, tuple[Tensor, Tensor]]
    """Which calls of `pad` in the graph, counted from 0, add channels of zeros: their sets, before and after."""
    free: Tensor
    """(count,) bool: whether a set may go at all."""
    held: Mapping[str, str]
    """Layers with rows that must stay, and why."""


def channels_of(network: nn.Module, shape: tuple[int, int, int]) -> ChannelSets:
    """The channel graph of a network for images of `shape` (C, H, W). It runs once, on meta tensors if they are large.

    The rows of the output layer, the columns of the input, and whatever a grouped convolution reads or writes are
    held. Raises MethodError for a network that cannot be traced, and for an operation that is not known.
    """
    _refuse_shared(network)
    device = "meta" if max(shape[1:]) >= LARGE else "cpu"
    walk = _Walk(traced(copy.deepcopy(network).to(device, torch.float32).eval()))
    try:
        walk.run(torch.zeros((1, *shape), device=device))
    except MethodError:
        raise
    except BaseException as error:  # whatever a network's own code raises
        ctrl_c.pass_on(error)
        raise MethodError(f"the network cannot be followed on an image of {shape}: {error}") from error
    return walk.found()


def _refuse_shared(network: nn.Module) -> None:
    """Raise MethodError, with the names, for a parameter or a layer that the network has under several names."""
    names: dict[nn.Parameter, list[str]] = {}
    for name, parameter in network.named_parameters(remove_duplicate=False):
        names.setdefault(parameter, []).append(name)
    if shared := next((several for several in names.values() if len(several) > 1), None):
        raise MethodError(
            f"{' and '.join(shared)} are one parameter, and its channels in one place cannot be distinguished from "
            'those in another; prune such a network by structure = "weights"'
        )


class _Walk(fx.Interpreter):
    """One run of the graph. Every tensor has a channel for each place of its second dimension."""

    def __init__(self, graph: fx.GraphModule) -> None:
        super().__init__(graph, garbage_collect_values=False)
        self.extra_traceback = False
        self.sets = Joined()
        self.ids: dict[fx.Node, Ids] = {}
        self.gates: dict[fx.Node, Ids] = {}
        """Tensors whose channels are not zero where the channels are pruned that they are computed from."""
        self.rows: dict[str, Ids] = {}
        self.columns: dict[str, Ids] = {}
        self.entries: dict[str, Ids] = {}
        self.statistics: dict[str, Ids] = {}
        self.pads: list[tuple[Ids, Ids]] = []  # all calls of pad; two empty lists where no channels are added
        self.stays: list[tuple[Ids, str]] = []

    def run_node(self, n: fx.Node) -> Any:
        """Run one operation, and follow its channels."""
        value = super().run_node(n)
        if n.op == "output":
            self.stays.append((self.given(n), OUTPUT))
        elif isinstance(value, Tensor):
            ids = self._follow(n, value)
            gate = n.op == "call_module" and isinstance(self.module.get_submodule(str(n.target)), GATES)
            (self.gates if gate else self.ids)[n] = ids
            if value.dim() < 2 or len(ids) != value.shape[1]:
                raise _unknown(n)
        return value

    def _follow(self, n: fx.Node, value: Tensor) -> Ids:
        if n.op == "placeholder":
            ids = self.sets.fresh(value.shape[1])
            self.stays.append((ids, INPUT))
            return ids
        if n.op == "call_module":
            return self._module(n, value)
        name = n.target if isinstance(n.target, str) else getattr(n.target, "__name__", "")
        if name in PASSING_CALLS:
            return self.given(n)
        if n.op == "get_attr" or name not in CALLS:
            raise _unknown(n)
        return CALLS[name](self, n, value)

    def given(self, n: fx.Node, place: int = 0) -> Ids:
        """The channels of an argument, which must be a tensor of the network."""
        argument = n.args[place] if len(n.args) > place else None
        if isinstance(argument, fx.Node) and argument in self.gates:
            kind = type(self.module.get_submodule(str(argument.target))).__name__
            raise MethodError(
                f"{argument.target} ({kind}) makes no zeros of zeros: what it gives can multiply channels, "
                f"and {n.target} does something else"
            )
        if not isinstance(argument, fx.Node) or argument not in self.ids:
            raise _unknown(n)
        return self.ids[argument]

    def value(self, n: fx.Node, place: int = 0) -> Tensor:
        """That argument itself."""
        value: Tensor = self.env[n.args[place]]  # type: ignore[index]  # `given` has seen that it is a node
        return value

    def _module(self, n: fx.Node, value: Tensor) -> Ids:
        name, given = str(n.target), self.given(n)
        module = self.module.get_submodule(name)
        if isinstance(module, LAYERS):
            if isinstance(module, nn.Linear) and value.dim() != 2:
                raise MethodError(f"{name} is a linear layer along an image or a sequence: its channels are not known")
            return self._layer(f"{name}.weight", module, given)
        if is_batch_norm(module):
            return self._norm(name, module, given)
        if isinstance(module, nn.Flatten):
            return _flatten(self, n, value)
        if not isinstance(module, (*PASSING, *GATES)):
            raise MethodError(f"what {name} ({type(module).__name__}) does to channels is not known")
        return given

    def _layer(self, weight: str, module: nn.Module, given: Ids) -> Ids:
        outputs, groups = int(module.weight.shape[0]), getattr(module, "groups", 1)  # type: ignore[index]
        depthwise = groups > 1 and groups == outputs == len(given)
        if weight in self.rows:  # called before: the same rows and columns
            self.sets.join(self.rows[weight] if depthwise else self.columns.get(weight, given), given)
            return self.rows[weight]
        made = given if depthwise else self.sets.fresh(outputs)
        if groups == 1:
            self.columns[weight] = given
        elif not depthwise:
            self.stays += [(ids, "it reads or writes a grouped convolution") for ids in (given, made)]
        self.rows[weight] = made
        if module.bias is not None:
            self.entries[f"{weight.removesuffix('weight')}bias"] = made
        return made

    def _norm(self, name: str, module: nn.Module, given: Ids) -> Ids:
        if not getattr(module, "affine", False):
            self.stays.append((given, f"{name} is a BatchNorm without scale, which cannot be zero"))
        before = self.statistics.get(name)
        if before is not None:
            self.sets.join(before, given)
        self.statistics[name] = given
        return given

    def found(self) -> ChannelSets:
        """The channels as sets, numbered in the order of the graph."""
        number: dict[int, int] = {}

        def numbered(ids: Ids) -> Tensor:
            return torch.tensor(
                [number.setdefault(self.sets.root(channel), len(number)) for channel in ids], dtype=torch.long
            )

        rows = {name: numbered(ids) for name, ids in self.rows.items()}
        columns = {name: numbered(ids) for name, ids in self.columns.items()}
        norms = {name: numbered(ids) for name, ids in self.statistics.items()}
        entries = {name: numbered(ids) for name, ids in self.entries.items()}
        pads = {
            at: (numbered(before), numbered(after)) for at, (before, after) in enumerate(self.pads) if before or after
        }
        why = {kept: reason for ids, reason in reversed(self.stays) for kept in numbered(ids).tolist()}
        free = torch.zeros(len(number), dtype=torch.bool)
        for made in rows.values():
            free[made] = True
        free[list(why)] = False
        held = {name: [why[kept] for kept in made.tolist() if kept in why] for name, made in rows.items()}
        parameters, buffers = dict(self.module.named_parameters()), dict(self.module.named_buffers())
        scales = {f"{name}.{kind}": ids for name, ids in norms.items() for kind in ("weight", "bias")}
        statistics = {f"{name}.running_{kind}": ids for name, ids in norms.items() for kind in ("mean", "var")}
        return ChannelSets(
            count=len(number),
            rows=rows,
            columns=columns,
            entries=entries | {name: ids for name, ids in scales.items() if name in parameters},
            statistics={name: ids for name, ids in statistics.items() if name in buffers},
            pads=pads,
            free=free,
            held={name.removesuffix(".weight"): reasons[0] for name, reasons in held.items() if reasons},
        )


def _unknown(n: fx.Node) -> MethodError:
    """What is not known, and the layer in whose code it is, or, in the network's own code, the last one before it."""
    stack = [path for path, _ in n.meta.get("nn_module_stack", {}).values() if path]
    before = last_layer(n)
    where = f" in layer {stack[-1]}" if stack else f" after layer {before}" if before else ""
    function = getattr(n.target, "__name__", str(n.target))
    inputs = ", ".join(map(str, n.all_input_nodes))
    return MethodError(f"what {function}({inputs}){where} does to channels is not known")


def _flatten(walk: _Walk, n: fx.Node, value: Tensor) -> Ids:
    """(N, C, H, W) → (N, C · H · W): a feature for each pixel of a channel."""
    given, before = walk.given(n), walk.value(n)
    if value.dim() != 2 or value.shape[0] != before.shape[0]:
        raise _unknown(n)
    return [channel for channel in given for _ in range(value.shape[1] // len(given))]


def _view(walk: _Walk, n: fx.Node, value: Tensor) -> Ids:
    """A flatten, if the number of features is left open."""
    if len(n.args) != 3 or n.args[-1] != -1:
        raise _unknown(n)
    return _flatten(walk, n, value)


def _add(walk: _Walk, n: fx.Node, value: Tensor) -> Ids:
    """What is added is tied."""
    given, other = walk.given(n), walk.given(n, 1)
    if walk.value(n).shape != walk.value(n, 1).shape:
        raise _unknown(n)
    walk.sets.join(given, other)
    return given


def _multiply(walk: _Walk, n: fx.Node, value: Tensor) -> Ids:
    """Channels times their gates (squeeze-and-excitation): zeros stay zeros, and a gate goes with its channel."""
    gates = [place for place in (0, 1) if len(n.args) == 2 and n.args[place] in walk.gates]
    if len(gates) != 1:
        raise _unknown(n)
    gate, given = walk.gates[n.args[gates[0]]], walk.given(n, 1 - gates[0])  # type: ignore[index]  # a node: just seen
    if len(gate) != len(given):
        raise _unknown(n)
    walk.sets.join(given, gate)
    return given


def _concatenate(walk: _Walk, n: fx.Node, value: Tensor) -> Ids:
    dim = n.kwargs.get("dim", n.args[1] if len(n.args) > 1 else 0)
    parts = n.args[0]
    known = isinstance(parts, list | tuple) and all(isinstance(part, fx.Node) and part in walk.ids for part in parts)
    if not known or not isinstance(dim, int) or dim % value.dim() != 1:
        raise _unknown(n)
    return [channel for part in parts for channel in walk.ids[part]]  # type: ignore[union-attr, index]  # just seen


def _mean(walk: _Walk, n: fx.Node, value: Tensor) -> Ids:
    """Over places only."""
    dims = n.kwargs.get("dim", n.args[1] if len(n.args) > 1 else None)
    rank = walk.value(n).dim()
    places = dims if isinstance(dims, list | tuple) else (dims,)
    if not all(isinstance(dim, int) and dim % rank > 1 for dim in places):
        raise _unknown(n)
    return walk.given(n)


def _slice(walk: _Walk, n: fx.Node, value: Tensor) -> Ids:
    """All images and channels, some places."""
    index = n.args[1]
    if not isinstance(index, tuple) or any(part != slice(None) for part in index[:2]):
        raise _unknown(n)
    return walk.given(n)


def _pad(walk: _Walk, n: fx.Node, value: Tensor) -> Ids:
    """Zeros around places leave the channels alone; zeros before and after the channels are new ones."""
    given, amounts, pairs = walk.given(n), padding(n), value.dim() - 1
    if len(amounts) > 2 * pairs or n.kwargs.get("value") or n.kwargs.get("mode", "constant") != "constant":
        raise _unknown(n)
    before, after = amounts[-2:] if len(amounts) == 2 * pairs else (0, 0)
    walk.pads.append((walk.sets.fresh(before), walk.sets.fresh(after)))
    return [*walk.pads[-1][0], *given, *walk.pads[-1][1]]


def padding(n: fx.Node) -> list[int]:
    """The amounts of a call of `nn.functional.pad`: the last dimension first, before and after, the channels last."""
    amounts = n.args[1] if len(n.args) == 2 else None
    if not isinstance(amounts, list | tuple):
        raise _unknown(n)
    known = [amount for amount in amounts if isinstance(amount, int) and amount >= 0]
    if len(known) != len(amounts):
        raise _unknown(n)
    return known


CALLS: Mapping[str, Callable[[_Walk, fx.Node, Tensor], Ids]] = {
    "add": _add,
    "add_": _add,
    "iadd": _add,
    "cat": _concatenate,
    "concat": _concatenate,
    "flatten": _flatten,
    "getitem": _slice,
    "mean": _mean,
    "mul": _multiply,
    "pad": _pad,
    "reshape": _view,
    "view": _view,
}
"""Functions and methods by name, and what they do to channels."""
