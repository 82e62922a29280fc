"""Networks that libraries build by name: what those of torchvision and of timm have in common. No torch here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from pydantic import Field, field_validator

from prunectl.catalog.model import Model

if TYPE_CHECKING:
    from torch import nn

Option = bool | int | float | str
SLASH = "/"
"""In the names of classes in the place of a dot, which pickle would take for an attribute."""


class LibraryNetwork(Model):
    """A network that a library builds by its name. It draws its own weights unless a study asks otherwise."""

    usual_init = "own"
    has_pretrained = True
    network: ClassVar[str] = ""
    """The library's name for it."""
    reserved: ClassVar[Mapping[str, str]] = {}
    """Arguments of the library's function that are no options, because a study gives them in another way: how."""

    options: dict[str, Option] = Field(
        default={}, description="arguments of the library's own function, such as { depth = 2 }"
    )

    @field_validator("options")
    @classmethod
    def _are_options(cls, options: dict[str, Option]) -> dict[str, Option]:
        for name in options:
            if name in cls.reserved:
                raise ValueError(f"{name} is not an option here: {cls.reserved[name]}")
        return options

    def load_pretrained(self, shape: tuple[int, int, int], classes: int, file: Path) -> nn.Module:
        """As the library loads a file of its own weights; a head for other classes is drawn again.

        Reads that file and no other, downloads nothing, and runs no code that the file holds. Raises WeightsError.
        """
        raise NotImplementedError


L = TypeVar("L", bound=LibraryNetwork)


def class_of(base: type[L], library: str, network: str) -> type[L]:
    """The entry class of one network of a library, whose name is part of the class as with every entry."""
    place = {"__module__": base.__module__, "__qualname__": SLASH + network.replace(".", SLASH)}
    metaclass: Any = type(base)
    made: type[L] = metaclass(network, (base,), {**place, "__doc__": base.__doc__})
    made.name, made.summary, made.network = f"{library}:{network}", f"{network} of {library}", network
    return made
