"""What a network costs to run: floating-point operations of its convolutions and matrix products."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from math import prod

import torch
from torch import Tensor, nn

from prunectl.base.operations import LARGE, Operation, Recording, UncountedError, record, storage_of, tensors_in

Places = tuple[int, tuple[int, ...], tuple[int, ...]]
"""Where in a storage the elements of a tensor lie: offset, size and strides."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Flops:
    """FLOPs of one image: two per multiply-add of convolutions, linear layers and products of activations."""

    dense: int
    """Of the dense network."""
    uses: Mapping[tuple[str, ...], Uses]
    """Names of a weight (a tied one has several) → how often its elements are multiplied."""
    doubt: str | None = None
    """Why the share of pruned weights is not known, if it is not."""

    def pruned(self, masks: Mapping[str, Tensor]) -> float:
        """What is left under masks (True keeps): a pruned weight saves its share.

        Raises UncountedError where the share of the weights is not known.
        """
        if self.doubt is not None:
            raise UncountedError(self.doubt)
        saved = 0.0
        for names, uses in self.uses.items():
            shared = [masks[name].cpu() for name in names if name in masks]
            if shared:
                saved += uses.saved(torch.stack(shared).all(0) if len(shared) > 1 else shared[0])
        return self.dense - saved


@dataclass(frozen=True, kw_only=True, eq=False)
class Uses:
    """How often the elements of a weight are multiplied for one image."""

    whole: int
    """Each of them."""
    parts: Tensor | None
    """Each in addition, in the weight's shape, where some are used more than others; else None."""

    def saved(self, mask: Tensor) -> float:
        """The FLOPs that a mask saves."""
        saved = 2 * self.whole * mask.numel() * (1 - int(mask.sum()) / mask.numel())
        return saved if self.parts is None else saved + 2 * float(self.parts[~mask].sum())


def flops_of(network: nn.Module, shape: tuple[int, int, int], weights: Collection[str] = ()) -> Flops:
    """FLOPs of one image of `shape` (C, H, W), and the share of each of these weights, by name.

    Every call counts: of a layer that is called three times, of a function that is given a layer's weight, or a part
    of it. Biases, normalisation, pooling and activations cost nothing here. Raises UncountedError for an operation
    that may multiply weights in a way that is not known here.
    """
    try:
        return _Count(weights, _recorded(network, shape)).result()
    except (UncountedError, MemoryError):
        raise
    except Exception as error:  # a rule that does not fit how torch was called must not cost the measurement
        raise UncountedError(f"the operations of the network cannot be followed: {error}") from error


def _recorded(network: nn.Module, shape: tuple[int, int, int]) -> Recording:
    if max(shape[1:]) >= LARGE:
        try:
            return record(network, shape, device="meta")
        except UncountedError:  # a network that looks at values
            pass
    return record(network, shape)


@dataclass(frozen=True, kw_only=True, eq=False)
class Product:
    """The cost of one product."""

    flops: int
    factors: tuple[tuple[Tensor, int | None], ...]
    """What is multiplied, and how often each element of it; None where the elements differ in that."""


def _matrices(operation: Operation) -> Product:
    """Products of matrices, of batches of them, and with vectors; a summand before the two costs nothing."""
    a, b = [*tensors_in(operation.args)][-2:]
    columns = b.shape[-1] if b.dim() == a.dim() and b.dim() > 1 else 1
    rows = a.shape[-2] if a.dim() > 1 else 1
    return Product(flops=2 * a.numel() * columns, factors=((a, columns), (b, rows)))


def _convolution(operation: Operation) -> Product:
    """Each weight is used at every place of the output, in a transposed convolution at every place of the input."""
    images, weight, transposed = operation.args[0], operation.args[1], operation.args[6]
    looked_at = images if transposed else operation.outputs[0]
    places = looked_at.shape[0] * prod(looked_at.shape[2:])
    return Product(flops=2 * weight.numel() * places, factors=((images, None), (weight, places)))


def _attention(operation: Operation) -> Product:
    """Queries times keys, and that times values; a causal mask saves nothing."""
    query, key, value = operation.args[:3]
    pairs = query.numel() // query.shape[-1] * key.shape[-2]
    flops = 2 * pairs * (query.shape[-1] + value.shape[-1])
    return Product(flops=flops, factors=((query, None), (key, None), (value, None)))


PRODUCTS: Mapping[str, Callable[[Operation], Product]] = {
    **dict.fromkeys(("mm", "addmm", "bmm", "baddbmm", "addbmm", "mv", "addmv", "dot", "vdot"), _matrices),
    "convolution": _convolution,
    "_scaled_dot_product_flash_attention_for_cpu": _attention,
    "_scaled_dot_product_flash_attention": _attention,
    "_scaled_dot_product_efficient_attention": _attention,
    "_scaled_dot_product_cudnn_attention": _attention,
    "_scaled_dot_product_fused_attention_overrideable": _attention,
}
"""Operations that multiply, by name, and their cost."""

MULTIPLIES = frozenset({
    "mm", "bmm", "addmm", "matmul", "linear", "conv", "convolution", "rnn", "lstm", "gru", "attention", "trilinear",
    "cdist", "addr", "ger", "encoder",
})  # fmt: skip
"""Words in the names of operations that multiply; one without a cost above has no known cost."""

SAME_PLACES = frozenset({"clone", "_to_copy", "mul", "div", "neg", "abs", "lift_fresh"})
"""Operations after which what was zero is zero at the same place (`mul` and `div`: by what is no activation)."""

NO_VALUES = frozenset({
    "empty_like", "zeros_like", "ones_like", "full_like", "rand_like", "randn_like", "new_empty", "new_zeros",
    "new_ones", "new_full", "new_empty_strided",
})  # fmt: skip
"""Operations that look at no value of their input."""


@dataclass(eq=False)
class _Held:
    """A storage that holds weights, element for element: a parameter's, or a copy of it."""

    length: int
    whole: int = 0
    parts: Tensor | None = None
    sources: list[tuple[_Held, Places, Places]] = field(default_factory=list)
    """Where the elements of a copy come from: places there, places here."""

    def add(self, places: Places, uses: int | Tensor) -> None:
        """Count uses of the elements at these places, the same of all or a tensor of that size."""
        offset, size, stride = places
        repeated = [
            axis for axis, (length, step) in enumerate(zip(size, stride, strict=True)) if not step and length > 1
        ]
        if isinstance(uses, int) and not repeated and prod(size) == self.length:
            self.whole += uses
            return
        if isinstance(uses, int):
            uses = torch.full(size, float(uses), dtype=torch.float64)
        for axis in repeated:  # one element in several places
            uses = uses.sum(axis, keepdim=True)
        size = tuple(1 if axis in repeated else length for axis, length in enumerate(size))
        if self.parts is None:
            self.parts = torch.zeros(self.length, dtype=torch.float64)
        self.parts.as_strided(size, stride, offset).add_(uses)

    def give_back(self) -> None:
        """Count the uses of a copy as uses of what it was copied from."""
        for source, there, here in self.sources:
            if self.parts is None:
                source.add(there, self.whole)
            else:
                offset, size, stride = here
                source.add(there, self.parts.as_strided(size, stride, offset) + self.whole)


def _places(tensor: Tensor) -> Places:
    return int(tensor.storage_offset()), tuple(tensor.shape), tensor.stride()


def _held(tensor: Tensor) -> _Held:
    return _Held(length=tensor.untyped_storage().nbytes() // tensor.element_size())


class _Count:
    """Follows weights through the operations of a forward pass, by the memory that they lie in."""

    def __init__(self, weights: Collection[str], recording: Recording) -> None:
        self.recording = recording
        self.dense = 0
        self.doubt: str | None = None
        self.parameters: dict[int, tuple[Tensor, list[str]]] = {}
        self.counted: dict[int, _Held] = {}
        """Storages of parameters."""
        self.copies: list[_Held] = []
        self.held: dict[int, _Held] = {}
        """Storages that hold weights at this point."""
        self.opaque: dict[int, str] = {}
        """Storages computed from weights in another way, with the operation that did."""
        self.live = {storage_of(recording.image)}
        """Storages of activations."""
        for name in weights:
            parameter = recording.parameters[name]
            place = storage_of(parameter)
            self.parameters.setdefault(place, (parameter, []))[1].append(name)
            self.counted.setdefault(place, _held(parameter))
        self.held |= self.counted

    def result(self) -> Flops:
        """The counts. Raises UncountedError for an operation whose cost is not known."""
        for operation in self.recording.operations:
            cost = PRODUCTS.get(operation.base)
            if cost is not None:
                self._product(operation, cost(operation))
            elif operation.function.namespace not in ("aten", "prim", "prims") or MULTIPLIES & set(
                operation.base.split("_")
            ):
                raise UncountedError(f"the FLOPs of {operation.name} are not known")
            else:
                self._other(operation)
        for copied in reversed(self.copies):
            copied.give_back()
        return Flops(dense=self.dense, uses=self._uses(), doubt=self.doubt)

    def _product(self, operation: Operation, product: Product) -> None:
        """A product that uses weights gives them its uses; one of activations alone is dense."""
        self.dense += product.flops
        self._live(operation)
        factors = [(factor, uses) for factor, uses in product.factors if self._holds(factor)]
        if len(factors) > 1 or len([tensor for tensor in operation.inputs if self._holds(tensor)]) > len(factors):
            raise UncountedError(f"{operation.name} of {self._names(operation)} with each other")
        for factor, uses in factors:
            held = self.held.get(storage_of(factor))
            if held is None or uses is None:
                why = self.opaque.get(storage_of(factor), operation.name)
                self.doubt = self.doubt or f"{why} changes the weights before they are used"
            else:
                held.add(_places(factor), uses)

    def _other(self, operation: Operation) -> None:
        """Whatever is no product: activations stay that; weights must stay weights, or nobody knows their share."""
        weights = [tensor for tensor in operation.inputs if self._holds(tensor)]
        if any(storage_of(tensor) in self.live for tensor in operation.inputs):
            if weights:
                raise UncountedError(f"{operation.name} of activations and {self._names(operation)} is not known")
            self._live(operation)
        elif weights and operation.base not in NO_VALUES:
            self._prepared(operation)

    def _prepared(self, operation: Operation) -> None:
        """Weights before they are used: views of them share their memory, copies are followed, all else is opaque."""
        new = [out for out in operation.outputs if not self._holds(out)]
        sources = self._sources(operation)
        if sources is None:
            self.opaque |= {storage_of(tensor): operation.name for tensor in [*new, *operation.changed]}
            for tensor in operation.changed:
                self.held.pop(storage_of(tensor), None)
            return
        for out in new:
            self.held[storage_of(out)] = copied = _held(out)
            self.copies.append(copied)
            copied.sources = [
                (self.held[storage_of(source)], _places(source), _places(here)) for source, here in sources
            ]

    def _sources(self, operation: Operation) -> list[tuple[Tensor, Tensor]] | None:
        """Which weights lie where in the output, if each element is that of one weight; else None."""
        if operation.is_view:
            return []
        outputs, inputs = operation.outputs, operation.inputs
        if len(outputs) != 1 or any(storage_of(tensor) in self.opaque for tensor in inputs):
            return None
        if operation.base in ("cat", "stack"):
            axis = operation.args[1] if len(operation.args) > 1 else operation.kwargs.get("dim", 0)
            sizes = [tensor.shape[axis] for tensor in inputs] if operation.base == "cat" else [1] * len(inputs)
            pieces = list(torch.split(outputs[0], sizes, axis))
            if operation.base == "stack":
                pieces = [piece.squeeze(axis) for piece in pieces]
            return [(given, piece) for given, piece in zip(inputs, pieces, strict=True) if self._holds(given)]
        weights = [tensor for tensor in inputs if self._holds(tensor)]
        scales = weights[0] is inputs[0] or operation.base == "mul"  # what is divided by a weight is no weight
        same = operation.base in SAME_PLACES and len(weights) == 1 and weights[0].shape == outputs[0].shape
        return [(weights[0], outputs[0])] if same and scales else None

    def _live(self, operation: Operation) -> None:
        self.live.update(storage_of(tensor) for tensor in [*operation.outputs, *operation.changed])

    def _holds(self, tensor: Tensor) -> bool:
        """Whether a tensor holds weights, or was computed from them without activations."""
        return storage_of(tensor) in self.held or storage_of(tensor) in self.opaque

    def _names(self, operation: Operation) -> str:
        places = dict.fromkeys(storage_of(tensor) for tensor in operation.inputs)
        names = [name for place in places for name in self.parameters.get(place, (None, []))[1][:1]]
        return ", ".join(names) or "weights"

    def _uses(self) -> dict[tuple[str, ...], Uses]:
        uses = {}
        for place, (parameter, names) in self.parameters.items():
            held = self.counted[place]
            parts = held.parts
            if parts is not None:
                parts = parts.as_strided(parameter.size(), parameter.stride(), parameter.storage_offset())
            uses[tuple(names)] = Uses(whole=held.whole, parts=parts)
        return uses
