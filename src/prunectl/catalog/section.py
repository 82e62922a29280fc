"""A table of a study file, and the entries of catalogues that it names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Self

from pydantic import ModelWrapValidatorHandler, ValidationError

from prunectl.base.errors import Problem, PrunectlError, nearest
from prunectl.base.synonyms import RECIPES
from prunectl.base.text import did_you_mean
from prunectl.catalog import lookup, tables
from prunectl.catalog.entry import Entry
from prunectl.catalog.lookup import entry_type, names
from prunectl.catalog.problems import Line, all_at_once, line, lines_of, refusal, unknown
from prunectl.catalog.strict_table import StrictTable, tupled
from prunectl.catalog.wording import a, listing, shown
from prunectl.catalog.written_keys import written_keys

__all__ = ["FlatSection", "Section", "named", "resolve", "tupled"]


IN_FILE = 'write "file:FILE.py:CLASS" for a class in a file, with the path from the study file on'


class Section(StrictTable):
    """A table of the study file."""


class FlatSection(Section):
    """A table that names an entry of a catalogue and holds the entry's parameters next to its own keys."""

    entry_field: ClassVar[str]
    catalog: ClassVar[str]

    @classmethod
    def own(cls) -> list[str]:
        """The keys that the table has whatever entry it names."""
        return ["name", *(key for key in cls.model_fields if key != cls.entry_field)]

    @classmethod
    def read(cls, table: dict[str, Any], handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Split the keys into the entry's and the table's own; report what is wrong with either."""
        if isinstance(table.get(cls.entry_field), Entry):
            return handler(table)
        own = cls.own()
        rest = {key: value for key, value in table.items() if key in own and key != "name"}
        lines: list[Line] = []
        try:
            entry = resolve(cls.catalog, {k: v for k, v in table.items() if k not in rest}, known=own)
        except ValidationError as error:
            lines = lines_of(error, cls)
            entry = lookup.kind_of(cls.catalog)()  # in its place, so that the other keys are checked all the same
        with all_at_once(cls, lines):
            return handler({**rest, cls.entry_field: entry})


def named(catalog: str, value: Any) -> Entry:
    """The entry that a name, or a table with a name and parameters, means. Raises ValidationError."""
    if isinstance(value, Entry):
        return value
    table = {"name": value} if isinstance(value, str) else value
    if not isinstance(table, dict):
        what = f"the name of {a(tables.CATALOGS[catalog].one)}, or a table with a name"
        raise refusal(f"must be {what}, not {shown(value)}: {listing(names(catalog))}", value)
    return resolve(catalog, table)


def resolve(catalog: str, table: Mapping[str, Any], known: Iterable[str] = ("name",)) -> Entry:
    """The entry that a table names, with its parameters; `known` are the keys that may stand next to them.

    Raises ValidationError with everything that is wrong.
    """
    name, one, choice = table.get("name"), tables.CATALOGS[catalog].one, listing(names(catalog))
    if "name" not in table:
        if (key := _instead_of_name(catalog, table)) is not None:
            message = f"unknown key; the key for the name of {a(one)} is name"
            with all_at_once(Entry, [line(Problem(path=(key,), message=message, hint='did you mean "name"?'), table)]):
                return resolve(catalog, {"name": table[key], **{k: v for k, v in table.items() if k != key}}, known)
        raise refusal(f"missing: must be the name of {a(one)}: {choice}", table, path=("name",))
    if not isinstance(name, str):
        raise refusal(f"must be the name of {a(one)}, not {shown(name)}: {choice}", table, path=("name",))
    if name in names(catalog) or lookup.refers(catalog, name):
        return _with_parameters(catalog, name, table, known)
    likely = nearest(name, names(catalog))
    if ".py" in name and tables.CATALOGS[catalog].in_files:
        raise refusal(f"there is no {one} {shown(name)}", table, path=("name",), hint=IN_FILE)
    message = f"there is no {one} {shown(name)}; there are {choice}"
    if (recipe := RECIPES.get(name.lower())) is not None:
        raise refusal(message, table, path=("name",), hint=recipe)
    if likely is None:
        raise refusal(message, table, path=("name",))
    with all_at_once(
        Entry, [line(Problem(path=("name",), message=message, hint=did_you_mean(name, names(catalog))), table)]
    ):
        return _with_parameters(catalog, likely, table, known)  # most likely its parameters were meant


def _instead_of_name(catalog: str, table: Mapping[str, Any]) -> str | None:
    """The key under which a table without a name gives one: any with a name of the catalogue, or kind or type."""
    texts = {key: value for key, value in table.items() if isinstance(value, str)}
    known = names(catalog)
    return next((key for key, value in texts.items() if value in known or key in ("kind", "type")), None)


def _with_parameters(catalog: str, name: str, table: Mapping[str, Any], known: Iterable[str]) -> Entry:
    try:
        kind = entry_type(catalog, name)
    except PrunectlError as error:
        raise refusal(error.message, table, path=("name",), hint=error.hint) from None
    parameters = {key: value for key, value in table.items() if key in written_keys(kind)}
    others = [key for key in table if key not in parameters and key != "name"]
    with all_at_once(kind, [line(unknown((key,), [*written_keys(kind), *known]), table) for key in others]):
        return kind.model_validate(parameters)
