"""Whether a class can be used as an entry of a catalogue."""

from __future__ import annotations

from typing import Any

from prunectl.catalog.code import code_of
from prunectl.catalog.declared import wrong
from prunectl.catalog.entry import Entry
from prunectl.catalog.required import lacking


def fault_of(name: str, found: Any, kind: type[Entry], *, bare: bool = False) -> str | None:
    """What is wrong with the class that a name of a catalogue means, in words that follow its name, or None.

    `kind` is the class that every entry of the catalogue is; `bare`: every entry is used without parameters. Raises
    whatever the class raises when it is looked at.
    """
    if not (isinstance(found, type) and issubclass(found, kind)):
        return f"is not a {kind.__name__}"
    carried = getattr(found, "name", None)
    if carried != name:
        return f"calls itself {carried!r}"
    missing = lacking(found, kind)
    if missing:
        return f"does not define {', '.join(missing)}"
    if code_of(found) is None:
        return None  # our own
    return next(wrong(found, kind, bare=bare), None)
