"""`prunectl doctor`: what this machine can do."""

from __future__ import annotations

from prunectl.cli.console import answer, answer_json
from prunectl.cli.options import Json, Where, options


@options
def doctor(where: Where, json_: Json = False) -> None:
    """Report what this machine can do and what it lacks.

    Versions, devices, the store, and every data set, which is read whole.
    """
    from prunectl.api.doctor import findings

    found = findings(where.store, where.data)
    if json_:
        answer_json(found)
        return
    width = max(map(len, found))
    for name, value in found.items():
        answer(f"{name:<{width}}  {value}")
