"""Snapshots of trainings under way, in the store: each is whole, or it is not used."""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from torch import Tensor

from prunectl.catalog.hook import Trainee
from prunectl.plan.steps import Key
from prunectl.store import layout
from prunectl.store.atomic import make_directory, read_document, remove_tree, sha256, sync, write_whole
from prunectl.store.sealed import seal, unseal
from prunectl.work.tensors import read_tensors, write_tensors

_log = logging.getLogger("prunectl")


class Past(NamedTuple):
    """The time and the checkpoint that earlier attempts at a training contributed."""

    spent_s: float = 0.0  # by all earlier attempts at this step
    resume: str | None = ""  # the key of the earlier state that the first of them resumed from; None: not known


class Point(NamedTuple):
    """Where a training can be resumed: tensors and numbers as of `dump`."""

    past: Past
    tensors: dict[str, Tensor]
    numbers: dict[str, Any]
    snapshot: bool = False


def save(folder: Path, key: str, trainee: Trainee, past: Past) -> None:
    """Write a new snapshot next to the old one, then point to it: at any moment there is a whole one, or none.

    Its head has a digest of itself, of the tensors, and the key of its step.
    """
    make_directory(folder)
    tensors, numbers = trainee.dump()
    file = folder / _file_name(trainee.step)
    write_tensors(file, tensors)
    file.chmod(stat.S_IMODE(folder.stat().st_mode) & 0o666)  # safetensors leaves it to its owner alone
    sync(file)
    head = {"key": key, "file": file.name, "sha256": sha256(file), "numbers": numbers, **past._asdict()}
    write_whole(folder / layout.PROGRESS, seal(head))
    for old in folder.glob("*.safetensors"):
        if old.name != file.name:
            old.unlink()


def _file_name(step: int) -> str:
    return f"{step:d}.safetensors"


def read(key: Key, folder: Path) -> Point | None:
    """The snapshot, if there is a whole one of this step; any other is discarded, and the training begins again."""
    if not os.path.lexists(folder / layout.PROGRESS):
        return None
    try:
        return _point(key, folder, _head(folder))
    except MemoryError:
        raise
    except Exception as error:  # whatever a damaged file does to those who read it
        discard(folder, error)
        return None


def _head(folder: Path) -> dict[str, Any]:
    try:
        return unseal(read_document(folder / layout.PROGRESS))
    except ValueError as error:
        raise ValueError(f"its head {error}") from error


def _point(key: Key, folder: Path, head: Mapping[str, Any]) -> Point:
    """The snapshot that a head describes. Raises an exception of any kind if it is not as written."""
    if head["key"] != key:
        raise ValueError("it is of another training")
    file = folder / head["file"]
    if sha256(file) != head["sha256"]:
        raise ValueError("its tensors were changed")
    if file.name != _file_name(head["numbers"]["step"]):
        raise ValueError("it is of another moment")
    return Point(Past(head["spent_s"], head["resume"]), read_tensors(file), head["numbers"], snapshot=True)


def discard(folder: Path, error: Exception) -> None:
    why = " ".join(str(error).split())[:200] or type(error).__name__
    _log.warning("the snapshot in %s cannot be used (%s); the training begins again", folder, why)
    remove_tree(folder)
