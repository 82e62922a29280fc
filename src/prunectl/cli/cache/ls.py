"""`prunectl cache ls`: the artefacts of the store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from prunectl.base.text import plural, seconds, size
from prunectl.cli.cache.gc import by_kind
from prunectl.cli.console import answer, answer_json, say
from prunectl.cli.options import Json, Store, options

if TYPE_CHECKING:
    from prunectl.api.cache import Use


def _named(used_by: Sequence[Use]) -> str:
    """The study and the step of the latest run that needs an artefact, and how many other studies need it."""
    if not used_by:
        return ""
    last = used_by[-1]
    others = len({use.study for use in used_by} - {last.study})
    more = f" (and {others} other {'study' if others == 1 else 'studies'})" if others else ""
    return f"{last.study}: {last.step}{more}" if last.step else f"{last.study}{more}"


@options
def ls(store: Store = None, json_: Json = False) -> None:
    """List the artefacts.

    Kind, size, how long each took, when it was made, and the study, arm, sparsity and seed that it is for, where a
    recorded run needs it. What else is stored is counted.
    """
    from prunectl.api.cache import artefacts, others
    from prunectl.api.runs import recorded
    from prunectl.api.session import advice, open_store

    opened = open_store(store)
    rows = list(artefacts(opened, warn=say))
    rest = {kind: {"count": number, "size_bytes": bytes_} for kind, (number, bytes_) in by_kind(others(opened)).items()}
    runs = len(recorded(opened, warn=say))
    if json_:
        listed = [asdict(row) for row in rows]
        answer_json({"store": str(opened), "artefacts": listed, "runs": runs, "others": rest})
        return
    for row in rows:
        columns = f"{row.kind:<12}  {size(row.size_bytes):>9}  {seconds(row.wall_s):>9}  {row.created}"
        answer(f"{row.key[:16]}  {columns}  {_named(row.used_by)}".rstrip())
    kinds = Counter(row.kind for row in rows)
    counted = ", ".join(f"{count} {kind}" for kind, count in kinds.items()) or "no artefacts"
    say(f"{opened}: {counted}; {size(sum(row.size_bytes for row in rows))}")
    also = [f"{kind}: {held['count']:,} ({size(held['size_bytes'])})" for kind, held in rest.items()]
    say("; ".join([plural(runs, "recorded run"), *also]))
    if advised := advice(opened):
        say(advised)
