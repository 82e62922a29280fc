"""What a driver and its workers send each other, besides progress."""

from __future__ import annotations

import io
import pickle
from dataclasses import dataclass
from typing import Any

from prunectl.catalog.referenced import MADE, entry_of
from prunectl.execute.outcome import Outcome, Request
from prunectl.plan.steps import Key


@dataclass(frozen=True, kw_only=True)
class Task:
    """A request on its way to a worker: pickled apart, so that a module that fails to import there is an outcome."""

    key: Key
    packed: bytes


@dataclass(frozen=True, kw_only=True)
class Done:
    """The outcome of a task, and whether the worker ends after it."""

    outcome: Outcome
    leaving: bool


def packed(request: Request) -> bytes:
    """A request as bytes. Classes of a study's files travel as source: the files may not be where it is read."""
    buffer = io.BytesIO()
    _Packer(buffer).dump(request)
    return buffer.getvalue()


class _Packer(pickle.Pickler):
    """Pickles a class of a study's own file by what it was made from."""

    def reducer_override(self, found: Any) -> Any:
        """Asked of every object, before it is pickled in the usual way."""
        made = MADE.get(found) if isinstance(found, type) else None
        return NotImplemented if made is None else (entry_of, (made,))
