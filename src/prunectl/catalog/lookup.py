"""The classes behind the names of the catalogues: our own, those that packages register, those in files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from importlib import metadata
from typing import Any, TypeVar, overload

from pydantic import ValidationError

from prunectl.base import ctrl_c
from prunectl.base.errors import PrunectlError, described, their_modules
from prunectl.base.text import and_list, did_you_mean
from prunectl.catalog import tables
from prunectl.catalog.code import line_of
from prunectl.catalog.entry import Entry
from prunectl.catalog.faults import fault_of
from prunectl.catalog.importing import imported
from prunectl.catalog.plug_ins import Registration, registrations
from prunectl.catalog.referenced import in_file
from prunectl.catalog.tables import Catalog

T = TypeVar("T", bound=Entry)


@cache
def places(catalog: str) -> dict[str, str]:
    """Every name of a catalogue with its 'module:attribute', third parties' included."""
    theirs = {each.name: each.place for each in reversed(registrations()) if each.catalog == catalog}
    return {**theirs, **tables.CATALOGS[catalog].entries}


def ignored(catalog: str) -> list[tuple[Registration, str]]:
    """Registrations that are not used because their name is one of ours, with the reason."""
    ours = tables.CATALOGS[catalog].entries
    return [
        (each, f"{each.name!r} of the {catalog} is prunectl's own: {each.place} of the package {each.package} "
         f"is ignored ({each.where})")
        for each in registrations()
        if each.catalog == catalog and each.name in ours
    ]  # fmt: skip


def unknown() -> list[Registration]:
    """Registrations for a catalogue that does not exist."""
    return [each for each in registrations() if each.catalog not in tables.CATALOGS]


def names(catalog: str) -> list[str]:
    """The names of a catalogue, ours first."""
    ours = tables.CATALOGS[catalog].entries
    return [*ours, *sorted(set(places(catalog)) - set(ours))]


def refers(catalog: str, name: str) -> bool:
    """Whether a name means what no catalogue lists: "file:FILE.py:CLASS", "timm:NAME"."""
    known = tables.CATALOGS[catalog]
    return (known.in_files and in_file(name) is not None) or name.partition(":")[0] in known.libraries


def _referenced(catalog: Catalog, name: str, kind: type[Entry]) -> type[Entry]:
    """Raises PrunectlError for what cannot be used."""
    if (reference := in_file(name)) is not None:
        return reference.resolved(kind, catalog.one)
    library, _, inner = name.partition(":")
    found: type[Entry] = imported(catalog.libraries[library])(inner)
    return found


@overload
def entry_type(catalog: str, name: str) -> type[Entry]: ...
@overload
def entry_type(catalog: str, name: str, kind: type[T]) -> type[T]: ...
def entry_type(catalog: str, name: str, kind: type[Entry] = Entry) -> type[Entry]:
    """The class behind a name, which is a `kind`.

    Raises PrunectlError for an unknown name, and for an entry that cannot be imported, is not of the catalogue's
    kind, lacks what the catalogue requires, or carries another name than it is registered under (its results would
    be stored under that name's keys).
    """
    if refers(catalog, name):
        referenced = _referenced(tables.CATALOGS[catalog], name, kind_of(catalog))
        assert issubclass(referenced, kind), f"the {catalog} hold {kind.__name__}"
        return referenced
    if name not in places(catalog):
        hint = did_you_mean(name, names(catalog), "'{}'")
        raise PrunectlError(f"no {name!r} among the {catalog}: {', '.join(names(catalog))}", hint=hint)
    found = _entry_type(catalog, name)
    if isinstance(found, str):
        raise PrunectlError(found, hint="fix or uninstall the package that registers it")
    assert issubclass(found, kind), f"the {catalog} hold {kind.__name__}"
    return found


def working(catalog: str, kind: type[T]) -> tuple[type[T], ...]:
    """The classes of a catalogue, ours first, without those that cannot be used: a broken plug-in costs only itself."""
    kinds = []
    for name in names(catalog):
        with suppress(PrunectlError):
            kinds.append(entry_type(catalog, name, kind))
    return tuple(kinds)


@cache
def _entry_type(catalog: str, name: str) -> type[Entry] | str:
    """The class behind a name, or why it cannot be used: a module that raises is not imported a second time."""
    ours = name in tables.CATALOGS[catalog].entries
    lines = [each for each in registrations() if (each.catalog, each.name) == (catalog, name) and not ours]
    try:
        if len({each.place for each in lines}) > 1:
            several = and_list([f"{each.place} by {each.package} ({each.where})" for each in lines])
            raise _BrokenError(f"{name!r} of the {catalog} is registered more than once: {several}", placed=True)
        return _checked(catalog, name, places(catalog)[name])
    except _BrokenError as error:
        return str(error) if error.placed or not lines else f"{error} ({lines[0].where})"


class _BrokenError(Exception):
    """Why an entry cannot be used. `placed`: the text has the file and line."""

    def __init__(self, text: str, *, placed: bool = False) -> None:
        super().__init__(text)
        self.placed = placed


def _checked(catalog: str, name: str, place: str) -> type[Entry]:
    """The class at a place, if it can be used. Raises _BrokenError: what it raises itself costs only this entry."""
    if not metadata.EntryPoint.pattern.match(place) or ":" not in place:
        raise _BrokenError(f"{name!r} of the {catalog} is registered as {place!r}, which is not 'module:Class'")
    try:
        found = imported(place)
    except BaseException as error:  # a plug-in's module may raise anything when it is imported, or call sys.exit
        ctrl_c.pass_on(error)
        text = f"{name!r} of the {catalog} cannot be imported from {place}: {described(error, full_path=True)}"
        raise _BrokenError(text, placed=bool(their_modules(error)) or isinstance(error, SyntaxError)) from error
    what = f"{place}, registered as {name!r} of the {catalog},"
    try:
        fault = fault_of(name, found, kind_of(catalog), bare=tables.CATALOGS[catalog].bare)
    except BaseException as error:  # a class may raise anything when it is looked at
        ctrl_c.pass_on(error)
        text = f"{what} cannot be used: {described(error, full_path=True)}"
        raise _BrokenError(text, placed=bool(their_modules(error))) from error
    if fault is not None:
        line = line_of(found)
        raise _BrokenError(f"{what} {fault}" + (f" ({line})" if line else ""), placed=line is not None)
    kind: type[Entry] = found
    return kind


def read_entry(catalog: str, written: str | Mapping[str, Any], kind: type[T]) -> T:
    """The entry that is written as in a study file: a name, or a table with a name and parameters.

    Raises PrunectlError for what `entry_type` refuses, and for parameters that the entry does not take.
    """
    table = {"name": written} if isinstance(written, str) else dict(written)
    found = entry_type(catalog, str(table.pop("name", "")), kind)
    try:
        return found.model_validate_json(json.dumps(table))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise PrunectlError(f"{found.name!r} of the {catalog} does not take {table}: {place}: {first['msg']}") from None


def kind_of(catalog: str) -> type[Entry]:
    """The class that every entry of a catalogue is."""
    kind: type[Entry] = imported(tables.CATALOGS[catalog].kind)
    return kind
