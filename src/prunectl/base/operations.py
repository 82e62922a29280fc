"""The operations of a forward pass, in their order, as torch carries them out. torch is imported when called.

A module or function that is made of others is taken apart into them, however the network calls it: `nn.ReLU()`,
`F.relu(x)`, `torch.relu(x)` and `x.relu()` are one operation, `relu`. So whoever asks what a network does needs to
know a list of operations, and not of modules; what is not on the list is noticed.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from prunectl.base import ctrl_c

if TYPE_CHECKING:
    from torch import Tensor, nn


LEAVING = frozenset({"numpy", "tolist", "__array__", "__dlpack__"})
"""Methods of tensors that give their values to other code than torch's."""


class UncountedError(ValueError):
    """A count that is not known to be right, with the reason."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Operation:
    """One call of an operator, with the very tensors that it was given and that it returned."""

    function: Any
    """The operator, a torch.ops overload."""
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    output: Any

    @property
    def name(self) -> str:
        """The operator's name without its overload: "convolution", "relu_"."""
        return str(self.function.overloadpacket.__name__)

    @property
    def base(self) -> str:
        """The name without the underscore of operators that change their input in place."""
        return self.name if self.name.startswith("_") else self.name.rstrip("_")

    @property
    def inputs(self) -> list[Tensor]:
        """Every tensor among the arguments."""
        return [*tensors_in(self.args), *tensors_in(tuple(self.kwargs.values()))]

    @property
    def outputs(self) -> list[Tensor]:
        """Every tensor that was returned."""
        return list(tensors_in(self.output))

    @property
    def is_view(self) -> bool:
        """Whether the output is the memory of an input in another shape."""
        infos = [argument.alias_info for argument in self.function._schema.arguments]
        return any(info is not None and not info.is_write for info in infos) or self.name == "_unsafe_view"

    @property
    def changed(self) -> list[Tensor]:
        """The arguments that are changed in place."""
        schema = self.function._schema.arguments
        given = [
            *zip(schema, self.args, strict=False),
            *((a, self.kwargs[a.name]) for a in schema if a.name in self.kwargs),
        ]
        return [
            t for a, value in given if a.alias_info is not None and a.alias_info.is_write for t in tensors_in(value)
        ]


@dataclass(frozen=True, kw_only=True, eq=False)
class Recording:
    """The operations of one forward pass. Holding it keeps every tensor, so that none has the place of another."""

    parameters: Mapping[str, Tensor]
    """Those of the network that ran; a tied one has all its names."""
    image: Tensor
    operations: list[Operation]
    output: Any


def tensors_in(value: Any) -> Iterator[Tensor]:
    """Every tensor in nested lists, tuples and dicts."""
    from torch import Tensor

    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from tensors_in(item)
    elif isinstance(value, dict):
        yield from tensors_in(list(value.values()))


def storage_of(tensor: Tensor) -> int:
    """What tensors have in common that share memory."""
    return int(tensor.untyped_storage()._cdata)


LARGE = 224
"""Pixels a side from which nothing is computed: the network runs on the meta device, which takes 1 s to import."""


def record(
    network: nn.Module, shape: tuple[int, int, int], *, device: str = "cpu", whole: Collection[str] = ()
) -> Recording:
    """Run a copy of a network in evaluation on one image of ones, `shape` (C, H, W), and note every operation.

    Those named in `whole` are not taken apart. Nothing of the network or of the random state changes. Raises
    UncountedError if the network cannot run so.
    """
    import torch

    watch = _watching()(frozenset(whole))
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)  # or attention is one operation that nobody can look into
    try:
        with torch.inference_mode(), torch.random.fork_rng(devices=[]):  # without autograd, composites arrive whole
            twin = copy.deepcopy(network).to(device).eval()
            image = torch.ones((1, *shape), device=device)
            with _guarding()(twin), watch:
                output = twin(image)
    except (UncountedError, MemoryError):
        raise
    except BaseException as error:  # whatever a network's own code raises
        ctrl_c.pass_on(error)
        raise UncountedError(f"the network does not run on one image: {type(error).__name__}: {error}") from error
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
    parameters = dict(twin.named_parameters(remove_duplicate=False))
    return Recording(parameters=parameters, image=image, operations=watch.operations, output=output)


@cache
def _guarding() -> Any:
    """The class that notices activations which leave torch, where no operation can be noted."""
    from torch.overrides import TorchFunctionMode

    class _Guard(TorchFunctionMode):
        def __init__(self, network: nn.Module) -> None:
            super().__init__()
            self.constants = {id(tensor) for tensor in (*network.parameters(), *network.buffers())}

        def __torch_function__(
            self, func: Any, types: object, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
        ) -> Any:
            name = getattr(func, "__name__", "")
            if name in LEAVING and args and id(args[0]) not in self.constants:
                raise UncountedError(f"what becomes of an activation after {name}() is not known")
            return func(*args, **(kwargs or {}))

    return _Guard


@cache
def _watching() -> Any:
    """The class that notes operations while they run; its base class imports torch."""
    from torch.utils._python_dispatch import TorchDispatchMode

    class _Watch(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch's class hook has no types
        """Notes operations while they run."""

        def __init__(self, whole: frozenset[str]) -> None:
            super().__init__()  # type: ignore[no-untyped-call]
            self.whole = whole
            self.operations: list[Operation] = []

        @classmethod
        def _should_skip_dynamo(cls) -> bool:
            """Asked by torch, which would import all of its compiler (1.4 s) to keep it away from this mode."""
            return False

        def __torch_dispatch__(
            self, func: Any, types: object, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
        ) -> Any:
            kwargs = kwargs or {}
            if func.overloadpacket.__name__.rstrip("_") not in self.whole:
                with self:
                    output = func.decompose(*args, **kwargs)
                if output is not NotImplemented:
                    return output
            output = func(*args, **kwargs)
            self.operations.append(Operation(function=func, args=args, kwargs=kwargs, output=output))
            return output

    return _Watch
