"""Every file name in the store, in one place.

ROOT/
  prunectl-store.json        marks the directory as a store and holds the version of its layout
  objects/ab/abcd.../        an artefact: its files, and manifest.json, written last
  failures/ab/abcd....json   a step that failed, and the reason
  logs/ab/abcd....log        what third-party code printed in a step
  snapshots/ab/abcd.../      from where an interrupted training resumes
  locks/abcd....lock         held by the process that computes the artefact
  locks/abcd....claim        renewed by that process, for machines that do not see its lock; expires
  locks/abcd....OWNER.seen   since when a machine has seen the claim of another one unchanged
  scratch/                   artefacts being built, on the same file system, each with its lock next to it
  aside/                     damaged artefacts, kept for inspection, never used
  jobs/TIME-RANDOM/          logs and pickles of jobs of a cluster, while they run and if they fail
  runs/ID.json               a run: the keys that it needs, and a caption for people
  hardware.json              on which hardware artefacts were made, so that a plan need not read every manifest

A remote store, below its URL:
  prunectl-store.json        as above, with a layout of its kind
  manifests/ab/abcd....json  the manifest of an artefact, written last, never replaced
  files/ab/abcd.../SHA256    its files by their digests: two machines that make it at once do not mix theirs
  failures/ab/abcd....json   as above
  claims/abcd....json        renewed by the machine that makes the artefact; expires
  aside/                     as above

and the local directory in front of one is a store as above, with
  prunectl-copy.json         the URL, and a name of this directory that no other has
  peeked/ab/abcd.../         manifests and small files of artefacts that were not fetched whole
"""

from __future__ import annotations

import os
from pathlib import Path

LAYOUT, REMOTE_LAYOUT = 1, 1001

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

HARDWARE = "hardware.json"
COPY, PEEKED = "prunectl-copy.json", "peeked"
MANIFESTS, FILES, CLAIMS = "manifests", "files", "claims"

JOBS = "jobs"

MANIFEST = "manifest.json"
STATE = "state.safetensors"
PROGRESS = "progress.json"
SCORES = "scores.safetensors"
MASK = "mask.safetensors"
INFO = "info.json"
METRICS = "metrics.json"
LATENCY = "latency.json"
SENSITIVITY = "sensitivity.json"


def sharded(root: Path, folder: str, key: str, suffix: str = "") -> Path:
    """ROOT/FOLDER/ab/abcd...: two hex digits keep directories small."""
    return Path(place(root, folder, key, suffix))


def place(root: Path, folder: str, key: str, suffix: str = "") -> str:
    """The same path as text: a plan needs tens of thousands of them, and building `Path` objects is slow."""
    return f"{root}{os.sep}{folder}{os.sep}{key[:2]}{os.sep}{key}{suffix}"


def manifest_object(key: str) -> str:
    """The name of the object that is the manifest of an artefact."""
    return f"{MANIFESTS}/{key[:2]}/{key}.json"


def file_object(key: str, digest: str = "") -> str:
    """The name of the object that is a file of an artefact; without a digest what the names of all begin with."""
    return f"{FILES}/{key[:2]}/{key}" + (f"/{digest}" if digest else "")


def failure_object(key: str) -> str:
    """The name of the object that records why a step failed."""
    return f"{FAILURES}/{key[:2]}/{key}.json"


def claim_file(key: str) -> str:
    """The name of the file next to a lock by which a machine claims a step."""
    return f"{key}.claim"


def claim_object(key: str) -> str:
    """The name of the object by which a machine claims a step."""
    return f"{CLAIMS}/{key}.json"
