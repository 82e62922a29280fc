"""A pull-worker, in a job of a cluster: a whole run, in the surroundings of who submitted it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from prunectl.base.until import Until
from prunectl.catalog.executor import Pull

COMMAND = (sys.executable, "-c", "from prunectl.cli.start import main; main()")
"""The command line of this very Python and prunectl."""
STARTING_S = 15.0
"""How long a job may have run before its worker begins."""


@dataclass(frozen=True, kw_only=True)
class Here:
    """What a worker takes over from the process that submits it."""

    limit_s: float
    """The time limit of its job."""
    folder: Path
    umask: int
    command: tuple[str, ...] = COMMAND

    @classmethod
    def of_process(cls, limit_s: float) -> Here:
        """The surroundings of this process."""
        umask = os.umask(0)
        os.umask(umask)
        return cls(limit_s=limit_s, folder=Path.cwd(), umask=umask)


ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR2)
"""What asks a worker to end, with snapshots left."""


def work(pull: Pull, here: Here) -> int:
    """Run until nothing is left to do, or the time is nearly up; the exit code.

    What ends a job (SIGTERM; SIGUSR2 from SLURM, before the time limit or a preemption) lets the run save snapshots.
    """
    os.chdir(here.folder)
    os.umask(here.umask)
    arguments = limited(pull, here, time.time())
    if arguments is None:
        return 0
    for number in (signal.SIGUSR2, signal.SIGCONT):
        signal.signal(number, signal.SIG_IGN)  # a process that is started inherits that; its default would be to end
    process = subprocess.Popen([*here.command, *arguments])
    for number in ENDING:
        signal.signal(number, lambda number, frame: process.send_signal(signal.SIGTERM))
    return process.wait()


def limited(pull: Pull, here: Here, now: float) -> tuple[str, ...] | None:
    """The arguments, with the moment by which this worker has stopped; None if that is over."""
    moment = Until.after(now, now + here.limit_s - STARTING_S).earlier(pull.until)
    return (*pull.arguments, "--until", moment.label) if moment.begin > now else None
