"""`prunectl cache push`: artefacts from the store to another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from prunectl.base.errors import STORE
from prunectl.base.text import plural, size
from prunectl.cli.console import answer, answer_json, say
from prunectl.cli.options import Json, NeededBy, Variant, options

if TYPE_CHECKING:
    from prunectl.api.carry import Copied
    from prunectl.store.local import LocalStore

To = Annotated[str, typer.Option("--to", metavar="DIR|URL", help="The store that receives the artefacts.")]


@options
def push(variant: Variant, to: To, studies: NeededBy = None, json_: Json = False) -> None:
    """Copy the artefacts that studies need to another store.

    Without a study, all artefacts are copied. Every byte is verified; a damaged artefact is refused and named, and
    what the other store has is skipped. Failures, snapshots of trainings under way, and records of runs are not
    copied.
    """
    from prunectl.api.carry import copy
    from prunectl.api.session import existing_store, open_store

    store = existing_store(variant.store)
    other = open_store(to)
    sessions = [variant.open(study) for study in studies] if studies else None
    show(copy(store, other, sessions), store, other, json_)


def show(copied: Copied, source: LocalStore, target: LocalStore, json_: bool) -> None:
    """Print what was copied. Exits with STORE if an artefact is damaged."""
    for key, why in copied.damaged.items():
        say(f"artefact {key[:12]} is damaged ({why}), and was not copied")
    if json_:
        answer_json(document(copied, source, target))
    else:
        number = plural(len(copied.copied), "artefact")
        answer(
            f"{source} → {target}: {number} copied ({size(copied.size_bytes)}), {len(copied.present)} already present"
        )
        if copied.missing:
            say(f"{source} has no artefact of {copied.missing:,} of {plural(copied.needed, 'step')}")
    if copied.damaged:
        raise typer.Exit(STORE)


def document(copied: Copied, source: LocalStore, target: LocalStore) -> dict[str, Any]:
    """What was copied, as JSON."""
    return {
        "from": str(source),
        "to": str(target),
        "copied": copied.copied,
        "size_bytes": copied.size_bytes,
        "present": copied.present,
        "missing": copied.missing,
        "damaged": copied.damaged,
    }
