"""What a catalogue holds: a method, network or data set, described so that it can be read without torch.

The fields of an entry are its parameters, with their types, ranges and defaults; its class variables are what
the study and the planner must know of it. The work itself is a method that imports torch when it is called.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Self

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from prunectl.base.cells import cell, words
from prunectl.base.keys import canonical
from prunectl.catalog.code import code_of
from prunectl.catalog.strict_table import StrictTable
from prunectl.catalog.written_keys import written_keys

CODE = "code-sha256"
"""Where a pre-image has the digest of a third party's code. No parameter can have this name."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Absent:
    """Marks a parameter added after release, `Annotated[T, Absent(value=V)]`: V is what older entries meant.

    Where the parameter is V it is left out of the pre-image, so that no existing key changes. V never changes
    afterwards, even if the default does.
    """

    value: Any


class Entry(StrictTable):
    """One entry of a catalogue with its parameters chosen. Frozen, hashable, comparable."""

    name: ClassVar[str]
    """The name in the catalogue, as study files write it."""
    summary: ClassVar[str]
    """One line for `prunectl list`."""
    version: ClassVar[int] = 1
    """Raised when the same parameters come to mean another result; part of every key."""

    in_keys: ClassVar[str | None] = None
    """The name in keys, where that is not `name`: the path of a file is no part of what is in it."""
    file_defaults: ClassVar[Mapping[str, Any]] = {}
    """Class variables that a class in a file of the study need not have, with what they are then."""

    @classmethod
    def adapted(cls, found: Any) -> type[Self] | None:
        """The entry class made of something in a file that is no entry, or None if there is no such way."""
        return None

    @classmethod
    def dispensable(cls) -> frozenset[str]:
        """What this class can do without, of what its catalogue requires, because of what else it has."""
        return frozenset()

    def preimage(self) -> dict[str, Any]:
        """What distinguishes this entry from every other: name, version and every parameter, defaults included.

        That of a third party's class has a digest of its code. Raises NoSourceError if its source cannot be read.
        """
        return self._preimage

    @cached_property
    def _preimage(self) -> dict[str, Any]:
        preimage: dict[str, Any] = {"name": self.in_keys or self.name, "version": self.version}
        if (code := code_of(type(self))) is not None:
            preimage[CODE] = code
        keys = written_keys(type(self))
        for key, value in self._dumped(preimage_of).items():
            marks = [mark for mark in type(self).model_fields[keys[key]].metadata if isinstance(mark, Absent)]
            if not any(canonical(value) == canonical(mark.value) for mark in marks):
                preimage[key] = value
        return preimage

    def __getstate__(self) -> dict[Any, Any]:
        """What is pickled: the parameters alone. A pre-image is made again, from the code of the process that reads."""
        state = super().__getstate__()
        parameters = {key: value for key, value in state["__dict__"].items() if key in type(self).model_fields}
        return {**state, "__dict__": parameters}

    def written(self) -> str | dict[str, Any]:
        """The entry as a study file writes it: the name alone, or a table with the parameters that were changed."""
        changed = self.changed()
        return {"name": self.name, **changed} if changed else self.name

    def changed(self) -> dict[str, Any]:
        """The parameters that are not at their defaults, as a study file writes them."""
        return dict(self._changed)

    @cached_property
    def _changed(self) -> dict[str, Any]:
        usual = type(self).usual()
        return {key: value for key, value in self._parameters.items() if value != usual.get(key)}

    @classmethod
    def usual(cls) -> dict[str, Any]:
        """The defaults of the parameters that need not be given, as a study file writes them; None for no value."""
        required = {key for key, name in written_keys(cls).items() if cls.model_fields[name].is_required()}
        return cls.model_construct()._dumped(written, required)

    def parameters(self) -> dict[str, Any]:
        """Every parameter that has a value, defaults included, as a study file writes it."""
        return dict(self._parameters)

    @cached_property
    def _parameters(self) -> dict[str, Any]:
        return {key: value for key, value in self._dumped(written).items() if value is not None}

    def _dumped(self, inner: Callable[[Any], Any], without: Collection[str] = ()) -> dict[str, Any]:
        """The parameters in plain values. pydantic would dump an entry in a parameter as its declared class, empty."""
        names = {key: name for key, name in written_keys(type(self)).items() if key not in without}
        values = {key: getattr(self, name) for key, name in names.items()}
        nested = {key for key, value in values.items() if _holds_models(value)}
        plain = self.model_dump(mode="json", include={names[key] for key in names if key not in nested}, by_alias=True)
        return {key: inner(value) if key in nested else plain[key] for key, value in values.items()}

    def label(self) -> str:
        """For people: the name, with the parameters that were changed: `snip(samples_per_class=1)`."""
        return self._label

    @cached_property
    def _label(self) -> str:
        return words(cell(self.written()))


def preimage_of(value: Any) -> Any:
    """A parameter as it enters a key: entries by their own pre-image at any depth, tables without their nulls."""
    if isinstance(value, Entry):
        return value.preimage()
    if isinstance(value, BaseModel):
        return {key: preimage_of(item) for key, item in value if item is not None}
    return _mapped(value, preimage_of)


def written(value: Any) -> Any:
    """A value as a study file writes it, in plain strings, numbers, lists and dicts. None has no way to be written.

    A table is written without the keys that are at their defaults.
    """
    if isinstance(value, Entry):
        return value.written()
    if isinstance(value, BaseModel):
        fields = type(value).model_fields
        return {key: written(item) for key, item in value if item is not None and not _at_default(fields[key], item)}
    return _mapped(value, written)


def _at_default(field: FieldInfo, value: Any) -> bool:
    return not field.is_required() and bool(value == field.get_default(call_default_factory=True))


def _mapped(value: Any, inner: Callable[[Any], Any]) -> Any:
    if isinstance(value, dict):
        return {key: inner(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [inner(item) for item in value]
    return value


def _holds_models(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_holds_models, value.values()))
    if isinstance(value, tuple | list):
        return any(map(_holds_models, value))
    return isinstance(value, BaseModel)
