"""Find the files of a data set under a root directory, and report what is missing or damaged."""

from __future__ import annotations

import gzip
import shlex
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from prunectl.base.errors import DataError

LARGEST_BYTES = 1 << 30
"""The most that one file of a data set is unpacked to; the largest has 200 MB."""


def find(root: Path, folders: Sequence[str], names: Sequence[str], endings: Sequence[str] = ("",)) -> list[Path]:
    """The files `names` (each with the first of `endings` that exists) in the first folder that has them all.

    Empty if no folder has any of them; DataError if the best folder has only some.
    """
    by_folder = {folder: [_first(root / folder / name, endings) for name in names] for folder in folders}
    for paths in by_folder.values():
        if all(paths):
            return [path for path in paths if path]
    folder, paths = max(by_folder.items(), key=lambda item: len([path for path in item[1] if path]))
    if not any(paths):
        return []
    absent = [name for name, path in zip(names, paths, strict=True) if path is None]
    raise DataError(
        f"{(root / folder).resolve()} is incomplete: {', '.join(absent)} missing",
        hint="copy the missing files there, or delete the folder and download the data set again",
    )


def _first(path: Path, endings: Sequence[str]) -> Path | None:
    candidates = (path.with_name(path.name + ending) for ending in endings)
    return next((candidate for candidate in candidates if candidate.is_file()), None)


def missing(dataset: str, root: Path, folders: Sequence[str], files: str) -> DataError:
    """The error for a missing data set: the files, every folder that was searched, and how to download it."""
    root = root.resolve()
    return DataError(
        f"{dataset} was not found {searched(root, folders, files)}",
        hint=f"`{getting(dataset, root)}` downloads it, and so does `prunectl run --download`; "
        "or give its directory: --data DIR, PRUNECTL_DATA, or root in [data]",
    )


def getting(dataset: str, root: Path) -> str:
    """The command that downloads a data set to a root."""
    return f"prunectl data get {dataset} --data {shlex.quote(str(root))}"


def searched(root: Path, folders: Sequence[str], files: str) -> str:
    """Where files were looked for, to follow 'was not found'."""
    if not root.exists():
        return f"because {root} does not exist (looked for {files})"
    subfolders = ", ".join(dict.fromkeys(folder for folder in folders if folder != "."))
    return f"under {root} (looked for {files} in that directory and in {subfolders})"


def damaged(path: Path | str, problem: str) -> DataError:
    """The error for a file with unexpected content; `problem` follows its path."""
    return DataError(f"{path} {problem}", hint="delete it and download the data set again")


def changed(dataset: str, root: Path) -> DataError:
    """The error for a data set that has changed since the study was planned."""
    return DataError(
        f"{dataset} under {root} has changed since the study was planned",
        hint="do not change the files while a study runs; run the same command again",
    )


def read_bytes(path: Path) -> NDArray[np.uint8]:
    """The bytes of a file, decompressed if its name ends in .gz: (N,), writable."""
    try:
        if path.suffix == ".gz":
            with gzip.open(path) as file:
                content = file.read(LARGEST_BYTES + 1)
            if len(content) > LARGEST_BYTES:
                raise damaged(path, f"unpacks to more than {LARGEST_BYTES:,} bytes")
            return np.frombuffer(bytearray(content), np.uint8)
        return np.fromfile(path, np.uint8)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise damaged(path, f"is truncated or not gzip: {error} ({path.stat().st_size:,} bytes)") from error
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from error


def check_size(path: Path | str, actual: int, expected: int) -> None:
    """Raises DataError unless the content has exactly the expected size in bytes."""
    if actual != expected:
        trouble = "truncated" if actual < expected else "too long"
        raise damaged(path, f"is {trouble}: {actual:,} bytes of content, expected {expected:,}")
