"""Every file name in the store, in one place.

ROOT/
  prunectl-store.json        marks the directory as a store and holds the version of its layout
  objects/ab/abcd.../        an artefact: its files, and manifest.json, written last
  failures/ab/abcd....json   a step that failed, and the reason
  logs/ab/abcd....log        what third-party code printed in a step
  snapshots/ab/abcd.../      from where an interrupted training resumes
  locks/abcd....lock         held by the process that computes the artefact
  scratch/                   artefacts being built, on the same file system, each with its lock next to it
  aside/                     damaged artefacts, kept for inspection, never used
  runs/ID.json               a run: the keys that it needs, and a caption for people
"""

from __future__ import annotations

import os
from pathlib import Path

LAYOUT = 1

MARKER = "prunectl-store.json"
OBJECTS, FAILURES, SNAPSHOTS, LOCKS, SCRATCH, ASIDE, RUNS, LOGS = (
    "objects",
    "failures",
    "snapshots",
    "locks",
    "scratch",
    "aside",
    "runs",
    "logs",
)

MANIFEST = "manifest.json"
STATE = "state.safetensors"
PROGRESS = "progress.json"
SCORES = "scores.safetensors"
MASK = "mask.safetensors"
INFO = "info.json"
METRICS = "metrics.json"


def sharded(root: Path, folder: str, key: str, suffix: str = "") -> Path:
    """ROOT/FOLDER/ab/abcd...: two hex digits keep directories small."""
    return Path(place(root, folder, key, suffix))


def place(root: Path, folder: str, key: str, suffix: str = "") -> str:
    """The same path as text: a plan needs tens of thousands of them, and building `Path` objects is slow."""
    return f"{root}{os.sep}{folder}{os.sep}{key[:2]}{os.sep}{key}{suffix}"
