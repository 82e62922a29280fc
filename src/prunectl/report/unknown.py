"""The error for a chart or format that does not exist."""

from __future__ import annotations

from collections.abc import Sequence

from prunectl.base.errors import PrunectlError, nearest


def unknown(kind: str, name: str, names: Sequence[str]) -> PrunectlError:
    """The error for an unknown name: it lists the names, and suggests the nearest."""
    close = nearest(name, names)
    hint = f"did you mean {close}?" if close else None
    return PrunectlError(f"no {kind} {name!r}; there are {', '.join(names)}", hint=hint)
