"""The studies at hand: in the current directory, and those that were installed with prunectl."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prunectl.base.errors import PrunectlError
from prunectl.base.text import did_you_mean

if TYPE_CHECKING:
    from prunectl.api.session import Place

PACKAGE = Path(__file__).parents[1]

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
    document = _document(path)
    return "name" in document and len(SECTIONS & document.keys()) >= 2


def _document(path: Path) -> dict[str, Any]:
    """The tables of a TOML file; empty if it is not one, or a very large one."""
    import tomli

    try:
        if not path.is_file() or path.stat().st_size > LARGEST_BYTES:
            return {}
        return tomli.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}


def shipped() -> dict[str, Path]:
    """The study files that were installed with prunectl, by the names of the studies.

    A file is called like its study, with underscores for hyphens; in a folder, with the folder's name in front. In a
    checkout the files are those of the checkout.
    """
    checkout = PACKAGE.parents[1]
    folder = checkout / "studies" if (checkout / "pyproject.toml").is_file() else PACKAGE / "studies"
    files = [*sorted(folder.glob("*.toml")), *sorted(folder.glob("*/*.toml"))]
    return {"-".join(path.relative_to(folder).with_suffix("").parts).replace("_", "-"): path for path in files}


@dataclass(frozen=True, kw_only=True)
class Shipped:
    """A study that was installed with prunectl, in the words of its file."""

    name: str
    title: str
    source: str
    """The paper that it is about."""
    model: str
    dataset: str
    profiles: tuple[str, ...]
    path: str


def described() -> list[Shipped]:
    """Every study that was installed with prunectl."""
    return [_described(name, path) for name, path in shipped().items()]


def _described(name: str, path: Path) -> Shipped:
    document = _document(path)
    return Shipped(
        name=name,
        title=document.get("title", ""),
        source=document.get("source", ""),
        model=document["model"]["name"],
        dataset=document["data"]["name"],
        profiles=tuple(document.get("profile", {})),
        path=str(path),
    )


def study_file(study: Place) -> Path:
    """The file of a study that is given by its path, or by the name of one that was installed. A path wins.

    `mine` is `mine.toml`, too. Raises PrunectlError, with the nearest name, if it is none of them.
    """
    path = Path(study)
    if path.is_file() or path.suffix or path.name != str(study):
        return path
    here, installed = path.with_name(f"{path.name}.toml"), shipped()
    if path.name and here.is_file():
        return here
    if (name := path.name.replace("_", "-")) in installed:
        return installed[name]
    if os.path.lexists(path):
        return path
    near = did_you_mean(path.name, [*installed, *(file.stem for file in studies_here())], "{}")
    raise PrunectlError(
        f"{path} does not exist, and no study of that name was installed with prunectl",
        hint=near or "`prunectl list studies` lists those that were; `prunectl new NAME` writes one to begin with",
    )


def no_study(why: str = "") -> PrunectlError:
    """The error for a command without a study: it lists those at hand."""
    return _NoStudyError(f"no study is named{why}", studies_here(), list(shipped()))


class _NoStudyError(PrunectlError):
    """Lists the studies at hand."""

    def __init__(self, message: str, here: list[Path], installed: list[str]) -> None:
        hint = "name one of them" if here or installed else "`prunectl new NAME` writes one to begin with"
        super().__init__(message, hint=hint)
        self.here, self.installed = here, installed

    def details(self) -> Iterator[str]:
        """A line for each study."""
        yield from _listed("studies here", list(map(str, self.here)))
        yield from _listed("installed with prunectl (`prunectl list studies`)", self.installed)
        if not self.here:
            yield "  no study file is in this directory or in studies/"


def _listed(head: str, studies: list[str]) -> Iterator[str]:
    if studies:
        yield f"  {head}:"
        yield from (f"    {study}" for study in studies[:SHOWN])
    if len(studies) > SHOWN:
        yield f"    and {len(studies) - SHOWN} more"
