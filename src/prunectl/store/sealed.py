"""JSON documents that carry a digest of themselves: not a byte can change unnoticed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from prunectl.base.keys import canonical, digest


def seal(body: Mapping[str, Any]) -> bytes:
    """The document, with its digest as the last key. Raises ValueError for a number that JSON cannot hold."""
    plain = json.loads(json.dumps(body, allow_nan=False))  # as it will be read: texts as keys, lists for tuples
    return _text({**plain, "digest": digest(canonical(plain))})


def unseal(data: bytes) -> dict[str, Any]:
    """The body of a document. Raises ValueError unless every byte is as `seal` wrote it, white space included."""
    try:
        document = json.loads(data)
        body = {name: value for name, value in document.items() if name != "digest"}
        sealed = digest(canonical(body)) == document["digest"] and _text(document) == data
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError("cannot be read") from error
    if not sealed:
        raise ValueError("was changed")
    return body


def _text(document: Mapping[str, Any]) -> bytes:
    return (json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()
