"""Studies, results files and published numbers compared with each other, trial by trial."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prunectl.api.damage import warn_in_log
from prunectl.api.results import table_of
from prunectl.api.session import Overrides, Place, Selectors, open_study
from prunectl.base.errors import PrunectlError

if TYPE_CHECKING:
    from prunectl.api.damage import Warn
    from prunectl.api.session import Session
    from prunectl.report.comparison_page import Source
    from prunectl.results.compare import Comparison
    from prunectl.results.published.against import Held

PUBLISHED = "published:"
MOST = 12
"""Maximum number of tables: each needs a colour."""


@dataclass(frozen=True, kw_only=True)
class Compared:
    """The tables; what differs between the first and each of the others; each next to published numbers."""

    sources: list[Source]
    comparison: Comparison | None
    """None for one table next to published numbers."""
    published: list[Held]

    def document(self) -> dict[str, Any]:
        """The comparison in plain values. One table next to one published table is only that."""
        if self.comparison is None and len(self.published) == 1:
            return self.published[0].to_dict()
        compared = self.comparison.to_dict() if self.comparison else {}
        return {**compared, "published": [held.to_dict() for held in self.published]}


def compare(
    *tables: str,
    only: Selectors = (),
    set: Overrides = (),
    profile: str | None = None,
    store: Place | None = None,
    data: Place | None = None,
    warn: Warn = warn_in_log,
) -> Compared:
    """Pair the trials of every table with those of the first by arm, sparsity and seed.

    A table is a study (a .toml file, or the name of one that was installed with prunectl), STUDY@PROFILE for a study
    with a profile of its own, a results file (csv, json, parquet) or published:NAME, or published:FILE.csv for numbers
    that are not shipped. `only`, `set` and `profile` are for every study. Raises PrunectlError.
    """
    ours = [name for name in tables if not name.startswith(PUBLISHED)]
    theirs = [_published(name.removeprefix(PUBLISHED)) for name in tables if name.startswith(PUBLISHED)]
    _check_number(tables, ours)
    from prunectl.results.compare import compare as pair
    from prunectl.results.published.index import describe

    for name in theirs:
        describe(name)  # an unknown table is reported before anything is read
    studies = [_study(name) for name in ours]
    if only or set or profile is not None:
        _check_selectable(studies)

    def opened(study: tuple[Path, str | None]) -> Session:
        path, own = study
        return open_study(path, only=only, set=set, profile=profile if own is None else own, store=store, data=data)

    read = [
        _results(name) if study is None else _stored(name, opened(study), warn)
        for name, study in zip(ours, studies, strict=True)
    ]
    sources, keys = [source for source, _ in read], [key for _, key in read]
    comparison = None
    if len(ours) > 1:
        tasks = [source.task for source in sources]
        comparison = pair(*(source.trials for source in sources), names=ours, keys=keys, tasks=tasks)
    return Compared(sources=sources, comparison=comparison, published=_against(theirs, sources))


def _against(names: Sequence[str], sources: Sequence[Source]) -> list[Held]:
    """Each table next to each published one."""
    from prunectl.results.compare import letter
    from prunectl.results.published.against import held

    return [
        held(source.trials, name, letter(place), task=source.task)
        for name in names
        for place, source in enumerate(sources)
    ]


def _check_selectable(studies: Sequence[object]) -> None:
    if not any(studies):
        raise PrunectlError(
            "no table is a study, and of results files no part can be selected",
            hint="name studies, or leave out --only, --set and --profile",
        )


def _published(name: str) -> str:
    """A published table as studies name it: published:theirs.csv is a file."""
    return f"file:{name}" if name.lower().endswith(".csv") and not name.startswith("file:") else name


def _check_number(tables: Sequence[str], ours: Sequence[str]) -> None:
    if not ours or len(tables) < 2:
        raise PrunectlError(
            "a comparison takes two or more tables, at least one of them yours",
            hint="give studies or results files (csv, json, parquet), with published:NAME or published:FILE.csv",
        )
    if len(tables) > MOST:
        raise PrunectlError(f"{len(tables)} tables are too many to compare; the maximum is {MOST}")


def _study(name: str) -> tuple[Path, str | None] | None:
    """The study that a table names, and a profile of its own; None for a results file."""
    study, sign, profile = name.rpartition("@")
    if sign and _names_study(study) and not Path(name).exists():
        return Path(study), profile
    return (Path(name), None) if _names_study(name) else None


def _names_study(name: str) -> bool:
    """Whether this is a study file, or the name of a study: a word without a folder and an ending."""
    path = Path(name)
    return path.suffix == ".toml" or (bool(name) and path.name == name and not path.suffix and not path.is_file())


def _results(name: str) -> tuple[Source, dict[str, Any]]:
    """A results file, which does not record the keys of its study."""
    from prunectl.report.comparison_page import Source
    from prunectl.results.table_files import read_table

    return Source(name=name, trials=read_table(Path(name))), {}


def _stored(name: str, session: Session, warn: Warn) -> tuple[Source, dict[str, Any]]:
    """What the store holds of a study, and its keys."""
    from prunectl.report.comparison_page import Source
    from prunectl.results.gather import task_of

    trials = table_of(session, warn=warn)
    study, restricted = session.study.name, session.selection.text
    task = task_of(session.study, session.content)
    source = Source(name=name, trials=trials, study=study, text=session.text, restricted=restricted, task=task)
    return source, session.study.model_dump(mode="json")
