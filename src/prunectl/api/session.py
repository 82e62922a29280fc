"""Opening a study: the study, its plan and the store. Nothing is computed."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prunectl.study.selection import WHOLE, Selection

if TYPE_CHECKING:
    from prunectl.api.data import Provide
    from prunectl.catalog.dataset import Content
    from prunectl.plan.graph import Plan
    from prunectl.store.local import LocalStore
    from prunectl.study.load import LoadedStudy
    from prunectl.study.overrides import Override
    from prunectl.study.schema import Study

Selectors = str | Sequence[str]
"""What `--only` takes: within a selector comma means "and"; several selectors mean "or"."""
Overrides = Sequence[str] | Mapping[str, Any]
"""What `--set` takes: 'train.epochs=2', or {"train.epochs": 2}."""
Place = str | os.PathLike[str]


@dataclass(frozen=True, kw_only=True)
class Session:
    """A study that is ready to be run or reported."""

    path: Path
    study: Study
    text: str
    """The study file, with a comment line per override at its end."""
    content: Content
    """What the data set is and how large."""
    plan: Plan
    store: LocalStore
    data: Path
    selection: Selection = WHOLE
    """What of the study was asked for."""
    named_by_profile: bool = False
    """Whether the profile gives the study its name."""

    weights: Mapping[str, Path] = field(default_factory=dict)
    """The files of weights that the study begins from, by the digest of their tensors."""
    digests: Mapping[str, str] = field(default_factory=dict)
    """The digests of these files, by the name that the study gives them."""
    overridden: Mapping[tuple[str | int, ...], Override] = field(default_factory=dict)
    """The overrides in force, by the path of what each has set."""
    granted: Mapping[str, int] = field(default_factory=dict)
    """Where seeds are added until claims are settled: the number of seeds of arms by label, as far as any were added.
    The plan follows from it; `api/granted.py` finds it in the store.
    """


def open_study(
    path: Place,
    *,
    only: Selectors = (),
    set: Overrides = (),
    profile: str | None = None,
    store: Place | None = None,
    data: Place | None = None,
    provide: Provide | None = None,
) -> Session:
    """Read and check a study, plan it, open the store. Of a study that adds seeds, the store shows how many by now.

    `path` is a file, or the name of a study that was installed with prunectl. `provide` is called before the data set
    is read, which is only done here if its content is not known beforehand.
    Raises StudyError with every problem of the study and of its files of weights, DataError for data that are
    missing, StoreError.
    """
    from prunectl.api.granted import at_first, grown
    from prunectl.api.studies import study_file
    from prunectl.api.weights import weights_of
    from prunectl.datasets.content import content_of

    path = study_file(path)
    selectors = [only] if isinstance(only, str) else only
    selection = Selection(profile=profile, overrides=tuple(assignments(set)), only=tuple(selectors))
    loaded = _loaded(path, selection)
    study = loaded.study
    root = data_root(study.data.root, path, None if data is None else Path(data))
    if provide is not None and study.data.dataset.fingerprint is None:
        provide(study.data.dataset, root)
    content = content_of(study.data.dataset, root)
    weights = weights_of(loaded)
    opened = open_store(store)
    granted = at_first(path, opened, selection) if study.sweep.looks else {}
    session = Session(
        path=path,
        study=study,
        text=loaded.text,
        content=content,
        plan=_planned(loaded, content, weights.digests, granted, selection),
        store=opened,
        data=root,
        selection=selection,
        named_by_profile=loaded.named_by_profile,
        weights=weights.files,
        digests=weights.digests,
        overridden=loaded.overridden,
        granted=granted,
    )
    return grown(session)


def _loaded(path: Path, selection: Selection) -> LoadedStudy:
    """The study of a file, which names no published table that does not exist."""
    from prunectl.catalog.importing import same_directory, stdout_on_stderr
    from prunectl.results.published.index import describe
    from prunectl.study.load import load

    with stdout_on_stderr(), same_directory():  # what a plug-in raises, the command line reports
        loaded = load(path, overrides=selection.overrides, profile=selection.profile)
    for name in loaded.study.published.tables:
        describe(name, loaded.study.published.folder)  # an unknown table is reported now, not after hours
    return loaded


def _planned(
    loaded: LoadedStudy, content: Content, digests: Mapping[str, str], granted: Mapping[str, int], selection: Selection
) -> Plan:
    """The plan of what is selected of a study."""
    from prunectl.catalog.importing import same_directory, stdout_on_stderr
    from prunectl.plan.build import build
    from prunectl.plan.only import only

    with _placed_in(loaded), stdout_on_stderr(), same_directory():
        whole = build(loaded.study, content, digests, granted)
    return only(whole, selection.only)


@contextmanager
def _placed_in(loaded: LoadedStudy) -> Iterator[None]:
    """Give problems that only the plan shows their place, as those of the file have it."""
    from prunectl.base.errors import StudyError
    from prunectl.base.text import plural
    from prunectl.study.placed import placed

    try:
        yield
    except StudyError as error:
        if not error.problems:
            raise
        count = plural(len(error.problems), "problem")
        problems = placed(loaded.text, str(loaded.path), error.problems, loaded.overridden)
        raise StudyError(f"{loaded.path}: {count}", problems) from None


def assignments(set: Overrides) -> list[str]:
    """Overrides as `--set` takes them. Raises TypeError for a value that TOML does not have."""
    from prunectl.base.cells import cell

    if isinstance(set, str):
        raise TypeError("set takes a list of 'key=value' texts, or a mapping from keys to values")
    return [f"{key}={cell(value)}" for key, value in set.items()] if isinstance(set, Mapping) else list(set)


def existing_store(store: Place | None = None) -> LocalStore:
    """The same, to read from: a directory that is no store is refused, not made one. Raises StoreError."""
    from prunectl.base.errors import StoreError
    from prunectl.store import layout

    if store is not None and "://" not in str(store) and not (Path(store) / layout.MARKER).exists():
        raise StoreError(
            f"there is no store at {store}", hint="check the spelling; `prunectl doctor` shows your own store"
        )
    return open_store(store)


def open_store(store: Place | None = None) -> LocalStore:
    """The store at a directory or a URL, else at PRUNECTL_STORE, else that of the user's settings, else the user's own.

    Raises StoreError, and StudyError for settings that cannot be used.
    """
    from prunectl.api.settings import settings
    from prunectl.store.address import store_at

    chosen = store or os.environ.get("PRUNECTL_STORE") or settings().store or own_store()
    return store_at(chosen if isinstance(chosen, str) else Path(chosen)).open()


def own_store() -> Path:
    """The user's own store: with the user's data. A cache is what people delete first to make room, so that only a
    store that an earlier prunectl has made there is used there.
    """
    import platformdirs

    from prunectl.store import layout

    own, earlier = Path(platformdirs.user_data_dir("prunectl")) / "store", earlier_store()
    return earlier if (earlier / layout.MARKER).exists() and not (own / layout.MARKER).exists() else own


def earlier_store() -> Path:
    """Where an earlier prunectl had the user's own store."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("prunectl")) / "store"


def advice(store: LocalStore) -> str:
    """What to do about a store that is among the caches, as a sentence; empty for any other."""
    if store.url is not None or store.root.absolute() != earlier_store().absolute():
        return ""
    import platformdirs

    moved = Path(platformdirs.user_data_dir("prunectl")) / "store"
    why = "is among the caches, which people delete to make room"
    return f"{store} {why}; to move it: mkdir -p {moved.parent} && mv {store.root} {moved}"


def data_root(in_study: str | None, path: Path, asked: Path | None) -> Path:
    """Where data sets are: `asked`, else from the study (relative to its own directory), else PRUNECTL_DATA, that of
    the user's settings, or the user's.

    A command line hands on PRUNECTL_DATA as if it had been asked for, so that value gives way to the study's.
    """
    import platformdirs

    from prunectl.api.settings import settings

    environment = os.environ.get("PRUNECTL_DATA")
    if asked is not None and str(asked) != environment:
        return asked
    if in_study is not None:
        return path.parent / Path(in_study).expanduser()
    return Path(environment or settings().data or platformdirs.user_data_dir("prunectl"))
