"""Makes the texts of a study file harmless on a page: nothing in them moves, hides or runs."""

from __future__ import annotations

import json
import unicodedata
from typing import Any

MOVING = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
"""Characters that reorder the text around them."""


def visible(text: str, keep: str = "") -> str:
    """The text with control characters, those that reorder a line and those without width written as ⟨U+202E⟩."""
    return "".join(char if char in keep or not _hidden(char) else f"⟨U+{ord(char):04X}⟩" for char in text)


def _hidden(char: str) -> bool:
    return char in MOVING or unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp")


def shortened(text: str, length: int) -> str:
    """The beginning of a text that is too long for a heading."""
    return text if len(text) <= length else text[: length - 1] + "…"


def script_json(value: Any) -> str:
    """JSON for a script element, without anything that closes the element, opens a comment or ends a line."""
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def finite(value: Any) -> Any:
    """The value with None instead of infinities and NaN, which JSON does not have."""
    if isinstance(value, float):
        return value if value - value == 0 else None
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    return [finite(item) for item in value] if isinstance(value, list | tuple) else value
