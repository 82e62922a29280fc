"""Writing for people (stderr) and for programs (stdout)."""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from typing import Any

from prunectl.base.text import finite, visible


def say(text: str = "") -> None:
    """A line for the person at the terminal; stdout is kept for results. Nothing is lost where nobody can read it."""
    with suppress(OSError):
        print(visible(text, keep="\n"), file=sys.stderr)  # noqa: T201


def answer(text: str) -> None:
    """A result, on stdout."""
    print(visible(text, keep="\n"))  # noqa: T201


def answer_bytes(content: bytes) -> None:
    """A file as a result, on stdout."""
    sys.stdout.flush()
    sys.stdout.buffer.write(content)


def answer_json(value: Any) -> None:
    """One JSON document on stdout; a number that JSON cannot hold is null."""
    json.dump(finite(value), sys.stdout, indent=1, ensure_ascii=True, allow_nan=False)
    sys.stdout.write("\n")
