"""A value as the text of one cell of a table, and back: a bare word where possible, otherwise TOML on one line."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import tomli

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_+.:/@-]*")
_KEY = re.compile(r"[A-Za-z0-9_-]+")
_KEYWORDS = {"true", "false", "inf", "nan"}
_OPENING = ("{", "[", '"', "'")


def cell(value: Any) -> str:
    """A plain value as the text of a cell: `snip`, `0.5`, `{ epoch = 4 }`. Printable, on one line.

    Plain values are texts, numbers, booleans, and lists (or tuples) and tables of them. Raises TypeError for others
    (TOML has no null) and ValueError for text that is not Unicode.
    """
    return value if _is_word(value) else _toml(value)


def parsed(text: str) -> Any:
    """The value of a cell; the inverse of `cell`, with tuples as lists. What is not TOML is a bare word.

    Raises ValueError for text that begins as a table, list or string of TOML and is not one.
    """
    text = text.strip()
    if _is_word(text):
        return text
    try:
        table = tomli.loads(f"value = {text}")
    except (ValueError, RecursionError) as error:
        if text.startswith(_OPENING):
            raise ValueError(f"not a value of TOML: {error}") from None
        return text
    return table["value"] if len(table) == 1 else text


def words(text: str) -> str:
    """A cell for people: `snip(samples_per_class=5)`, `epoch 4`, `0.5`. Not to be read back."""
    try:
        value = parsed(text)
    except ValueError:
        return text
    if not isinstance(value, Mapping):
        return value if isinstance(value, str) else text
    inner = {key: words(cell(item)) for key, item in value.items() if key != "name"}
    if "name" not in value:
        return ", ".join(f"{key} {item}" for key, item in inner.items())
    parameters = ", ".join(f"{key}={item}" for key, item in inner.items())
    return f"{value['name']}({parameters})" if parameters else str(value["name"])


def _is_word(value: Any) -> bool:
    return isinstance(value, str) and _WORD.fullmatch(value) is not None and value not in _KEYWORDS


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        value.encode()  # a lone surrogate cannot be read back
        return quoted(value)
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, Mapping):
        pairs = ", ".join(f"{key if _KEY.fullmatch(key) else _toml(key)} = {_toml(value[key])}" for key in value)
        return f"{{ {pairs} }}" if pairs else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]"
    raise TypeError(f"a {type(value).__name__} cannot be written in a cell")


def quoted(text: str) -> str:
    """The text as a string of TOML, with everything escaped that cannot be printed."""
    return "".join(sign if sign.isprintable() else _escape(sign) for sign in json.dumps(text, ensure_ascii=False))


def _escape(sign: str) -> str:
    return f"\\u{ord(sign):04x}" if ord(sign) < 0x10000 else f"\\U{ord(sign):08x}"
