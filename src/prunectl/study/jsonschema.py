"""The JSON Schema of a study file as it is written, for `prunectl schema` and the completion of editors.

pydantic gives the schema of the models; here it becomes that of the file: catalogue names with their
parameters, flat [data] and [model], one value where a list may stand, a bare word where a table may.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from prunectl.base.errors import PrunectlError
from prunectl.catalog.entry import Entry
from prunectl.catalog.table import FlatSection, Section
from prunectl.catalog.tables import entry_type, names
from prunectl.study import schema as study_schema
from prunectl.study.schema import SELECTORS, Study

DIALECT = "https://json-schema.org/draft/2020-12/schema"
Schema = dict[str, Any]

NAMED = ("criteria", "scopes", "models", "datasets", "augmentations", "optimizers", "schedules")
"""The catalogues that study files name."""


def json_schema() -> Schema:
    """Draft 2020-12, with one definition per table of the file and per catalogue."""
    whole = Study.model_json_schema()
    definitions = whole.pop("$defs")
    built: Schema = {name: _table(_section(name), each) for name, each in definitions.items()}
    built |= {catalog: _catalog(catalog) for catalog in NAMED}
    for name in ("Moment", "Length"):
        section = _section(name)
        built[name] = _table(section, section.model_json_schema())
    built |= {"When": _when(), "Budget": _budget()}
    built["Selector"] = _selector(built["PruneSection"])
    study = _table(Study, whole)
    return {"$schema": DIALECT, "title": "A study of prunectl", **study, "$defs": dict(sorted(built.items()))}


def _section(name: str) -> type[Section]:
    found: type[Section] = getattr(study_schema, name)
    return found


def _table(section: type[Section], given: Schema) -> Schema:
    """The schema of one table of the file from that of its model."""
    properties = {key: _value(each) for key, each in given["properties"].items()}
    table: Schema = {
        "description": given.get("description", ""),
        "type": "object",
        "properties": properties,
        "required": list(given.get("required", ())),
        "additionalProperties": False,
    }
    if issubclass(section, FlatSection):
        return _flat(section, table)
    if section.one_of:
        table |= _exclusive(section)
    if section.shorthand is not None:
        word = {**properties[section.shorthand], "description": f"{section.shorthand} alone"}
        return {"description": table["description"], "anyOf": [word, table]}
    return table


def _exclusive(section: type[Section]) -> Schema:
    """One of the keys that exclude each other, and not two."""
    only = [{"required": [key]} for key in section.one_of]
    return {"oneOf": only if section.needs_one else [*only, {"not": {"anyOf": only}}]}


def _value(given: Schema) -> Schema:
    """The schema of what may be written for a key from that of what the model holds."""
    parts = [part for part in given.get("anyOf", ()) if part.get("type") != "null"]
    if parts:  # pydantic's "or null" is for keys left out; TOML has no null
        rest = {key: each for key, each in given.items() if key not in ("anyOf", "default")}
        return {**_value(parts[0]), **rest} if len(parts) == 1 else {**rest, "anyOf": list(map(_value, parts))}
    written = {key: each for key, each in given.items() if not key.startswith("x-")}
    if "x-catalog" in given:
        return {**written, "$ref": f"#/$defs/{given['x-catalog']}"}
    if given.get("x-moment"):
        return {**written, "$ref": "#/$defs/When"}
    if given.get("x-budget"):
        return {**written, "$ref": "#/$defs/Budget"}
    if given.get("x-selector"):
        return {"description": given["description"], "$ref": "#/$defs/Selector"}
    if "items" in given:
        written["items"] = _value(given["items"])
        return _or_single(written, given)
    return written


def _or_single(written: Schema, given: Schema) -> Schema:
    """A list, and where a single value may stand for one, that too."""
    single = written["items"] if given.get("x-many") else given.get("x-also")
    if single is None:
        return written
    about = {key: written.pop(key) for key in ("title", "description", "default") if key in written}
    about["default"] = _alone(about.get("default"))
    return {**{key: each for key, each in about.items() if each is not None}, "anyOf": [single, written]}


def _alone(default: Any) -> Any:
    return default[0] if isinstance(default, list | tuple) and len(default) == 1 else default


def _entries(catalog: str) -> Iterator[tuple[str, type[Entry]]]:
    """What can be imported of a catalogue; a broken plug-in does not take the schema down."""
    for name in names(catalog):
        with contextlib.suppress(PrunectlError):
            yield name, entry_type(catalog, name)


def _parameters(kind: type[Entry]) -> tuple[Schema, list[str]]:
    given = kind.model_json_schema()
    told = ("title", "description") if "$defs" in given else None  # a table within a parameter is not spelt out
    properties = {
        key: _value({name: item for name, item in each.items() if told is None or name in told})
        for key, each in given.get("properties", {}).items()
    }
    return properties, given.get("required", [])


def _catalog(catalog: str) -> Schema:
    """A name alone, or a table with the name and that entry's parameters."""
    named = [
        {"const": name, "title": name, "description": kind.summary}
        for name, kind in _entries(catalog)
        if not _parameters(kind)[1]
    ]
    tables = [_entry(name, kind, {}, []) for name, kind in _entries(catalog)]
    return {"description": f"one of the {catalog}", "anyOf": [*named, *tables]}


def _entry(name: str, kind: type[Entry], others: Schema, needed: list[str]) -> Schema:
    properties, required = _parameters(kind)
    return {
        "title": name,
        "description": kind.summary,
        "type": "object",
        "properties": {"name": {"const": name, "description": kind.summary}, **properties, **others},
        "required": ["name", *required, *needed],
        "additionalProperties": False,
    }


def _flat(section: type[FlatSection], table: Schema) -> Schema:
    """A table that holds an entry's parameters beside its own keys: one alternative per entry."""
    own = {key: each for key, each in table["properties"].items() if key != section.entry_field}
    needed = [key for key in table["required"] if key != section.entry_field]
    alternatives = [_entry(name, kind, own, needed) for name, kind in _entries(section.catalog)]
    return {"description": table["description"], "type": "object", "anyOf": alternatives}


def _when() -> Schema:
    words = {"enum": ["init", "end"], "description": "at initialization, or at the end of the training"}
    return {"description": "when, in the dense training", "anyOf": [words, {"$ref": "#/$defs/Moment"}]}


def _budget() -> Schema:
    share = {"type": "number", "exclusiveMinimum": 0, "maximum": 1, "description": "a fraction of the recipe"}
    return {"description": "how long to retrain", "anyOf": [share, {"$ref": "#/$defs/Length"}]}


def _selector(arms: Schema) -> Schema:
    """What a claim selects arms by: a single value for some of the columns."""
    columns = {key: _single(arms["properties"][key]) for key in SELECTORS}
    return {
        "description": "selects the arms that have all of these",
        "type": "object",
        "properties": columns,
        "minProperties": 1,
        "additionalProperties": False,
    }


def _single(key: Schema) -> Schema:
    return {"description": key["description"], **key["anyOf"][0]}
