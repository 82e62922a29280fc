"""The studies at hand: in the current directory, and those that were installed with prunectl."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import as_file, files
from pathlib import Path

from prunectl.base.errors import PrunectlError
from prunectl.base.text import plural

SECTIONS = {"data", "model", "train", "sweep", "prune"}
"""A TOML file with a name and two of these is taken for a study."""
MOST_FILES = 200
LARGEST_BYTES = 1 << 20
SHOWN = 12


def studies_here(folder: Path | None = None) -> list[Path]:
    """The study files in a directory, by default the current one, and in its `studies/`."""
    folder = folder or Path()
    candidates = [*sorted(folder.glob("*.toml")), *sorted((folder / "studies").glob("*.toml"))]
    return [path for path in candidates[:MOST_FILES] if looks_like_a_study(path)]


def looks_like_a_study(path: Path) -> bool:
    """Whether a file has the form of a study. It may still have mistakes."""
    import tomli

    try:
        if not path.is_file() or path.stat().st_size > LARGEST_BYTES:
            return False
        document = tomli.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    return "name" in document and len(SECTIONS & document.keys()) >= 2


def shipped() -> list[Path]:
    """The study files that were installed with prunectl."""
    with as_file(files("prunectl")) as package:
        return [path for path in sorted((package / "studies").glob("*.toml")) if looks_like_a_study(path)]


def no_study(why: str = "") -> PrunectlError:
    """The error for a command without a study: it lists those at hand."""
    return _NoStudyError(f"no study is named{why}", studies_here(), shipped())


class _NoStudyError(PrunectlError):
    """Lists the studies at hand."""

    def __init__(self, message: str, here: list[Path], installed: list[Path]) -> None:
        hint = "name one of them" if here or installed else "`prunectl new NAME` writes one to begin with"
        super().__init__(message, hint=hint)
        self.here, self.installed = here, installed

    def details(self) -> Iterator[str]:
        """A line for each study."""
        yield from _listed("studies here", self.here)
        yield from _listed("installed with prunectl", self.installed)
        if not self.here:
            yield "  no study file is in this directory or in studies/"


def _listed(head: str, paths: list[Path]) -> Iterator[str]:
    if paths:
        yield f"  {head}:"
        yield from (f"    {path}" for path in paths[:SHOWN])
    if len(paths) > SHOWN:
        yield f"    and {plural(len(paths) - SHOWN, 'more file')}"
