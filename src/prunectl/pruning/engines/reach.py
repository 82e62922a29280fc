"""How each operation passes on what depends on the input: 1 where a number does, 0 where none does.

Each rule is a sum of products of such ones and zeros, so that autograd runs the same question backwards: which
numbers does the output depend on? What a network computes with plays no part, only what is connected to what:

- An activation function or a normalisation passes each number on. (That a normalisation divides by statistics of
  other channels is no connection, or every weight before one would be on a path.)
- A sum or product of activations depends on what any of them depends on, and so does pooling, in its window.
- A product with weights connects by the weights that are kept. Weights that cannot be pruned connect everything,
  fixed tensors (buffers) where they are not zero. Biases begin no path.

Operations that are not here are not known: whoever needs one raises UncountedError.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from prunectl.base.operations import Operation, UncountedError, tensors_in


@dataclass(frozen=True, kw_only=True, eq=False)
class Given:
    """What is known of the tensors that an operation was given."""

    is_live: Callable[[Tensor], bool]
    """Whether it depends on the input anywhere."""
    reached: Callable[[Tensor], Tensor]
    """Where it does: ones and zeros in its shape; zeros for a constant."""
    factor: Callable[[Tensor], Tensor]
    """Where it lets something through as a factor: the same for activations; kept weights; all of what is learned."""


Rule = Callable[[Operation, Given], Tensor]


class Binary(torch.autograd.Function):
    """1 where a count is positive, forward and backward, so that no number of layers makes it vanish or overflow.

    Counts are whole numbers, or nearly: some kernels leave traces of rounding where the count is 0.
    """

    @staticmethod
    def forward(context: Any, counts: Tensor) -> Tensor:
        """Any shape."""
        return (counts > 0.5).to(counts.dtype)

    @staticmethod
    def backward(context: Any, counts: Tensor) -> Tensor:
        """The same shape."""
        return (counts > 0.5).to(counts.dtype)


def binary(counts: Tensor) -> Tensor:
    """`Binary` as a function."""
    result: Tensor = Binary.apply(counts)
    return result


def _named(operation: Operation) -> dict[str, Any]:
    """The arguments by name."""
    names = [argument.name for argument in operation.function._schema.arguments]
    return dict(zip(names, operation.args, strict=False)) | dict(operation.kwargs)


def unknown(operation: Operation) -> UncountedError:
    """The reason to give up."""
    return UncountedError(f"what the output of {operation.name} depends on is not known")


def _passing(operation: Operation, given: Given) -> Tensor:
    """Each number depends on the one at its place in the first argument, which alone may depend on the input."""
    first, *others = operation.inputs
    if any(map(given.is_live, others)):
        raise unknown(operation)
    return given.reached(first)


def _joining(operation: Operation, given: Given) -> Tensor:
    """Each number depends on those at its place in every argument, broadcast."""
    shape = operation.outputs[0].shape
    return sum((given.reached(t).expand(shape) for t in operation.inputs if given.is_live(t)), torch.zeros(shape))


def _multiplied(operation: Operation, given: Given) -> Tensor:
    """An activation times a constant is gone where that is 0; a product of two activations depends on both."""
    if len(operation.inputs) == 1 or all(map(given.is_live, operation.inputs)):
        return _joining(operation, given)
    a, b = map(given.factor, operation.inputs)
    return a * b


def _chosen(operation: Operation, given: Given) -> Tensor:
    """Where the condition depends on the input, so does the choice."""
    condition = _named(operation)["condition"]
    if not given.is_live(condition):
        raise unknown(operation)
    return _joining(operation, given)


def _matrices(operation: Operation, given: Given) -> Tensor:
    """Matrix products with weights; what is added to one is a sum as any other."""
    *added, a, b = tensors_in(operation.args)
    if given.is_live(a) and given.is_live(b):
        raise unknown(operation)  # such as attention, whose weights sum to one
    product = given.factor(a) @ given.factor(b)
    return sum((given.reached(t).expand(product.shape) for t in added if given.is_live(t)), product)


def _convolution(operation: Operation, given: Given) -> Tensor:
    images, weight, bias = operation.args[:3]
    live = [tensor for tensor in (images, weight, bias) if tensor is not None and given.is_live(tensor)]
    if len(live) != 1 or live[0] is bias:
        raise unknown(operation)
    product: Tensor = operation.function(given.factor(images), given.factor(weight), None, *operation.args[3:])
    return product


def _axes(operation: Operation) -> int:
    """2 for "max_pool2d_with_indices"."""
    return int(operation.base.partition("_pool")[2][0])


def _spread(value: int | Sequence[int], axes: int) -> list[int]:
    """A size for each axis."""
    sizes = [value] if isinstance(value, int) else list(value)
    return sizes * (axes // len(sizes))


def _windows(operation: Operation, given: Given) -> Tensor:
    """Pooling of whatever kind: a number depends on its window."""
    named, output = _named(operation), operation.outputs[0]
    axes = _axes(operation)
    kernel = _spread(named["kernel_size"], axes)
    stride = _spread(named.get("stride") or kernel, axes)
    padding, dilation = _spread(named.get("padding", 0), axes), _spread(named.get("dilation", 1), axes)
    reached = given.reached(operation.args[0])
    sides = reached.shape[-axes:]
    images = reached.reshape(-1, 1, *sides)
    amounts: list[int] = []
    for axis in reversed(range(axes)):
        end = (output.shape[axis - axes] - 1) * stride[axis] + dilation[axis] * (kernel[axis] - 1) + 1
        amounts += [padding[axis], max(0, end - padding[axis] - sides[axis])]
    convolve = (functional.conv1d, functional.conv2d, functional.conv3d)[axes - 1]
    sums = convolve(functional.pad(images, amounts), torch.ones(1, 1, *kernel), stride=stride, dilation=dilation)
    for axis in range(-axes, 0):
        sums = sums.narrow(axis, 0, output.shape[axis])
    return sums.reshape(output.shape)


def _adaptive(operation: Operation, given: Given) -> Tensor:
    """Pooling to a size: means over the same windows, as counts."""
    axes = _axes(operation)
    pool = (functional.adaptive_avg_pool1d, functional.adaptive_avg_pool2d, functional.adaptive_avg_pool3d)[axes - 1]
    reached = given.reached(operation.args[0])
    size: Any = operation.outputs[0].shape[-axes:]
    return pool(reached, size) * prod(reached.shape[-axes:])


def _reduced(operation: Operation, given: Given) -> Tensor:
    """A sum, mean, maximum, norm or variance over some axes."""
    named = _named(operation)
    if "other" in named:  # the maximum of two tensors
        return _joining(operation, given)
    reached, axes = given.reached(operation.args[0]), named.get("dim")
    if axes is None or axes == []:
        axes = list(range(reached.dim()))
    return reached.sum(axes, keepdim=bool(named.get("keepdim", False)))


def _normalised(operation: Operation, given: Given) -> Tensor:
    """Softmax: each number depends on all along the axis."""
    reached = given.reached(operation.args[0])
    return reached.sum(operation.args[1], keepdim=True).expand_as(reached)


def _gated(operation: Operation, given: Given) -> Tensor:
    axis = operation.args[1] if len(operation.args) > 1 else -1
    first, second = given.reached(operation.args[0]).chunk(2, axis)
    return first + second


def _moved(operation: Operation, given: Given) -> Tensor:
    """Numbers are put elsewhere, or added up, as they are: the operation itself, on zeros and ones."""
    moved: Tensor = operation.function(
        *(_ones(value, operation, given) for value in operation.args),
        **{name: _ones(value, operation, given) for name, value in operation.kwargs.items()},
    )
    return moved


def _ones(value: Any, operation: Operation, given: Given) -> Any:
    if isinstance(value, list | tuple):
        return [_ones(item, operation, given) for item in value]
    if not isinstance(value, Tensor):
        return value
    if value.is_floating_point():
        return given.reached(value)
    if given.is_live(value):
        raise unknown(operation)
    return value.clone()


def _padded(operation: Operation, given: Given) -> Tensor:
    """The padding is a constant."""
    return functional.pad(given.reached(operation.args[0]), operation.args[1])


def _copied(operation: Operation, given: Given) -> Tensor:
    return given.reached(operation.args[1]).expand(operation.outputs[0].shape).clone()


def _filled(operation: Operation, given: Given) -> Tensor:
    if any(map(given.is_live, operation.inputs[1:])):
        raise unknown(operation)
    return torch.zeros(operation.outputs[0].shape)


RULES: Mapping[str, Rule] = {
    **dict.fromkeys((
        "relu", "relu6", "hardtanh", "leaky_relu", "rrelu", "rrelu_with_noise", "prelu", "_prelu_kernel", "elu", "selu",
        "celu", "gelu", "silu", "mish", "hardswish", "hardsigmoid", "softplus", "tanh", "sigmoid", "log_sigmoid",
        "log_sigmoid_forward", "hardshrink", "softshrink", "tanhshrink", "threshold", "logit", "abs", "neg", "exp",
        "exp2", "expm1", "log", "log1p", "log2", "log10", "sqrt", "rsqrt", "reciprocal", "square", "sin", "cos", "tan",
        "asin", "acos", "atan", "sinh", "cosh", "asinh", "acosh", "atanh", "erf", "erfc", "sign", "sgn", "round",
        "floor", "ceil", "trunc", "frac", "nan_to_num", "dropout", "alpha_dropout", "feature_dropout",
        "feature_alpha_dropout", "native_dropout", "clone", "_to_copy", "detach", "lift_fresh",
        "batch_norm", "instance_norm", "layer_norm", "group_norm", "rms_norm", "native_batch_norm",
        "native_layer_norm", "native_group_norm",
    ), _passing),
    **dict.fromkeys((
        "add", "sub", "rsub", "div", "maximum", "minimum", "fmax", "fmin", "pow", "atan2", "hypot", "addcmul",
        "addcdiv", "lerp", "clamp", "clamp_min", "clamp_max", "gt", "ge", "lt", "le", "eq", "ne", "logical_and",
        "logical_or", "logical_not",
    ), _joining),
    **dict.fromkeys(("mm", "addmm", "bmm", "baddbmm", "mv", "addmv", "dot"), _matrices),
    **{f"{kind}_pool{axes}d{end}": _windows
       for kind, end in (("max", ""), ("max", "_with_indices"), ("avg", "")) for axes in (1, 2, 3)},
    **{f"adaptive_{kind}_pool{axes}d": _adaptive for kind in ("max", "avg") for axes in (1, 2, 3)},
    **dict.fromkeys((
        "mean", "sum", "amax", "amin", "max", "min", "var", "std", "logsumexp", "linalg_vector_norm", "prod",
    ), _reduced),
    **dict.fromkeys(("softmax", "_softmax", "log_softmax", "_log_softmax"), _normalised),
    **dict.fromkeys((
        "cat", "stack", "flip", "roll", "repeat", "reflection_pad1d", "reflection_pad2d", "reflection_pad3d",
        "replication_pad1d", "replication_pad2d", "replication_pad3d", "pixel_shuffle", "pixel_unshuffle",
        "channel_shuffle", "im2col", "col2im", "tril", "triu", "index_select", "gather", "index", "cumsum",
        "upsample_nearest1d", "upsample_nearest2d", "upsample_nearest3d",
    ), _moved),
    "mul": _multiplied, "where": _chosen, "convolution": _convolution, "glu": _gated, "constant_pad_nd": _padded,
    "copy": _copied, "fill": _filled, "zero": _filled,
}  # fmt: skip
"""Operations by name, without the underscore of those in place. A recording takes none of these apart."""
