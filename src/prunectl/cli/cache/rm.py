"""`prunectl cache rm`: forget a run, delete an artefact."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from prunectl.base.text import plural
from prunectl.cli import complete
from prunectl.cli.confirm import Yes, confirmed
from prunectl.cli.console import answer
from prunectl.cli.options import Store, options

if TYPE_CHECKING:
    from prunectl.api.cache import Removal

Names = Annotated[
    list[str],
    typer.Argument(
        metavar="RUN|KEY...",
        help="Runs and artefacts, each by the beginning of its name.",
        show_default=False,
        autocompletion=complete.artefacts,
    ),
]


@options
def rm(names: Names, store: Store = None, yes: Yes = False) -> None:
    """Forget runs, or delete artefacts.

    `prunectl cache gc` then deletes what only a forgotten run needed. It asks first. A deleted artefact is computed
    again by the next run that needs it.
    """
    from prunectl.api.cache import removal, remove
    from prunectl.api.session import open_store

    opened = open_store(store)
    chosen = removal(opened, names)
    for line in lines(chosen):
        answer(line)
    if confirmed("Remove this?", yes):
        remove(opened, chosen)
        answer(f"removed: {plural(len(chosen.runs) + len(chosen.unreadable), 'run')}, "
               f"{plural(len(chosen.keys), 'artefact')}")  # fmt: skip


def lines(chosen: Removal) -> Iterator[str]:
    """What is removed, and what depends on it."""
    from prunectl.api.runs import moment

    for run in chosen.runs:
        yield (
            f"run {run.id}: {run.caption.name}, {moment(run.caption.when)}, in {run.caption.directory}; "
            "`prunectl cache gc` then deletes the artefacts that nothing else needs"
        )
    for id_ in chosen.unreadable:
        yield f"run {id_}: its record cannot be read"
    for key in chosen.keys:
        yield f"artefact {key[:16]}: {_depends(chosen, key)}"


def _depends(chosen: Removal, key: str) -> str:
    """What was made from an artefact, and the runs that need it."""
    children, runs = chosen.children[key], chosen.needed_by[key]
    made = f"{plural(len(children), 'artefact')} in the store {'was' if len(children) == 1 else 'were'} made from it"
    if not runs:
        return f"{made}; no recorded run needs it"
    names = ", ".join(f"{run.caption.name} ({run.id[:8]})" for run in runs)
    return f"{made}; needed by {plural(len(runs), 'run')}: {names}; the next such run computes it again"
