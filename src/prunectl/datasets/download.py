"""Fetching a data set through torchvision, which knows the sources and checks what arrives."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path


def by_torchvision(name: str, root: Path) -> None:
    """Have a class of torchvision.datasets download itself to a root; files that are complete are not fetched again.

    Raises OSError and RuntimeError, as torchvision does.
    """
    from torchvision import datasets

    with _progress_on_stderr():
        getattr(datasets, name)(str(root), download=True)


def archive(url: str, root: Path, md5: str) -> None:
    """Fetch an archive and unpack it in a root, if it has the digest. Raises OSError and RuntimeError: torchvision."""
    from torchvision.datasets.utils import download_and_extract_archive

    with _progress_on_stderr():
        download_and_extract_archive(url, str(root), md5=md5, remove_finished=True)


@contextlib.contextmanager
def _progress_on_stderr() -> Iterator[None]:
    """What torchvision prints is no result."""
    with contextlib.redirect_stdout(sys.stderr):
        yield
