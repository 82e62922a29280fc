"""What every network declares without torch, and how it is built."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self, get_type_hints

from pydantic import create_model

from prunectl.catalog.entry import Entry
from prunectl.catalog.required import required

if TYPE_CHECKING:
    from torch import nn


class Model(Entry):
    """A network for image classification. Its parameters are the options in which papers differ."""

    smallest: ClassVar[int] = 1
    """The least height and width of an image that the network can take."""

    usual_init: ClassVar[str] = "kaiming-normal"
    """How its weights are drawn where a study does not set it: "own" as its own code does."""
    has_pretrained: ClassVar[bool] = False
    """Whether a study may ask for `init = "pretrained"`."""
    file_defaults = {"usual_init": "own"}

    @classmethod
    def adapted(cls, found: Any) -> type[Self] | None:
        """The entry of a class, or function, that takes `shape` and `classes`; its other arguments are parameters.

        Raises ValueError for arguments that no study could give.
        """
        return _of_callable(cls, found) if callable(found) else None

    def pretrained_file(self) -> Path:
        """Where its pretrained weights are on this machine. Raises PrunectlError; only where `has_pretrained`."""
        raise NotImplementedError

    def load_pretrained(self, shape: tuple[int, int, int], classes: int, file: Path) -> nn.Module:
        """The network as `build` gives it, with the weights of that file; only where `has_pretrained`."""
        raise NotImplementedError

    @classmethod
    def dispensable(cls) -> frozenset[str]:
        """`_network`, where `build` is overridden."""
        return frozenset() if cls.build is Model.build else frozenset({"_network"})

    def refusal(self, shape: tuple[int, int, int]) -> str | None:
        """Why the network cannot take images of `shape` (C, H, W), or None if it can. Needs no torch."""
        if min(shape[1:]) >= self.smallest:
            return None
        return f"{self.name} needs images of at least {self.smallest}x{self.smallest} pixels, not {shape[1]}x{shape[2]}"

    def build(self, shape: tuple[int, int, int], classes: int) -> nn.Module:
        """The network for images of `shape` (C, H, W), giving `classes` logits; its weights are drawn elsewhere.

        Activations and pooling are modules, not functions, and none works in place: measures of connectivity
        replace them by type. The layer that gives the logits is called `head`, so that a study can exclude it.
        Raises ValueError where `refusal` gives a reason.
        """
        reason = self.refusal(shape)
        if reason:
            raise ValueError(reason)
        return self._network(shape, classes)

    @required
    def _network(self, shape: tuple[int, int, int], classes: int) -> nn.Module:
        raise NotImplementedError


def _of_callable(base: type[Any], found: Any) -> type[Any]:
    """An entry whose parameters are the arguments of a class or function other than `shape` and `classes`."""
    arguments = dict(inspect.signature(found).parameters)
    if arguments.pop("shape", None) is None or arguments.pop("classes", None) is None:
        listed = ", ".join(inspect.signature(found).parameters) or "nothing"
        raise ValueError(f"it takes {listed}, and a network is a class or function that takes shape and classes")
    hints = get_type_hints(vars(found)["__init__"] if isinstance(found, type) else found)
    fields: dict[str, Any] = {}
    for name, argument in arguments.items():
        required = argument.default is inspect.Parameter.empty
        if argument.kind in (argument.VAR_POSITIONAL, argument.VAR_KEYWORD):
            continue
        kind = hints.get(name, None if required else type(argument.default))
        if kind is None:
            raise ValueError(f"its argument {name} has neither a type nor a default")
        fields[name] = (kind, ... if required else argument.default)
    entry: Any = create_model(found.__name__, __base__=base, **fields)

    def build(self: Any, shape: tuple[int, int, int], classes: int) -> nn.Module:
        network: nn.Module = found(shape=shape, classes=classes, **{name: getattr(self, name) for name in fields})
        return network

    entry.build = build
    made: type[Any] = entry
    return made
