"""Processes below another one, killed in the middle of a training; and what a store holds, for comparison."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from prunectl.api.session import open_study
from prunectl.store import layout

PROC = Path("/proc")


def contents(store: Path) -> dict[str, dict[str, str]]:
    """The digest of every file of every artefact, by key, but for the one that holds times."""
    digests = {}
    for path in store.glob(f"objects/*/*/{layout.MANIFEST}"):
        files = json.loads(path.read_text())["files"]
        digests[path.parent.name] = {name: sha for name, sha in files.items() if name != layout.INFO}
    return digests


def trainings(study: Path, store: Path) -> set[str]:
    """The keys of a study's trainings."""
    return {key for key, step in open_study(study, store=store).plan.steps.items() if step.kind == "train"}


def below(top: int) -> dict[int, str]:
    """Every process below a process, and its command line."""
    parents, texts = {}, {}
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            with suppress(FileNotFoundError, ProcessLookupError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                texts[int(entry.name)] = (entry / "cmdline").read_text().replace("\0", " ")
                parents[int(entry.name)] = int(fields[1])
    inside = {top}
    while more := {pid for pid, parent in parents.items() if parent in inside} - inside:
        inside |= more
    return {pid: texts[pid] for pid in inside - {top}}


def workers(top: int) -> list[int]:
    """The workers below a process: forked from a nursery, so that both have the same command line."""
    nurseries = {pid for pid, text in below(top).items() if "execute.nursery" in text}
    return [pid for pid in nurseries if _parent(pid) in nurseries]


def _parent(pid: int) -> int:
    try:
        return int((PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0


def in_training(top: int, keys: set[str], process: subprocess.Popen[str]) -> list[int]:
    """Stop the workers below a process at a moment at which one of them is in the middle of a training."""
    while process.poll() is None:
        stopped = workers(top)
        for pid in stopped:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
        if keys & {key for pid in stopped for key in _locked(pid)}:
            return stopped
        for pid in stopped:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        time.sleep(0.05)
    return []


def _locked(pid: int) -> Iterator[str]:
    """The keys of the steps whose locks a process holds."""
    with suppress(OSError):
        for descriptor in (PROC / str(pid) / "fd").iterdir():
            with suppress(OSError):
                path = Path(os.readlink(descriptor))  # noqa: PTH115  # the file may be gone
                if path.parent.name == layout.LOCKS:
                    yield path.stem


def kill(pids: list[int]) -> None:
    """kill -9."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
