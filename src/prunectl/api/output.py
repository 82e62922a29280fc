"""Where results are written: a folder for each study and selection, which no other study overwrites."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prunectl.api.damage import warn_in_log
from prunectl.api.report import ELSEWHERE, write
from prunectl.base.errors import PrunectlError, writing

if TYPE_CHECKING:
    from prunectl.api.damage import Warn
    from prunectl.api.session import Session
    from prunectl.results.table import Results

RESULTS = Path("results")
OWNER = "run.json"
"""The file in a folder of results that records whose they are."""
EXPORT = "export"
TRACKING = "tracking"
"""The folder of the logs of trackers."""
WRITTEN = ("table.csv", "report.html", EXPORT, TRACKING)
"""What prunectl writes into such a folder."""
MOST_FOLDERS = 1000


def folder_of(session: Session, *, warn: Warn = warn_in_log) -> Path:
    """The folder for a session's results: results/NAME, or with a number after it if that is another study's.

    A profile that gives the study a name gives the folder that name.

    Raises PrunectlError if no folder is free.
    """
    name = session.selection.named(session.study.name, by_profile=session.named_by_profile)
    candidates = _candidates(RESULTS / name)
    first = next(candidates)
    if (whose := _owned_by_another(first, session)) is None:
        return first
    for folder in candidates:
        if _owned_by_another(folder, session) is None:
            warn(f"{first} {whose}; it is left as it is, and results go to {folder}")
            return folder
    raise PrunectlError(f"{first} {whose}", hint=ELSEWHERE)


def save(session: Session, results: Results, folder: Path | None = None, *, warn: Warn = warn_in_log) -> list[Path]:
    """Write the table and the page to a folder, by default the session's own. Raises PrunectlError."""
    folder = folder or folder_of(session, warn=warn)
    claim(folder, session)
    return write(results, folder)


def require_writable(folder: Path) -> None:
    """Raises PrunectlError if a folder of results cannot be written, or made. Nothing of this check stays."""
    with writing(folder, hint=ELSEWHERE):
        nearest = next(path for path in (folder, *folder.absolute().parents) if os.path.lexists(path))
        with tempfile.TemporaryFile(dir=nearest):
            pass


def file_of(session: Session, name: str, *, warn: Warn = warn_in_log) -> Path:
    """Where a report of a session is written that is given no place: with its other results, claimed for it.

    Raises PrunectlError if the folder cannot be written.
    """
    folder = folder_of(session, warn=warn)
    claim(folder, session)
    return folder / name


def claim(folder: Path, session: Session) -> None:
    """Create a folder and record in it whose results it holds. Raises PrunectlError if it cannot be written."""
    from prunectl.store.atomic import write_whole

    with writing(folder, hint=ELSEWHERE):
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / OWNER, json.dumps(owner(session, folder), indent=1).encode() + b"\n")


def owner(session: Session, folder: Path) -> dict[str, Any]:
    """Whose results a folder holds. The study file is given from the folder, so that both can move together."""
    selection = session.selection
    return {
        "study": _from(folder.resolve(), session.path.resolve()),
        "name": session.study.name,
        "profile": selection.profile,
        "set": list(selection.overrides),
        "only": list(selection.only),
    }


def _from(folder: Path, path: Path) -> str:
    return Path(os.path.relpath(path, folder)).as_posix() if path.drive == folder.drive else str(path)


def _candidates(folder: Path) -> Iterator[Path]:
    yield folder
    yield from (folder.with_name(f"{folder.name}-{number}") for number in range(2, MOST_FOLDERS))


def _owned_by_another(folder: Path, session: Session) -> str | None:
    """Whose results a folder holds, in words; None if they are the session's own, or there are none."""
    try:
        found = json.loads((folder / OWNER).read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        held = [name for name in WRITTEN if (folder / name).exists()]
        return f"has {held[0]} and no {OWNER} that shows what it belongs to" if held else None
    except (OSError, ValueError, RecursionError):
        return f"has a {OWNER} that cannot be read"
    if found == owner(session, folder):
        return None
    return f"holds results of {_shown(found, folder)}"


def _shown(found: Any, folder: Path) -> str:
    """The study that a folder belongs to, for people."""
    study = found.get("study") if isinstance(found, dict) else None
    return os.path.normpath(folder / study) if isinstance(study, str) else "another study"
