"""What is damaged or in the way is set aside: moved to a folder for it with a note of what was wrong, never used."""

from __future__ import annotations

import contextlib
from pathlib import Path

from prunectl.store import layout
from prunectl.store.atomic import make_directory, new_directory, remove_tree


def set_aside(root: Path, path: Path, why: str) -> str | None:
    """Move a file or directory of the store aside. Returns None, or why it cannot be moved.

    If another process has moved it in the meantime, that is as good.
    """
    try:
        target = new_directory(_folder(root), f"{path.name[:16]}-")
    except OSError as error:
        return error.strerror or str(error)
    try:
        path.rename(target / "artefact")
    except OSError as error:
        remove_tree(target)
        return None if isinstance(error, FileNotFoundError) else error.strerror or str(error)
    with contextlib.suppress(OSError):  # the note is only for people
        (target / "why.txt").write_text(why + "\n", encoding="utf-8")
    return None


def _folder(root: Path) -> Path:
    """The folder for what was set aside; a file in its place gets another name."""
    aside = root / layout.ASIDE
    try:
        make_directory(aside)
    except NotADirectoryError:
        target = new_directory(root, f"{layout.ASIDE}-")
        aside.rename(target / "artefact")
        make_directory(aside)
    return aside
