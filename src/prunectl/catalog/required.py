"""Methods that a class must define to be an entry of its catalogue."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

Method = TypeVar("Method", bound=Callable[..., Any])


def required(method: Method) -> Method:
    """Mark a method that every entry of a catalogue overrides.

    `abc.abstractmethod` would make the class of the catalogue abstract, and mypy refuses that as a `type[T]`.
    """
    method.__dict__["required"] = True
    return method


def is_required(value: Any) -> bool:
    """Whether a value is a method that was marked so."""
    return callable(value) and "required" in getattr(value, "__dict__", {})
