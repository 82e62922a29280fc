"""What a class must have to be an entry of its catalogue: class variables without a default, and methods."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from prunectl.catalog.entry import Entry

Method = TypeVar("Method", bound=Callable[..., Any])


def required(method: Method) -> Method:
    """Mark a method that every entry of a catalogue overrides.

    `abc.abstractmethod` would make the class of the catalogue abstract, and mypy refuses that as a `type[T]`.
    """
    method.__dict__["required"] = True
    return method


def lacking(found: type[Entry], kind: type[Entry]) -> list[str]:
    """What a class lacks of what `kind`, the class of its catalogue, requires: names, those of methods with '()'."""
    variables = {name for name in kind.__class_vars__ if not hasattr(found, name) and name not in found.model_fields}
    methods = {name for parent in kind.__mro__ for name, value in vars(parent).items() if _is_required(value)}
    left = {name for name in methods if _is_required(getattr(found, name))} | found.__abstractmethods__
    dispensable = found.dispensable()
    return [*sorted(variables - dispensable), *(f"{name}()" for name in sorted(left - dispensable))]


def _is_required(value: Any) -> bool:
    return callable(value) and "required" in getattr(value, "__dict__", {})
