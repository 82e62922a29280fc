"""`prunectl cache import`: the artefacts of an archive into the store."""

from __future__ import annotations

from prunectl.base.text import plural
from prunectl.cli.cache.export import Archive
from prunectl.cli.console import answer, answer_json
from prunectl.cli.options import Json, Store, options


@options
def import_(file: Archive, store: Store = None, json_: Json = False) -> None:
    """Import the artefacts of an archive into the store.

    Each is verified; those already in the store are kept. An archive that is damaged, cut short or holds anything else
    is refused as a whole.
    """
    from prunectl.api.carry import take
    from prunectl.api.session import open_store

    opened = open_store(store)
    taken = take(file, opened)
    if json_:
        answer_json({"file": str(file), "store": str(opened), "imported": taken.imported, "there": taken.present})
        return
    imported = plural(len(taken.imported), "artefact")
    answer(f"{opened}: {imported} imported, {len(taken.present)} were there already")
