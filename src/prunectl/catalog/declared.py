"""What is wrong with the declarations of a class that a third party registers, beyond those that it lacks."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, ClassVar, get_args, get_origin, get_type_hints

from pydantic import TypeAdapter, ValidationError

from prunectl.catalog.entry import Entry
from prunectl.catalog.wording import allowed, listing, shown

OF_THE_CLASS = frozenset({"name", "summary", "version", "paper", "noun", "verb", "head", "title", "unit", "better"})
"""Variables that are read from the class, where a property has no value."""


def wrong(found: type[Entry], kind: type[Entry], *, bare: bool = False) -> Iterator[str]:
    """What makes a class unusable as a `kind`, each in words that follow its name.

    `bare`: every entry is used without parameters. Raises whatever the class raises when it is looked at.
    """
    for name, hint in _variables(kind).items():
        if name in found.model_fields or not hasattr(found, name) or name in found.dispensable():
            continue
        value = getattr(found, name)
        if not isinstance(value, property):
            if not _fits(hint, value):
                given = "None" if value is None else shown(value)
                yield f"has a {name} that is {given} and must be {_words(hint)}"
        elif name in OF_THE_CLASS:
            yield f"has a {name} that is a property and must be a class variable: {_words(hint)}"
    found.model_rebuild()  # raises for a parameter whose type is unknown
    required = [name for name, field in found.model_fields.items() if field.is_required()]
    if bare and required:
        yield f"has parameters without a default: {listing(required)}"
    if not required:
        found().preimage()  # raises for defaults that cannot be part of a key


@cache
def _variables(kind: type[Entry]) -> dict[str, Any]:
    """The class variables of a kind of entry, with their types."""
    hints = get_type_hints(kind, include_extras=True)
    return {name: get_args(hint)[0] for name, hint in hints.items()
            if get_origin(hint) is ClassVar and name in kind.__class_vars__}  # fmt: skip


def _fits(hint: Any, value: Any) -> bool:
    try:
        TypeAdapter(hint).validate_python(value, strict=True)
    except ValidationError:
        return False
    return True


def _words(hint: Any) -> str:
    schema = TypeAdapter(hint).json_schema()
    return allowed(schema, schema.get("$defs", {}))
