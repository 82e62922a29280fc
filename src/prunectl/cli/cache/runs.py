"""`prunectl cache runs`: the runs that the store keeps artefacts for."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from prunectl.base.text import span
from prunectl.cli.console import answer, answer_json, say
from prunectl.cli.options import Json, Store, options

if TYPE_CHECKING:
    from prunectl.store.local import LocalStore
    from prunectl.store.runs import Run


@options
def runs(store: Store = None, json_: Json = False) -> None:
    """List the recorded runs, the latest last.

    Study, when and where it was run, and how much of it is stored.
    """
    from prunectl.api.runs import recorded
    from prunectl.api.session import open_store

    opened = open_store(store)
    found = recorded(opened, warn=say)
    if json_:
        answer_json({"store": str(opened), "runs": [document(run, opened) for run in found]})
        return
    for run in found:
        for line in lines(run, opened):
            answer(line)
    if not found:
        say(f"{opened}: no runs")


def document(run: Run, store: LocalStore) -> dict[str, Any]:
    """A run as JSON."""
    return {
        "id": run.id,
        **asdict(run.caption),
        "granted": dict(run.granted),
        "steps": len(run.keys),
        "stored": stored(run, store),
    }


def lines(run: Run, store: LocalStore) -> list[str]:
    """A run for people."""
    from prunectl.api.runs import moment

    caption = run.caption
    title = f" ({caption.title})" if caption.title and caption.title != caption.name else ""
    return [
        f"{run.id}  {moment(caption.when)}  {caption.name}{title}: {stored(run, store):,} of {len(run.keys):,} "
        "steps stored" + (f", {span(run.granted.values())} seeds granted to an arm" if run.granted else ""),
        f"    {command(run)}",
        f"    in {caption.directory}, by {caption.user} on {caption.host}",
    ]


def command(run: Run) -> str:
    """The command line of a run."""
    import shlex

    from prunectl.study.selection import Selection

    caption = run.caption
    selection = Selection(profile=caption.profile, overrides=caption.overrides, only=caption.only)
    stage = {"retrain": "run"}.get(caption.stage, caption.stage)
    return shlex.join(["prunectl", stage, caption.path, *selection.options()])


def stored(run: Run, store: LocalStore) -> int:
    """The number of a run's steps whose artefacts are in the store."""
    return sum(store.has(key) for key in run.keys)
