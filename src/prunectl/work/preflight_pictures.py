"""Preflight of pictures: files that a study would open and that cannot be read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import torch

from prunectl.catalog.metric import Part
from prunectl.datasets.streaming import Streamed
from prunectl.plan.steps import Data
from prunectl.work.context import Context
from prunectl.work.material import part_of

WHOLE_BYTES = 200_000_000
"""Pictures of a part that take no more than this on the disk are read whole, in seconds; else their beginnings."""
MOST = 100_000
"""Pictures of a part that are looked at; those after them are named when they are read."""
SHOWN = 5


def unreadable(parts: Iterable[tuple[Data, Part]], root: Path) -> Iterator[str]:
    """Why pictures cannot be read that are in parts of data, the first of them by name; each is looked at once.

    Pictures that a limit leaves out are never opened, here or in a step. Raises DataError if the files have changed
    since they were listed.
    """
    known: set[Path] = set()
    faults = [fault for data, part in parts for fault in _faults(data, part, root, known)]
    yield from faults[:SHOWN]
    if len(faults) > SHOWN:
        yield f"{len(faults) - SHOWN:,} more pictures under {root} cannot be read"


def _faults(data: Data, part: Part, root: Path, known: set[Path]) -> Iterator[str]:
    source = part_of(data, part, Context(device=torch.device("cpu"), data_root=root, snapshots=root))
    assert isinstance(source, Streamed)
    whole = sum(source.decoder.sizes[index] for index in source.positions) <= WHOLE_BYTES
    for index in islice(source.positions, MOST):
        if (path := source.decoder.path(index)) not in known:
            known.add(path)
            if (fault := source.decoder.fault(index, whole=whole)) is not None:
                yield fault
