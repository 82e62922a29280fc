"""Identity: a key is the SHA-256 of a canonical JSON text, its pre-image.

Two things have one key exactly if their pre-images are equal to the letter. Literal digests are pinned in the tests.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields, is_dataclass
from functools import lru_cache
from typing import Any

from prunectl.base.entry import Entry


def canonical(value: Any) -> str:
    """One text per value: keys sorted, no white space, no NaN, non-ASCII written out."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=False, default=plain)


def plain(value: Any) -> Any:
    """What json does not know of itself: entries and frozen records, the latter tagged with their class."""
    if isinstance(value, Entry) or (is_dataclass(value) and not isinstance(value, type)):
        return _plain(value)  # type: ignore[arg-type]  # frozen records are hashable; the protocol does not say so
    raise TypeError(f"{type(value).__name__} cannot be part of a key")


@lru_cache(maxsize=4096)
def _plain(value: Any) -> dict[str, Any]:
    # Entries and records are frozen and hashable, and a plan repeats the same few of them thousands of times.
    if isinstance(value, Entry):
        return value.preimage()
    return {field.name: getattr(value, field.name) for field in fields(value)}


def digest(text: str) -> str:
    """SHA-256 of a text in UTF-8, in hex; the same that `sha256sum` prints."""
    return hashlib.sha256(text.encode()).hexdigest()
