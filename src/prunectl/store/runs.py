"""Recorded runs: the keys that each needs, and a caption. The store never reads a study.

A run is recorded before its first step, so that `cache gc` spares what it needs. One record is kept for each
directory, study file and selection: a repeated run replaces it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from prunectl.base.keys import canonical, digest
from prunectl.store import layout
from prunectl.store.atomic import sha256, write_whole
from prunectl.store.disk import store_error

ID_LENGTH = 16
LATER = ("granted", "names")
"""What not every record has."""


@dataclass(frozen=True, kw_only=True)
class Caption:
    """A run for people, with everything that opens the same study in the same way again."""

    name: str
    title: str
    path: str  # of the study file, absolute
    sha256: str  # of the study file's text
    directory: str  # where the run was made, absolute
    profile: str | None
    overrides: tuple[str, ...]
    only: tuple[str, ...]
    stage: str
    data: str  # where data sets were, absolute
    when: str  # ISO 8601, UTC
    host: str
    user: str
    apart: Mapping[str, Any] = field(default_factory=dict)
    """What was done apart from the trials, and how: empty for a run of these. Such a run has a record of its own."""

    @property
    def id(self) -> str:
        """The same for every repetition of a run."""
        same = [
            self.directory,
            self.path,
            self.profile,
            self.overrides,
            self.only,
            *([self.apart] if self.apart else []),
        ]
        return digest(canonical(same))[:ID_LENGTH]


@dataclass(frozen=True, kw_only=True)
class Run:
    """A recorded run and the keys of every step that it needs."""

    id: str
    caption: Caption
    keys: frozenset[str]
    granted: Mapping[str, int] = field(default_factory=dict)
    """The number of seeds of each arm, by label, where seeds are added until claims are settled; else empty."""
    names: Mapping[str, str] = field(default_factory=dict)
    """What its steps are, in words: 'train snip, 90 %, seed 1'. Empty where an earlier prunectl recorded the run."""


@dataclass(frozen=True, kw_only=True)
class Runs:
    """Every recorded run, the latest last, and the records that cannot be read, with the reason."""

    runs: tuple[Run, ...]
    unreadable: dict[str, str]

    @property
    def keys(self) -> set[str]:
        """What all of them need."""
        return {key for run in self.runs for key in run.keys}


def content_digest(path: Path) -> str:
    """The SHA-256 of a study file, in hex; empty if it cannot be read."""
    try:
        return sha256(path)
    except OSError:
        return ""


def record(
    root: Path,
    caption: Caption,
    keys: Collection[str],
    granted: Mapping[str, int] | None = None,
    names: Mapping[str, str] | None = None,
) -> Run:
    """Record a run, or replace the record of the same run. Raises StoreError."""
    body: dict[str, Any] = {"caption": asdict(caption), "keys": sorted(keys)}
    body |= {"granted": dict(granted)} if granted else {}
    body |= {"names": [names.get(key, "") for key in body["keys"]]} if names else {}
    text = json.dumps({**body, "digest": digest(canonical(body))}, indent=1)
    try:
        (root / layout.RUNS).mkdir(exist_ok=True)
        write_whole(_file(root, caption.id), text.encode() + b"\n")
    except OSError as error:
        raise store_error(error, root) from error
    return Run(id=caption.id, caption=caption, keys=frozenset(keys), granted=dict(granted or {}), names=names or {})


def read(root: Path) -> Runs:
    """Every recorded run."""
    found: list[Run] = []
    unreadable: dict[str, str] = {}
    for file in sorted((root / layout.RUNS).glob("[!.]*.json")):
        try:
            found.append(_decoded(file.stem, file.read_bytes()))
        except FileNotFoundError:
            continue  # another process has just removed it
        except OSError as error:
            unreadable[file.stem] = str(error.strerror or error)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            unreadable[file.stem] = "it is not what was written"
    return Runs(runs=tuple(sorted(found, key=lambda run: run.caption.when)), unreadable=unreadable)


def _decoded(id_: str, data: bytes) -> Run:
    """The run of a record. Raises ValueError, KeyError, TypeError or AttributeError unless it is as written."""
    body: dict[str, Any] = json.loads(data)
    written = {name: body[name] for name in ("caption", "keys")}
    written |= {name: body[name] for name in LATER if name in body}
    if digest(canonical(written)) != body["digest"]:
        raise ValueError("the record was changed")
    lists = {name: tuple(body["caption"][name]) for name in ("overrides", "only")}
    caption = Caption(**{**body["caption"], **lists})
    return Run(
        id=id_,
        caption=caption,
        keys=frozenset(body["keys"]),
        granted=dict(body.get("granted", {})),
        names=dict(zip(body["keys"], body.get("names", ()), strict=False)),
    )


def forget(root: Path, id_: str) -> None:
    """Remove the record of a run. Raises StoreError."""
    try:
        _file(root, id_).unlink(missing_ok=True)
    except OSError as error:
        raise store_error(error, root) from error


def stamp(root: Path) -> int:
    """A number that changes whenever a run is recorded or forgotten."""
    try:
        return (root / layout.RUNS).stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def _file(root: Path, id_: str) -> Path:
    return root / layout.RUNS / f"{id_}.json"
