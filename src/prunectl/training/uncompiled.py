"""torch's optimizers without torch's compiler.

Their methods import it (three seconds in a new process) only to keep it away from themselves. prunectl never compiles.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    import torch

T = TypeVar("T", bound="torch.optim.Optimizer")

METHODS = ("add_param_group", "load_state_dict", "state_dict", "zero_grad")
"""Methods that torch wraps to keep its compiler away, besides `step`."""


def uncompiled(kind: type[T]) -> type[T]:
    """The same optimizer with the same arithmetic: a subclass whose methods never import torch's compiler."""
    if kind not in _SUBCLASSES:
        _SUBCLASSES[kind] = _subclass(kind)
    return cast("type[T]", _SUBCLASSES[kind])


_SUBCLASSES: dict[type[torch.optim.Optimizer], type[torch.optim.Optimizer]] = {}


def _subclass(kind: type[torch.optim.Optimizer]) -> type[torch.optim.Optimizer]:
    import torch

    methods: dict[str, Any] = {name: inspect.unwrap(getattr(kind, name)) for name in METHODS}
    step = torch.no_grad()(inspect.unwrap(kind.step))
    return type(kind.__name__, (kind,), {**methods, "step": step, "__doc__": kind.__doc__})
