"""Runs that benchmarks start, find in /proc, kill, and compare: what bench/kills.py and bench/soak.py share."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from prunectl.store.local import DamagedError, LocalStore

MARK = "PRUNECTL_KILLS"
"""A variable in the environment of every process of a run, by which its orphans are known too."""
TIMES = ("train_s", "score_s")
COMMAND = "prunectl.cli.start"
"""In the command line of every run."""
NURSERY = "execute.nursery"
"""In that of every nursery, and of the workers that are forked from it."""


def begun(
    words: Sequence[str],
    *,
    mark: Path,
    folder: Path,
    out: Path,
    log: Path,
    environment: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Start a command of prunectl in a folder. Its processes are known by the mark; the log is added to."""
    with out.open("wb") as output, log.open("ab") as errors:
        return subprocess.Popen(
            [sys.executable, "-c", f"from {COMMAND} import main; main()", *words],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            cwd=folder,
            env={**os.environ, **(environment or {}), MARK: str(mark)},
        )


def rows_of(document: Path) -> list[dict[str, Any]]:
    """The table that a run has printed with --json, without times."""
    trials = json.loads(document.read_text())["trials"]
    return [{name: cell for name, cell in row.items() if name not in TIMES} for row in trials]


def artefacts_of(root: Path) -> dict[str, dict[str, str]]:
    """Of every artefact the digests of its files, compared with their contents; not of the one that holds times."""
    store, artefacts = LocalStore(root).open(), {}
    for key in list(store.keys()):
        try:
            store.check(key)
            files = store.manifest(key).files
        except DamagedError as error:
            files = {"damaged": error.why}
        artefacts[key] = {name: digest for name, digest in files.items() if name != "info.json"}
    return artefacts


def processes(place: Path) -> Iterator[tuple[int, int, str]]:
    """Every process of the runs of a study: itself, its parent, its command line."""
    mark = f"{MARK}={place}".encode()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if mark in (entry / "environ").read_bytes().split(b"\0"):
                    parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                    yield int(entry.name), parent, (entry / "cmdline").read_text().replace("\0", " ")


def is_below(command: str) -> bool:
    """Whether a process is a worker, the nursery of workers, or an actor."""
    return NURSERY in command or command.startswith("ray::Host")


def killed(study: Path, kind: str, share: str, draws: random.Random) -> bool:
    """Send SIGKILL to what a kind of kill means. False if no such process runs."""
    running = list(processes(study))
    runs = [pid for pid, _, text in running if COMMAND in text and share in text]
    forking = {1, *(pid for pid, _, text in running if NURSERY in text)}
    workers = [pid for pid, parent, text in running if NURSERY in text and parent in forking]
    others = [pid for pid, _, text in running if is_below(text) and pid not in workers]
    run = draws.sample(runs, 1) if runs else []
    chosen = {
        "worker": draws.sample(workers, 1) if workers else [],
        "nursery": draws.sample(others, 1) if others else [],
        "run": run,
        "tree": sorted(tree(run, {pid: parent for pid, parent, _ in running})),
        "all": [pid for pid, _, _ in running],
    }[kind]
    for pid in chosen:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return bool(chosen)


def tree(roots: Sequence[int], parents: dict[int, int]) -> set[int]:
    """Processes and their descendants."""
    members = set(roots)
    while more := {pid for pid, parent in parents.items() if parent in members} - members:
        members |= more
    return members
