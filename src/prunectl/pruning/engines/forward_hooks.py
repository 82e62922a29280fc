"""Looking on while a network runs: which layers are called with what, and which activation functions.

Nothing is traced or rewritten: what is seen is the graph that the network really follows, whatever its code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

ACTIVATIONS = frozenset({
    "relu", "relu6", "hardtanh", "tanh", "sigmoid", "logsigmoid", "hardsigmoid", "gelu", "silu", "mish", "hardswish",
    "leaky_relu", "prelu", "elu", "selu", "celu", "softplus", "softsign", "tanhshrink", "hardshrink", "softshrink",
    "threshold", "softmax", "log_softmax",
})  # fmt: skip
"""Activation functions by the name of the torch function, in whatever way they are called."""

Hook = Callable[[nn.Module, tuple[Any, ...], Any], Any]


@contextmanager
def hooked(hooks: Mapping[nn.Module, Hook]) -> Iterator[None]:
    """Call a function after each call of a module; what it returns, if anything, takes the place of the output."""
    with ExitStack() as stack:
        for module, hook in hooks.items():
            handle = module.register_forward_hook(hook)
            stack.callback(handle.remove)
        yield


class OnActivation(TorchFunctionMode):
    """Calls `replace` in place of every activation function, with the function, its input and its other arguments."""

    def __init__(self, replace: Callable[[Callable[..., Tensor], Tensor, tuple[Any, ...], dict[str, Any]], Tensor]):
        super().__init__()
        self.replace = replace

    def __torch_function__(
        self, func: Any, types: object, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if getattr(func, "__name__", "").rstrip("_") in ACTIVATIONS and args and isinstance(args[0], Tensor):
            return self.replace(func, args[0], args[1:], kwargs or {})
        return func(*args, **(kwargs or {}))
