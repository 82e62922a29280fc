"""The JSON Schema of a study file as it is written, for `prunectl schema` and the completion of editors.

The types give the schema of what may be written for them. Here the catalogues are filled in: names alone, tables
with the parameters of an entry, and flat [data] and [model].
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, models_json_schema
from pydantic_core import core_schema

from prunectl.catalog import tables
from prunectl.catalog.criterion import Unpruned
from prunectl.catalog.entry import Entry
from prunectl.catalog.lookup import entry_type, names
from prunectl.catalog.metric import Metric
from prunectl.catalog.section import FlatSection
from prunectl.study.data_section import DataSection
from prunectl.study.schema import SELECTORS, ModelSection, Study

DIALECT = "https://json-schema.org/draft/2020-12/schema"
Schema = dict[str, Any]

FLAT: tuple[type[FlatSection], ...] = (DataSection, ModelSection)


class _OfFile(GenerateJsonSchema):
    """TOML has no null: a key without a value is left out."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> Schema:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> Schema:
        given = super().default_schema(schema)
        return {key: value for key, value in given.items() if key != "default" or value is not None}


def json_schema() -> Schema:
    """Draft 2020-12, with one definition for each table of the file, each catalogue and each entry."""
    catalogs = {catalog: list(_entries(catalog)) for catalog in tables.CATALOGS}
    kinds = [kind for entries in catalogs.values() for kind in entries]
    models: list[type[BaseModel]] = [Study, *kinds]
    places, whole = models_json_schema([(model, "validation") for model in models], schema_generator=_OfFile)
    definitions = whole["$defs"]
    names_of = {kind: places[kind, "validation"]["$ref"].rpartition("/")[2] for kind in kinds}
    for kind in kinds:
        definitions[names_of[kind]] = _entry(kind, definitions[names_of[kind]])
    for section in FLAT:
        entries = [definitions[names_of[kind]] for kind in catalogs[section.catalog]]
        entries += [option for option in _elsewhere(section.catalog) if option["type"] == "object"]
        definitions[section.__name__] = _flat(section, definitions[section.__name__], entries)
    for catalog, kinds in catalogs.items():
        definitions[catalog] = _catalog(catalog, {names_of[kind]: definitions[names_of[kind]] for kind in kinds})
    definitions["Claim"]["anyOf"] = list(_margins(catalogs["metrics"]))
    tables_of = {catalog: [definitions[names_of[kind]] for kind in kinds] for catalog, kinds in catalogs.items()}
    tables_of["criteria"].append(_entry(Unpruned, {}))  # the arms of [[control]]
    definitions["Selector"] = _selector(definitions["PruneSection"]["properties"], definitions, tables_of)
    study = definitions.pop("Study")
    schema = {"$schema": DIALECT, **study, "title": "A study of prunectl", "$defs": dict(sorted(definitions.items()))}
    public: Schema = _public(schema)
    return public


def _entries(catalog: str) -> Iterator[type[Entry]]:
    """The entries that can be described; a broken plug-in costs only itself."""
    for name in names(catalog):
        try:
            kind = entry_type(catalog, name)
            kind.model_json_schema(schema_generator=_OfFile)
            kind.usual()
        except Exception:  # a parameter's own schema may raise anything; `list` shows what is broken
            continue
        yield kind


def _entry(kind: type[Entry], given: Schema) -> Schema:
    """A table with the name of an entry and its parameters."""
    usual = kind.usual()
    parameters = {
        key: {**schema, "default": usual[key]} if "default" in schema else schema
        for key, schema in given.get("properties", {}).items()
    }
    return {
        "title": kind.name,
        "description": kind.summary,
        "type": "object",
        "properties": {"name": {"const": kind.name, "description": kind.summary}, **parameters},
        "required": ["name", *given.get("required", ())],
        "additionalProperties": False,
        **{key: given[key] for key in ("oneOf",) if key in given},
    }


def _catalog(catalog: str, entries: dict[str, Schema]) -> Schema:
    """The name of an entry alone, where it needs no parameters, or its table."""
    words = [
        {"const": entry["title"], "title": entry["title"], "description": entry["description"]}
        for entry in entries.values()
        if entry["required"] == ["name"]
    ]
    written_out = [{"$ref": f"#/$defs/{name}"} for name in entries]
    return {"description": f"one of the {catalog}", "anyOf": [*words, *written_out, *_elsewhere(catalog)]}


def _elsewhere(catalog: str) -> Iterator[Schema]:
    """What no catalogue lists: a class in a file of the study, whose parameters only the file knows."""
    for pattern, description in tables.CATALOGS[catalog].patterns.items():
        name = {"type": "string", "pattern": pattern, "description": description}
        yield name
        yield {"type": "object", "description": description, "properties": {"name": name}, "required": ["name"]}


def _flat(section: type[FlatSection], given: Schema, entries: list[Schema]) -> Schema:
    """A table that holds an entry's parameters next to its own keys: one alternative for each entry."""
    own = {key: value for key, value in given["properties"].items() if key != section.entry_field}
    needed = [key for key in given.get("required", ()) if key != section.entry_field]
    alternatives = [
        {**entry, "properties": {**entry["properties"], **own}, "required": [*entry["required"], *needed]}
        for entry in entries
    ]
    return {"description": given["description"], "type": "object", "anyOf": alternatives}


def _margins(metrics: list[type[Entry]]) -> Iterator[Schema]:
    """The margins of a claim: at most 1 for every metric, and what the differences of the claim's own reach."""
    yield {"properties": {"margin": {"description": "of any metric", "minimum": -1, "maximum": 1}}}
    for metric in metrics:
        if issubclass(metric, Metric) and (largest := metric.differences().largest) > 1:
            name = {"const": metric.name, "description": metric.summary}
            named = {"properties": {"name": name}, "required": ["name"], "type": "object"}
            bounds = {"minimum": -largest, "maximum": largest} if math.isfinite(largest) else {}
            properties = {
                "metric": {"anyOf": [name, named], "description": metric.summary},
                "margin": {"description": f"in {metric.unit}", **bounds},
            }
            yield {"properties": properties, "required": ["metric"]}


def _selector(columns: Schema, definitions: Schema, tables_of: Mapping[str, list[Schema]]) -> Schema:
    """What a claim selects arms by: a single value for some of the columns.

    A name means every choice of an entry's parameters, and a table every choice that has the values that it gives.
    So no parameter is required here, not even one that [[prune]] requires.
    """
    properties = {}
    for key in SELECTORS:
        single = columns[key]["anyOf"][0]
        if "x-catalog" in single:
            options = [*_selected(tables_of[single["x-catalog"]]), *_elsewhere(single["x-catalog"])]
        else:
            options = [_partial(_resolved(option, definitions)) for option in single["oneOf"]]
        properties[key] = {"description": columns[key]["description"], "anyOf": options}
    return {
        "description": "selects the arms that have all of these",
        "type": "object",
        "properties": properties,
        "minProperties": 1,
        "additionalProperties": False,
    }


def _selected(entries: list[Schema]) -> Iterator[Schema]:
    """The name of an entry alone, or some of the keys of its table."""
    for entry in entries:
        yield {"const": entry["title"], "title": entry["title"], "description": entry["description"]}
    yield from map(_partial, entries)


def _partial(option: Schema) -> Schema:
    """A table of which any keys are enough. Whatever is not a table stays."""
    if option.get("type") != "object":
        return option
    return {**{key: value for key, value in option.items() if key not in ("required", "oneOf")}, "minProperties": 1}


def _resolved(option: Schema, definitions: Schema) -> Schema:
    """A definition in the place of a reference to it."""
    resolved: Schema = definitions[option["$ref"].rpartition("/")[2]] if "$ref" in option else option
    return resolved


def _public(schema: Any) -> Any:
    """A schema without our own keywords: references in the place of those that mean another definition."""
    if isinstance(schema, list):
        return list(map(_public, schema))
    if not isinstance(schema, dict):
        return schema
    given = {key: _public(value) for key, value in schema.items() if not key.startswith("x-")}
    if "x-catalog" in schema:
        given = {"description": f"one of the {schema['x-catalog']}", **given, "$ref": f"#/$defs/{schema['x-catalog']}"}
    if word := schema.get("x-selector"):
        selector: Schema = {"$ref": "#/$defs/Selector"}
        meant = selector if word is True else {"anyOf": [{"const": word}, selector]}
        given = {"description": schema["description"], **meant}
    return given
