"""What every command about a study begins with: the study, its plan, the store."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import platformdirs

from prunectl.base.errors import PrunectlError
from prunectl.cli.console import say

if TYPE_CHECKING:
    from prunectl.cli.progress import Display
    from prunectl.execute.driver import Tally
    from prunectl.plan.explain import Todo
    from prunectl.plan.graph import Plan
    from prunectl.plan.stage import Stage
    from prunectl.results.table import Results
    from prunectl.store.local import LocalStore
    from prunectl.study.schema import Study

T = TypeVar("T")


MOST_WORKERS = 8
"""Processes that read pictures ahead for one training, at most: of the cores that it would leave idle."""


@dataclass(frozen=True, kw_only=True)
class Session:
    """A study, ready to be done or told of."""

    study: Study
    text: str
    plan: Plan
    store: LocalStore
    data: Path


def open_session(
    path: Path,
    *,
    overrides: Sequence[str] = (),
    profile: str | None = None,
    only: str | None = None,
    store: Path | None = None,
    data: Path | None = None,
) -> Session:
    """Read and check a study, plan it, open the store. Nothing is made."""
    from prunectl.datasets.content import content_of
    from prunectl.plan.build import build
    from prunectl.plan.only import only as restrict
    from prunectl.plan.resolve import dataset_of
    from prunectl.results.published.index import describe
    from prunectl.study.load import load

    loaded = load(path, overrides=overrides, profile=profile)
    study = loaded.study
    for name in study.published.tables:
        describe(name)  # an unknown one is told now, not after hours
    root = data_root(study.data.root, path, data)
    plan = build(study, content_of(dataset_of(study), root))
    if only:
        plan = restrict(plan, only)
    return Session(study=study, text=loaded.text, plan=plan, store=open_store(store), data=root)


def open_store(store: Path | None) -> LocalStore:
    """The store asked for, or the user's own."""
    from prunectl.store.local import LocalStore

    return LocalStore(store or Path(platformdirs.user_cache_dir("prunectl")) / "store").open()


def data_root(in_study: str | None, path: Path, asked: Path | None) -> Path:
    """Where the data lie: --data, else as the study says (from its own directory), else PRUNECTL_DATA or the user's."""
    of_surroundings = asked is None or str(asked) == os.environ.get("PRUNECTL_DATA")
    if in_study is not None and of_surroundings:
        return path.parent / Path(in_study).expanduser()
    if asked is not None:
        return asked
    return Path(platformdirs.user_data_dir("prunectl"))


def results_of(session: Session) -> Results:
    """Everything that the store holds of a study, for a report."""
    from prunectl.results.gather import results

    return sound(lambda: results(session.study, session.text, session.plan, session.store, set()))


def sound(read: Callable[[], T]) -> T:
    """What is read from the store. An artefact found damaged on the way is set aside, and from then on missing."""
    from prunectl.store.local import DamagedError

    while True:
        try:
            return read()
        except DamagedError as error:
            say(f"{error}; it has been set aside, and the next run makes it again")


def todo_of(session: Session, stage: Stage, *, retry: bool = False) -> Todo:
    """What is to do up to a stage, and why."""
    from prunectl.plan.explain import explain

    def failure(key: str) -> str | None:
        found = session.store.failure(key)
        return None if found is None else "crash" if retry else found["kind"]

    return explain(
        session.plan,
        session.plan.targets(stage),
        has=session.store.has,
        failure=failure,
        under_way=session.store.under_way,
    )


def make(
    session: Session,
    stage: Stage,
    *,
    jobs: int | None,
    device: str,
    threads: int,
    executor: str = "local",
    retry: bool = False,
    show: Callable[[Todo], Display],
) -> Tally:
    """Do everything that is missing up to a stage."""
    from prunectl.catalog.tables import entry_type
    from prunectl.execute.driver import Tally, drive
    from prunectl.execute.engine import Executor
    from prunectl.execute.outcome import Request
    from prunectl.plan.resolve import dataset_of
    from prunectl.plan.steps import Key

    chosen = entry_type("executors", executor)()
    assert isinstance(chosen, Executor), f"{executor} of the executors is not an Executor"
    device = resolve_device(device)
    todo = todo_of(session, stage, retry=retry)
    if not todo.todo:
        return Tally(reused=set(todo.reused), failed=dict.fromkeys(todo.failed, "failed before"))
    session.store.sweep()
    side_by_side = jobs or default_jobs(device)

    def request(key: Key) -> Request:
        return Request(
            key=key,
            step=session.plan.steps[key],
            resume=session.plan.follows.get(key),
            store=session.store.root.absolute(),
            data=session.data.absolute(),
            device=device,
            threads=threads,
            workers=max(0, min(MOST_WORKERS, cores() // side_by_side - threads)),
            jobs=side_by_side,
        )

    # Every child reads the script again that began all this, and with it what that imports.
    engine = chosen.engine(side_by_side, ("prunectl.cli.app", *dataset_of(session.study).imports))
    with show(todo) as listen:
        tally = drive(session.plan, todo, engine, request, listen)
    tally.failed.update(dict.fromkeys(todo.failed, "failed before"))
    return tally


def default_jobs(device: str) -> int:
    """One process a core on the CPU; one on a GPU."""
    return cores() if device == "cpu" else 1


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def resolve_device(asked: str) -> str:
    """`auto` is CUDA where there is a GPU and torch can use it, else the CPU; anything else is taken at its word."""
    head, _, index = asked.partition(":")
    if head not in ("auto", "cpu", "cuda") or (index and not (head == "cuda" and index.isdigit())):
        raise PrunectlError(f"no device {asked!r}; a device is auto, cpu, cuda or cuda:0, cuda:1, ...")
    if head == "cpu" or (head == "auto" and not Path("/dev/nvidiactl").exists()):
        return "cpu"
    import torch  # only on machines with a GPU, or where CUDA is asked for

    if torch.cuda.is_available() and int(index or 0) < torch.cuda.device_count():
        return "cuda" if head == "auto" else asked
    if head == "auto":
        return "cpu"
    raise PrunectlError(
        f"device {asked!r} is not there: torch {torch.__version__} finds {torch.cuda.device_count()} CUDA devices",
        hint="use --device cpu, or install a torch built for this machine's driver",
    )
