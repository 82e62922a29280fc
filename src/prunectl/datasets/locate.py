"""Finding the files of a data set under a root, and saying plainly what is missing or broken."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from prunectl.base.errors import DataError


def find(root: Path, folders: Sequence[str], names: Sequence[str], endings: Sequence[str] = ("",)) -> list[Path]:
    """The files `names` (each with the first of `endings` that exists) in the first folder that has them all.

    Empty if no folder has any of them; DataError if the best folder has only some.
    """
    found = [[_first(root / folder / name, endings) for name in names] for folder in folders]
    for paths in found:
        if all(paths):
            return [path for path in paths if path]
    most, folder = max(zip(found, folders, strict=True), key=lambda pair: len([path for path in pair[0] if path]))
    if not any(most):
        return []
    lacking = [name for name, path in zip(names, most, strict=True) if path is None]
    raise DataError(
        f"{(root / folder).resolve()} is incomplete: {', '.join(lacking)} missing",
        hint="copy the missing files there, or delete the folder and download the data set again",
    )


def _first(path: Path, endings: Sequence[str]) -> Path | None:
    candidates = (path.with_name(path.name + ending) for ending in endings)
    return next((candidate for candidate in candidates if candidate.is_file()), None)


def missing(dataset: str, root: Path, looked: Sequence[str], sought: str, torchvision: str) -> DataError:
    """The error for a data set that is not there: what was sought, every place, and how to get it."""
    root = root.resolve()
    there = f"under {root}" if root.exists() else f"there: {root} does not exist"
    places = ", ".join(dict.fromkeys(place for place in looked if place != "."))
    fetch = f"from torchvision.datasets import {torchvision}; {torchvision}(r'{root}', download=True)"
    return DataError(
        f"{dataset} is not {there} (looked for {sought}, in that folder itself and in its {places})",
        hint=f'get it with: python -c "{fetch}"  (needs: pip install "prunectl[vision]"); '
        "or say where it is: --data DIR, PRUNECTL_DATA, or root in [data]",
    )


def damaged(path: Path | str, problem: str) -> DataError:
    """The error for a file that is not what it should be."""
    return DataError(f"{path} {problem}", hint="delete it and download the data set again")


def changed(dataset: str, root: Path) -> DataError:
    """The error for a data set that a step finds other than the plan did."""
    return DataError(
        f"{dataset} under {root} is not what it was when the study was planned",
        hint="let it rest while a study runs; then run the same command again",
    )


def read_bytes(path: Path) -> NDArray[np.uint8]:
    """The bytes of a file, decompressed if its name ends in .gz: (N,), writable."""
    try:
        if path.suffix == ".gz":
            return np.frombuffer(bytearray(gzip.decompress(path.read_bytes())), np.uint8)
        return np.fromfile(path, np.uint8)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise damaged(path, f"is truncated or not gzip: {error} ({path.stat().st_size:,} bytes)") from error
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from error


def check_size(path: Path | str, actual: int, expected: int) -> None:
    """DataError unless the content has exactly the bytes that it must have."""
    if actual != expected:
        trouble = "truncated" if actual < expected else "too long"
        raise damaged(path, f"is {trouble}: {actual:,} bytes of content, expected {expected:,}")
