"""Manifests and small files of artefacts that are not fetched whole: a table needs no weights.

They are copies: whoever reads one verifies it. One that is torn by a power cut is fetched again, so none is synced.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from prunectl.store import layout
from prunectl.store.atomic import read_file, remove_tree


class Peeked:
    """Single files of remote artefacts in a local directory."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def read(self, key: str, name: str) -> bytes | None:
        """What was kept, not verified; None if nothing was."""
        try:
            return read_file(self._folder(key) / name)
        except OSError:
            return None

    def has(self, key: str, name: str) -> bool:
        """Whether something was kept."""
        return os.path.exists(self._folder(key) / name)  # noqa: PTH110  # called for every step of a plan

    def keep(self, key: str, name: str, data: bytes) -> None:
        """Keep a copy; on a full disk or one that cannot be written there is none."""
        folder = self._folder(key)
        draft = folder / f".{name[:50]}.{os.getpid()}-{secrets.token_hex(4)}"
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            try:
                draft.write_bytes(data)
                draft.replace(folder / name)
            finally:
                draft.unlink(missing_ok=True)

    def forget(self, key: str) -> None:
        """Remove the copies of an artefact's files."""
        remove_tree(self._folder(key))

    def _folder(self, key: str) -> Path:
        return layout.sharded(self.root, layout.PEEKED, key)
