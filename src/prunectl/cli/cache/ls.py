"""`prunectl cache ls`: the artefacts of the store."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict

from prunectl.base.text import seconds, size
from prunectl.cli.console import answer, answer_json, say
from prunectl.cli.options import Json, Store, options


@options
def ls(store: Store = None, json_: Json = False) -> None:
    """List the artefacts: kind, size, how long they took, when they were made."""
    from prunectl.api.cache import artefacts
    from prunectl.api.session import open_store

    opened = open_store(store)
    rows = list(artefacts(opened, warn=say))
    if json_:
        answer_json({"store": str(opened.root), "artefacts": [asdict(row) for row in rows]})
        return
    for row in rows:
        columns = f"{row.kind:<12}  {size(row.size_bytes):>9}  {seconds(row.wall_s):>8}  {row.created}"
        answer(f"{row.key[:16]}  {columns}")
    kinds = Counter(row.kind for row in rows)
    counted = ", ".join(f"{count} {kind}" for kind, count in kinds.items()) or "no artefacts"
    say(f"{opened.root}: {counted}; {size(sum(row.size_bytes for row in rows))}")
