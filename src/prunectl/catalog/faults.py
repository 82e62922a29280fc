"""Why a class cannot be an entry of a catalogue: what it is not, what it lacks, what it declares wrongly."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, ClassVar, get_args, get_origin, get_type_hints

from pydantic import TypeAdapter, ValidationError

from prunectl.catalog.code import code_of
from prunectl.catalog.entry import Entry
from prunectl.catalog.required import is_required
from prunectl.catalog.wording import allowed, listing, shown

OF_THE_CLASS = frozenset({"name", "summary", "version", "paper", "noun", "verb", "head", "title", "unit", "better"})
"""Variables that are read from the class, where a property has no value."""


def fault_of(name: str, found: Any, kind: type[Entry], *, bare: bool = False) -> str | None:
    """What is wrong with the class that a name of a catalogue means, in words that follow its name, or None.

    `kind` is the class that every entry of the catalogue is; `bare`: every entry is used without parameters. Raises
    whatever the class raises when it is looked at.
    """
    if not (isinstance(found, type) and issubclass(found, kind)):
        return f"is not a {kind.__name__}"
    carried = getattr(found, "name", None)
    if carried != name:
        return f"calls itself {carried!r}"
    missing = lacking(found, kind)
    if missing:
        return f"does not define {', '.join(missing)}"
    if code_of(found) is None:
        return None  # our own
    return next(_wrong(found, kind, bare=bare), None)


def lacking(found: type[Entry], kind: type[Entry]) -> list[str]:
    """What a class lacks of what `kind`, the class of its catalogue, requires: names, those of methods with '()'."""
    variables = {name for name in kind.__class_vars__ if not hasattr(found, name) and name not in found.model_fields}
    methods = {name for parent in kind.__mro__ for name, value in vars(parent).items() if is_required(value)}
    left = {name for name in methods if is_required(getattr(found, name))} | found.__abstractmethods__
    dispensable = found.dispensable()
    return [*sorted(variables - dispensable), *(f"{name}()" for name in sorted(left - dispensable))]


def _wrong(found: type[Entry], kind: type[Entry], *, bare: bool = False) -> Iterator[str]:
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
