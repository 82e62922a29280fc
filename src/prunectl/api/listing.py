"""What a study can name: the entries of the catalogues, and published tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from prunectl.base.errors import PrunectlError
from prunectl.base.text import did_you_mean

if TYPE_CHECKING:
    from prunectl.catalog.registered import Registration

PUBLISHED = "published"


@dataclass(frozen=True, kw_only=True)
class Listed:
    """One entry of a catalogue: the parameters that must be given, and the defaults of the others."""

    name: str
    summary: str
    version: int
    required: tuple[str, ...] = ()
    parameters: Mapping[str, Any]
    """None where a parameter may be left out and has no value then."""
    broken: bool = False
    """A plug-in that cannot be used; the summary has the reason, with file and line."""


@dataclass(frozen=True, kw_only=True)
class Published:
    """One published table."""

    name: str
    title: str
    source: str
    warning: str
    of: str
    """What its sparsities are fractions of: "prunable" weights, or "all" parameters."""


def kinds() -> list[str]:
    """What can be listed: the catalogues, and published tables."""
    from prunectl.catalog.tables import CATALOGS

    return [*CATALOGS, PUBLISHED]


def entries(catalog: str) -> list[Listed]:
    """The entries of a catalogue, ours first. Raises PrunectlError for an unknown one."""
    from prunectl.catalog import tables

    if catalog not in tables.CATALOGS:
        raise PrunectlError(
            f"nothing called {catalog!r} can be listed; there are {', '.join(kinds())}",
            hint=did_you_mean(catalog, kinds(), "{}"),
        )
    usable = [_listed(catalog, name) for name in tables.names(catalog)]
    return usable + [_broken(line.name, reason) for line, reason in tables.ignored(catalog)]


def broken() -> dict[str, str]:
    """What is wrong with each registration that cannot be used, by 'name of the catalogue'."""
    from prunectl.catalog import tables

    return {
        f"{entry.name} of the {catalog}": entry.summary
        for catalog in tables.CATALOGS
        for entry in entries(catalog)
        if entry.broken
    } | {f"{line.name} of the {line.catalog}": _unknown(line) for line in tables.unknown()}


def _unknown(line: Registration) -> str:
    from prunectl.catalog.tables import CATALOGS

    return f"broken: there is no catalogue {line.catalog!r}; there are {', '.join(CATALOGS)} ({line.where})"


def _broken(name: str, why: str) -> Listed:
    return Listed(name=name, summary=f"broken: {why}", version=0, parameters={}, broken=True)


def _listed(catalog: str, name: str) -> Listed:
    """One entry; of a plug-in that is broken, what is wrong with it."""
    from prunectl.catalog.tables import entry_type
    from prunectl.catalog.written_keys import written_keys

    try:
        entry = entry_type(catalog, name)
    except PrunectlError as error:
        return _broken(name, error.message)
    fields = {key: entry.model_fields[name] for key, name in written_keys(entry).items()}
    required = tuple(key for key, field in fields.items() if field.is_required())
    return Listed(name=name, summary=entry.summary, version=entry.version, required=required, parameters=entry.usual())


def published() -> list[Published]:
    """The published tables."""
    from prunectl.results.published.index import describe, names

    return [Published(name=name, **describe(name)._asdict()) for name in names()]
