"""Data sets on the disk: which are found, and downloading one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING

from prunectl.api.session import Place, data_root
from prunectl.base import ctrl_c
from prunectl.base.errors import DataError, PrunectlError, described
from prunectl.base.text import did_you_mean
from prunectl.catalog.importing import calling, same_directory, stdout_on_stderr

if TYPE_CHECKING:
    from prunectl.api.session import Session
    from prunectl.catalog.dataset import Dataset
    from prunectl.plan.stage import Stage

ASIDE = ".download"
"""Where files are under a root until all of a data set have arrived."""
Provide = Callable[["Dataset", Path], None]
"""Called with a data set and its root before it is read; may download it."""


@dataclass(frozen=True, kw_only=True)
class Located:
    """A data set and whether its files are there; they were not read."""

    name: str
    summary: str
    found: bool
    where: str
    """The folder or archive; if nothing was found, where it was looked for, in words."""
    classes: int | None
    train_size: int | None
    test_size: int | None
    download_bytes: int | None
    """What `prunectl data get` transfers; None for a data set that it cannot fetch."""


def listed(data: Place | None = None) -> list[Located]:
    """Every data set that has a usual place under the data directory, and whether it is there."""
    root = root_of(data)
    return [_found(dataset, root) for dataset in _usual()]


def root_of(data: Place | None = None) -> Path:
    """The data directory of a command without a study."""
    return data_root(None, Path(), None if data is None else Path(data))


def _usual() -> Iterator[Dataset]:
    from prunectl.catalog import lookup
    from prunectl.catalog.dataset import Dataset

    for kind in lookup.working("datasets", Dataset):
        if not kind.needs_root and not any(field.is_required() for field in kind.model_fields.values()):
            yield kind()


def _found(dataset: Dataset, root: Path) -> Located:
    try:
        with stdout_on_stderr(), same_directory():
            place, where = dataset.located(root), "included"
    except DataError as error:
        place, where = None, error.message
        there = False
    except BaseException as error:  # a third party's data set may raise anything
        ctrl_c.pass_on(error)
        place, where, there = None, f"cannot be read: {described(error)}", False
    else:
        there, where = True, "included" if place is None else str(place)
    known = dataset.known()
    return Located(
        name=dataset.name,
        summary=dataset.summary,
        found=there,
        where=where,
        classes=known.classes,
        train_size=known.train_size,
        test_size=known.test_size,
        download_bytes=dataset.download_bytes,
    )


def absent(dataset: Dataset, root: Path) -> bool:
    """Whether a data set that can be downloaded has no files, or not all of them, under a root."""
    if dataset.download_bytes is None:
        return False
    try:
        with calling(f"{dataset.label()} cannot be looked for"):
            dataset.located(root)
    except DataError:
        return True
    return False


def needed(session: Session, stage: Stage) -> bool:
    """Whether steps up to a stage are missing, so that the data set of the session will be read."""
    from prunectl.api.make import todo_of

    return bool(todo_of(session, stage).todo)


def named(name: str) -> Dataset:
    """A data set by name. Raises PrunectlError, with how to get it, if it cannot be downloaded."""
    from prunectl.catalog import lookup
    from prunectl.catalog.dataset import Dataset

    known = {dataset.name: dataset for dataset in _usual()}
    if name not in lookup.names("datasets"):
        hint = did_you_mean(name, known, "{}") or "`prunectl data ls` lists them, and which are here"
        raise PrunectlError(f"no data set {name!r}; there are {', '.join(known)}", hint=hint)
    if name in known:
        return known[name]
    kind = lookup.entry_type("datasets", name, Dataset)
    raise PrunectlError(
        f"{name} cannot be downloaded: {kind.summary}", hint="name its directory in [data] of the study"
    )


def get(name: str, data: Place | None = None) -> Path | None:
    """Download a data set to the data directory unless it is there, and verify it.

    Returns its folder; None for one that is included in prunectl. Raises PrunectlError.
    """
    return provided(named(name), root_of(data))


def provided(dataset: Dataset, root: Path) -> Path | None:
    """The same for a data set and its root."""
    from prunectl.datasets.content import content_of
    from prunectl.datasets.fingerprint import verified

    if absent(dataset, root):
        download(dataset, root)
    with calling(f"{dataset.label()} cannot be read", DataError):
        where = dataset.located(root)  # its error has the way to get what cannot be downloaded
        if dataset.in_files:
            content_of(dataset, root)
        else:
            verified(dataset, root)
    return where


def download(dataset: Dataset, root: Path) -> None:
    """Fetch a data set. Raises PrunectlError if that fails: what has arrived stays aside, and is not fetched again.

    Files are moved to their place when all of them are complete: a file cut short is never taken for the data set.
    """
    from prunectl.base.errors import writing
    from prunectl.store.atomic import make_directory

    with writing(root, hint="choose another directory with --data DIR or PRUNECTL_DATA"):
        make_directory(root / ASIDE)
    try:
        with calling(f"{dataset.label()} cannot be downloaded"):
            dataset.download(root / ASIDE)
        _move(root / ASIDE, root)
    except (OSError, RuntimeError, HTTPException, EOFError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise PrunectlError(
            f"{dataset.name} cannot be downloaded to {root}: {reason}",
            hint="check the connection (https_proxy is respected) and the space on the disk, and run this again; "
            "or copy the files from a machine that has them: `prunectl data ls` on it shows where",
        ) from error


def _move(source: Path, target: Path) -> None:
    """Move everything in a folder to another one, which may have some of its folders and files."""
    for path in list(source.iterdir()):
        if path.is_dir() and (target / path.name).is_dir():
            _move(path, target / path.name)
        else:
            path.replace(target / path.name)
    source.rmdir()
