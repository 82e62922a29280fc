"""`prunectl cache pull`: artefacts from another store to this one."""

from __future__ import annotations

from typing import Annotated

import typer

from prunectl.cli.cache.push import show
from prunectl.cli.options import Json, NeededBy, Variant, options

From = Annotated[str, typer.Option("--from", metavar="DIR|URL", help="The store that gives the artefacts.")]


@options
def pull(variant: Variant, from_: From, studies: NeededBy = None, json_: Json = False) -> None:
    """Copy the artefacts that studies need from another store.

    Without a study, all artefacts are copied. Every byte is verified; a damaged artefact is refused and named, and
    what the other store has is skipped. Failures, snapshots of trainings under way, and records of runs are not
    copied.
    """
    from prunectl.api.carry import copy
    from prunectl.api.session import existing_store

    other = existing_store(from_)
    sessions = [variant.open(study) for study in studies] if studies else None
    store = variant.open_store()
    show(copy(other, store, sessions), other, store, json_)
