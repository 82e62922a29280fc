"""How messages about a study show values and what is allowed, in words that are safe on a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from prunectl.base.errors import LONGEST, abbreviated
from prunectl.base.text import visible


def shown(value: Any) -> str:
    """A value from a study as an error message shows it: TOML-like, escaped and never long."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return abbreviated(value)
    if isinstance(value, int):
        return str(value) if abs(value) < 10**LONGEST else "a number of more than 60 digits"
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, Mapping):
        return "a table" if value else "an empty table"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}" if value else "an empty list"
    return f"the {type(value).__name__} {visible(str(value)[:LONGEST])}"


def listing(names: Iterable[str]) -> str:
    """Names in a row, as they are typed; foreign ones are made harmless."""
    return ", ".join(visible(name) for name in names)


def a(noun: str) -> str:
    """A noun with its article."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def allowed(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    """What a JSON Schema lets through, in words that follow 'must be'."""
    if "x-words" in schema:
        return str(schema["x-words"])
    if "$ref" in schema:
        return allowed(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    if "const" in schema:
        return shown(schema["const"])
    if "enum" in schema:
        return _choice(shown(value) for value in schema["enum"])
    parts = [part for part in (*schema.get("anyOf", ()), *schema.get("oneOf", ())) if part.get("type") != "null"]
    if not parts or "type" in schema:
        return _by_type(schema, definitions)
    words = [allowed(part, definitions) for part in parts]
    if parts[-1].get("items") == parts[0]:
        return f"{words[0]}, or a list of such"
    return (", or " if words[-1].startswith("a table") else " or ").join(dict.fromkeys(words))


def _choice(options: Iterable[str]) -> str:
    texts = list(options)
    return texts[0] if len(texts) == 1 else "one of " + ", ".join(texts)


def _by_type(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    match schema.get("type"):
        case "integer":
            return "a whole number" + _bounds(schema)
        case "number":
            return "a number" + _bounds(schema)
        case "boolean":
            return "true or false"
        case "string":
            return f"text that matches {schema['pattern']}" if "pattern" in schema else "text" + _length(schema)
        case "array":
            return _list(schema, definitions)
        case "object":
            return "a table" + (f" of at most {schema['maxProperties']}" if "maxProperties" in schema else "")
    return "another value"


def _list(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    item = allowed(schema.get("items", {"x-words": "any value"}), definitions)
    ends = ["at least one" if schema.get("minItems") else "", f"at most {schema.get('maxItems', '')}"]
    lengths = " and ".join(end for end in ends if end and end != "at most ")
    return f"a list of {lengths}, each {item}" if lengths else f"a list, each item {item}"


def _length(schema: Mapping[str, Any]) -> str:
    least, most = schema.get("minLength", 0), schema.get("maxLength")
    if most is None:
        return " that is not empty" if least else ""
    return f" of {least} to {most:,} characters" if least else f" of at most {most:,} characters"


def _bounds(schema: Mapping[str, Any]) -> str:
    low = f"at least {schema['minimum']}" if "minimum" in schema else None
    if "exclusiveMinimum" in schema:
        low = f"more than {schema['exclusiveMinimum']}"
    high = f"at most {schema['maximum']}" if "maximum" in schema else None
    if "exclusiveMaximum" in schema:
        high = f"less than {schema['exclusiveMaximum']}"
    ends = [end for end in (low, high) if end is not None]
    return ", " + " and ".join(ends) if ends else ""
