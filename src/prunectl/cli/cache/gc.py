"""`prunectl cache gc`: delete what no run needs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from prunectl.base.text import plural, size
from prunectl.cli import complete
from prunectl.cli.confirm import Yes, confirmed
from prunectl.cli.console import answer, say
from prunectl.cli.options import Variant, options

if TYPE_CHECKING:
    from prunectl.store.collect import Garbage, Item

Keep = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="[STUDY]...",
        help="Studies whose artefacts are kept too, run or not.",
        show_default=False,
        autocompletion=complete.studies,
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show what would be deleted.")]


@options
def gc(variant: Variant, keep: Keep = None, dry_run: DryRun = False, yes: Yes = False) -> None:
    """Delete what no recorded run and no STUDY needs.

    It shows what, and asks first; `prunectl cache runs` lists the runs. Besides artefacts these are snapshots,
    failures, locks and scratch that no run needs, and what was set aside. What was changed within the last hour is
    kept. It can be used while runs go on.
    """
    from prunectl.api.cache import collect, collectable

    sessions = [variant.open(study) for study in keep or ()]
    store = variant.open_store()
    found = collectable(store, sessions)
    for line in lines(found):
        answer(line)
    if dry_run or not found.items or not confirmed("Delete all of this?", yes):
        return
    deleted = collect(store, found, sessions)
    answer(f"freed {size(deleted.size_bytes)}: {counted(deleted.items)}")
    if left := len(found.items) - len(deleted.items):
        say(f"{plural(left, 'item')} {'was' if left == 1 else 'were'} left: in use, needed by a new run, or locked")


def lines(found: Garbage) -> Iterator[str]:
    """What can be deleted, for people: counts and sizes by kind."""
    yield f"would free {size(found.size_bytes)}: {counted(found.items)}"
    for kind, (number, size_bytes) in by_kind(found.items).items():
        yield f"  {kind:<14}{number:>8,}  {size(size_bytes):>9}"
    if found.spared:
        yield f"kept because changed within the last hour: {plural(found.spared, 'item')}"


def by_kind(items: Iterable[Item]) -> dict[str, tuple[int, int]]:
    """Number and bytes of the items of each kind."""
    sums: dict[str, tuple[int, int]] = {}
    for item in items:
        number, size_bytes = sums.get(item.kind, (0, 0))
        sums[item.kind] = (number + 1, size_bytes + item.size_bytes)
    return sums


def counted(items: tuple[Item, ...]) -> str:
    """'3 artefacts, 2 other items'."""
    artefacts = sum(item.artefact for item in items)
    others = len(items) - artefacts
    return plural(artefacts, "artefact") + (f", {plural(others, 'other item')}" if others else "")
