"""Every file name in the store, in one place.

ROOT/
  prunectl-store.json        says that this is a store, and of which layout
  objects/ab/abcd.../        an artefact: its files, and manifest.json, written last
  failures/ab/abcd....json   a step that failed, and why
  snapshots/ab/abcd.../      where a training that is under way can be taken up
  locks/abcd....lock         held by the process that makes the artefact
  scratch/                   artefacts being built, on the same file system, each with its lock beside it
  aside/                     damaged artefacts, kept for a look, never used
"""

from __future__ import annotations

import os
from pathlib import Path

LAYOUT = 1

MARKER = "prunectl-store.json"
OBJECTS, FAILURES, SNAPSHOTS, LOCKS, SCRATCH, ASIDE = (
    "objects",
    "failures",
    "snapshots",
    "locks",
    "scratch",
    "aside",
)

MANIFEST = "manifest.json"
STATE = "state.safetensors"
PROGRESS = "progress.json"
SCORES = "scores.safetensors"
MASK = "mask.safetensors"
INFO = "info.json"
METRICS = "metrics.json"


def sharded(root: Path, room: str, key: str, suffix: str = "") -> Path:
    """ROOT/room/ab/abcd...: two hex digits keep directories small."""
    return Path(place(root, room, key, suffix))


def place(root: Path, room: str, key: str, suffix: str = "") -> str:
    """The same as text: a plan asks for tens of thousands of them, and paths are slow to put together."""
    return f"{root}{os.sep}{room}{os.sep}{key[:2]}{os.sep}{key}{suffix}"
