"""What a study can name: the entries of the catalogues, and published tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from prunectl.base.errors import PrunectlError
from prunectl.base.text import did_you_mean

if TYPE_CHECKING:
    from prunectl.catalog.plug_ins import Registration

PUBLISHED, STUDIES = "published", "studies"


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
    rows: int
    models: tuple[str, ...]
    datasets: tuple[str, ...]


def kinds() -> list[str]:
    """What can be listed: the catalogues, published tables, and the studies that were installed."""
    from prunectl.catalog.tables import CATALOGS

    return [*CATALOGS, PUBLISHED, STUDIES]


def names(kind: str) -> list[str]:
    """The names of one kind, read without importing an entry. Raises PrunectlError for an unknown kind."""
    from prunectl.api.studies import shipped
    from prunectl.catalog import lookup
    from prunectl.results.published import index

    if kind == PUBLISHED:
        return index.names()
    if kind == STUDIES:
        return list(shipped())
    _known(kind)
    return lookup.names(kind)


def entries(catalog: str) -> list[Listed]:
    """The entries of a catalogue, ours first. Raises PrunectlError for an unknown one."""
    from prunectl.catalog import lookup

    _known(catalog)
    usable = [_listed(catalog, name) for name in lookup.names(catalog)]
    return usable + [_broken(line.name, reason) for line, reason in lookup.ignored(catalog)]


def _known(kind: str) -> None:
    from prunectl.catalog.tables import CATALOGS

    if kind not in CATALOGS:
        raise PrunectlError(
            f"nothing called {kind!r} can be listed; there are {', '.join(kinds())}",
            hint=did_you_mean(kind, kinds(), "{}"),
        )


def broken() -> dict[str, str]:
    """What is wrong with each registration that cannot be used, by 'name of the catalogue'."""
    from prunectl.catalog import lookup, tables

    return {
        f"{entry.name} of the {catalog}": entry.summary
        for catalog in tables.CATALOGS
        for entry in entries(catalog)
        if entry.broken
    } | {f"{line.name} of the {line.catalog}": _unknown(line) for line in lookup.unknown()}


def _unknown(line: Registration) -> str:
    from prunectl.catalog.tables import CATALOGS

    return f"broken: there is no catalogue {line.catalog!r}; there are {', '.join(CATALOGS)} ({line.where})"


def _broken(name: str, why: str) -> Listed:
    return Listed(name=name, summary=f"broken: {why}", version=0, parameters={}, broken=True)


def _listed(catalog: str, name: str) -> Listed:
    """One entry; of a plug-in that is broken, what is wrong with it."""
    from prunectl.catalog.lookup import entry_type
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
    from prunectl.results.published.index import names

    return [_published(name) for name in names()]


def _published(name: str) -> Published:
    from prunectl.results.published.index import describe
    from prunectl.results.published.load import load

    numbers = load(name)
    about = [tuple(numbers[column].drop_nulls().unique(maintain_order=True)) for column in ("model", "dataset")]
    models, datasets = about
    return Published(name=name, **describe(name)._asdict(), rows=numbers.height, models=models, datasets=datasets)


def numbers(name: str) -> tuple[Published, list[dict[str, Any]]]:
    """A published table and its rows, without the columns that it does not give. Raises PrunectlError."""
    from prunectl.results.published.index import describe
    from prunectl.results.published.load import load

    describe(name)
    rows = load(name).drop("table")
    given = [column for column in rows.columns if rows[column].null_count() < rows.height]
    return _published(name), rows.select(given).to_dicts()
