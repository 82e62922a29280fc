"""Identity: a key is the SHA-256 of a canonical JSON text, its pre-image.

Two values have the same key exactly if their pre-images are the same text. Tests pin literal digests.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import Field, fields, is_dataclass
from functools import cache
from operator import attrgetter
from typing import Any, Protocol, runtime_checkable


@runtime_checkable
class Keyed(Protocol):
    """A value that gives its own part of a pre-image, in plain JSON values: an entry of a catalogue."""

    def preimage(self) -> dict[str, Any]:
        """Equal exactly for values that mean the same."""
        ...


def canonical(value: Any) -> str:
    """One text per value: keys sorted, no white space, no NaN, non-ASCII written out."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=False, default=plain)


def plain(value: Any) -> dict[str, Any]:
    """The JSON default: an entry's pre-image, or the fields of a frozen record.

    A field added after release is declared with `field(metadata={"absent": V})`, where V is what older records
    meant; where its value is V it is left out, so that no existing key changes. V never changes afterwards.
    A field that follows from the others, which hold it in the key of a parent, is declared with
    `field(metadata={"implied": True})` and is never a part of the pre-image.
    """
    kind: type = type(value)
    if _is_keyed(kind):
        preimage: dict[str, Any] = value.preimage()
        return preimage
    if not is_dataclass(kind):
        raise TypeError(f"{kind.__name__} cannot be part of a key")
    values = {name: getattr(value, name) for name in _names(kind)}
    for name, absent in _grown(kind):
        if canonical(values[name]) == absent:  # the texts: 0, 0.0 and False are equal as values
            del values[name]
    return values


@cache  # looking for the methods of a protocol takes longer than writing the text
def _is_keyed(kind: type) -> bool:
    return issubclass(kind, Keyed)


@cache
def _fields(kind: type) -> tuple[Field[Any], ...]:
    return fields(kind)


@cache
def _names(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in _fields(kind) if not field.metadata.get("implied"))


@cache
def _grown(kind: type) -> tuple[tuple[str, str], ...]:
    """The fields that were added after release, each with the canonical text of what older records meant."""
    return tuple(
        (field.name, canonical(field.metadata["absent"])) for field in _fields(kind) if "absent" in field.metadata
    )


class Texts:
    """Canonical texts of values that many pre-images share: each is rendered once, and known by its identity.

    For values that do not change: frozen records, entries, tuples. They are kept, so that no identity is used twice.
    """

    def __init__(self) -> None:
        self._known: dict[int, tuple[object, str]] = {}

    def of(self, value: object) -> str:
        """What `canonical` gives."""
        if type(value) is str:
            return _QUOTED(value)
        if type(value) is int:
            return repr(value)
        known = self._known.get(id(value))
        if known is None:
            known = self._known[id(value)] = (value, canonical(value))
        return known[1]

    def record(self, value: object, head: tuple[tuple[str, str], ...]) -> str:
        """What `canonical` gives for a record's fields, together with or replaced by `head`: names and texts."""
        known, parts = self._known, []
        kind: type = type(value)
        outline, values_of = _outline(kind, head)
        given = iter(values_of(value))
        for name, fixed, absent in outline:  # a plan renders each field of each step: `of` is written out here
            if fixed is not None:
                parts.append(fixed)
                continue
            part = next(given)
            if type(part) is str:
                text = _QUOTED(part)
            elif (rendered := known.get(id(part))) is not None:
                text = rendered[1]
            else:
                text = self.of(part)
            if text != absent:
                parts.append(name + text)
        return "{" + ",".join(parts) + "}"


_QUOTED = json.encoder.encode_basestring
"""A text in JSON, non-ASCII written out."""

Outline = tuple[tuple[str, str | None, str | None], ...]
"""For each name in a pre-image, sorted: `"name":`, the same with its text if that is given, and its absent text."""


@cache
def _outline(kind: type, head: tuple[tuple[str, str], ...]) -> tuple[Outline, Callable[[object], tuple[object, ...]]]:
    """The outline of a record's pre-image, and what gives the values of its fields that `head` does not give."""
    absent, fixed = dict(_grown(kind)), dict(head)
    names = sorted({*_names(kind), *fixed})
    outline = tuple(
        (f'"{name}":', f'"{name}":{fixed[name]}' if name in fixed else None, absent.get(name)) for name in names
    )
    read = [name for name in names if name not in fixed]
    if len(read) < 2:  # attrgetter gives a single value then, not a tuple
        return outline, lambda value: tuple(getattr(value, name) for name in read)
    return outline, attrgetter(*read)


def digest(text: str) -> str:
    """SHA-256 of a text in UTF-8, in hex; the same that `sha256sum` prints."""
    return hashlib.sha256(text.encode()).hexdigest()
