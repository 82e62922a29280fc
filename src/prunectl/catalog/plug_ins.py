"""What installed packages register: the entry points of the groups `prunectl.<catalogue>`, each with its file and line.

`importlib.metadata.entry_points` raises for all packages if the file of one is malformed. Here such a line costs only
itself.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from typing import Any

from prunectl.base.errors import PrunectlError, their_modules
from prunectl.base.theirs import FILE_MODULE

PREFIX = "prunectl."


@dataclass(frozen=True, kw_only=True)
class Registration:
    """A line of a package's entry points, '<name> = <place>' in the group of a catalogue."""

    catalog: str
    name: str
    place: str
    """'module:Class', as the package has it."""
    package: str
    where: str
    """File and line: '…/net-1.0.dist-info/entry_points.txt:2'."""


@cache
def registrations() -> tuple[Registration, ...]:
    """Everything that is registered, in the order of the path. Read once in a process."""
    found: dict[str, tuple[Registration, ...]] = {}
    for distribution in metadata.distributions():
        text = _text(distribution)
        if PREFIX in text:
            package = _name(distribution)
            # A package that is on the path twice is the first of the two, as for an import.
            found.setdefault(_plain(package), tuple(_lines(text, package, _file(distribution))))
    return tuple(each for registered in found.values() for each in registered)


def raised_in_plug_in(error: BaseException) -> bool:
    """Whether an exception came out of a package that registers entries, or a study's file: no mistake of prunectl."""
    registered = {line.place.partition(":")[0].partition(".")[0] for line in registrations()}
    tops = {module.partition(".")[0] for module in their_modules(error)}
    return not registered.isdisjoint(tops) or any(top.startswith(FILE_MODULE) for top in tops)


def refuse_unreadable() -> None:
    """Raise PrunectlError for a line without '=': `importlib.metadata` then fails for everybody, torch included."""
    for line in registrations():
        if not line.place:
            message = f"the package {line.package} has a malformed entry point, {line.name!r} ({line.where})"
            hint = "torch cannot be imported while it is installed: fix or uninstall it"
            raise PrunectlError(message, hint=hint)


def _lines(text: str, package: str, file: str) -> Iterator[Registration]:
    catalog: str | None = None
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if line.startswith("[") and line.endswith("]"):
            group = line[1:-1].strip()
            catalog = group.removeprefix(PREFIX) if group.startswith(PREFIX) else None
        elif catalog is not None and line and line[0] not in "#;":
            name, _, value = (part.strip() for part in line.partition("="))
            place = value.partition("[")[0].strip()  # extras: 'module:Class [gpu]'
            yield Registration(catalog=catalog, name=name, place=place, package=package, where=f"{file}:{number}")


def _text(distribution: metadata.Distribution) -> str:
    try:
        return distribution.read_text("entry_points.txt") or ""
    except (OSError, UnicodeDecodeError):
        return ""


def _name(distribution: metadata.Distribution) -> str:
    """The name of a package; one without usable metadata is called by its folder."""
    try:
        name: Any = distribution.metadata["Name"]
    except Exception:  # whatever a damaged METADATA makes the parser raise
        name = None
    return str(name) if name else re.split(r"[/\\]", _file(distribution))[-2].partition("-")[0]


def _file(distribution: metadata.Distribution) -> str:
    """The file of the entry points. No public name of a distribution has its folder, only what that is in."""
    folder: Any = getattr(distribution, "_path", None) or distribution.locate_file("")
    return str(os.path.abspath(folder / "entry_points.txt"))  # noqa: PTH100


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
