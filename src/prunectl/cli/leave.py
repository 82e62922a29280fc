"""How a run ends that leaves the rest to others (`--share`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prunectl.base.text import plural
from prunectl.cli.console import answer_json, say

if TYPE_CHECKING:
    from prunectl.api.session import Session
    from prunectl.execute.driver import Tally


def leave(session: Session, tally: Tally, json_: bool) -> None:
    """Print why there is no table."""
    others = plural(len(tally.left), "step")
    say(f"nothing is left that this run could do: other runs make the last {others} of {session.study.name}")
    if json_:
        steps = {"done": len(tally.done), "failed": len(tally.failed), "left to others": len(tally.left)}
        answer_json({"study": session.study.name, "steps": steps})
