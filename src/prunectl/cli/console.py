"""Writing for people (stderr) and for programs (stdout)."""

from __future__ import annotations

import json
import sys
from typing import Any


def safe(text: str) -> str:
    """Text that cannot move the cursor, ring a bell or reorder a line: control characters are written out."""
    return "".join(char if char == "\n" or char.isprintable() else _spelled(char) for char in text)


def _spelled(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")


def say(text: str = "") -> None:
    """A line for the person at the terminal; stdout is kept for results."""
    print(safe(text), file=sys.stderr)  # noqa: T201


def answer(text: str) -> None:
    """A result, on stdout."""
    print(safe(text))  # noqa: T201


def answer_json(value: Any) -> None:
    """One JSON document on stdout; a number that JSON cannot hold is null."""
    json.dump(_finite(value), sys.stdout, indent=1, ensure_ascii=True, allow_nan=False)
    sys.stdout.write("\n")


def _finite(value: Any) -> Any:
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    if isinstance(value, dict):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value


def seconds(value: float) -> str:
    """A duration in the unit that suits it."""
    if value < 1:
        return f"{value * 1000:.0f} ms"
    if value < 100:
        return f"{value:.1f} s"
    if value < 6000:
        return f"{value / 60:.0f} min"
    return f"{value / 3600:.1f} h"


def size(value: float) -> str:
    """A number of bytes in the unit that suits it."""
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"
