"""`prunectl cache verify`: every byte of the store."""

from __future__ import annotations

import typer

from prunectl.base.errors import STORE
from prunectl.base.text import plural
from prunectl.cli.console import answer, answer_json
from prunectl.cli.options import Json, Store, options


@options
def verify(store: Store = None, json_: Json = False) -> None:
    """Check every byte of every artefact.

    Damaged artefacts are set aside, and recomputed by the next run.
    """
    from prunectl.api.cache import verify as verified
    from prunectl.api.session import open_store

    opened = open_store(store)
    found = verified(opened)
    if json_:
        answer_json({"sound": len(found.sound), "damaged": found.damaged})
    else:
        for line in found.lines():
            answer(f"damaged: {line}")
        checked = found.sound or found.damaged
        counts = f"{plural(len(found.sound), 'artefact')} OK, {len(found.damaged)} damaged"
        answer(counts if checked else f"{opened}: no artefacts")
    if found.damaged:
        raise typer.Exit(STORE)
