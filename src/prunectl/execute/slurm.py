"""SLURM: one array of identical pull-workers, each a whole run on the shared store. submitit submits them.

What is done is read from the store. SLURM is only asked which workers live, by `squeue`, which needs no accounting.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, field_validator

from prunectl.base.errors import DONE, FAILED, INTERRUPTED, PrunectlError
from prunectl.base.until import duration
from prunectl.catalog.executor import Pull, Seen
from prunectl.catalog.importing import stdout_on_stderr
from prunectl.execute.engine import Executor
from prunectl.execute.pull import Here, work
from prunectl.store.atomic import remove_tree

if TYPE_CHECKING:
    from submitit import Job

ASK_S = 30.0
"""How long a command of SLURM may take."""
SIGNAL_S = 90
"""How long before its time limit SLURM warns a worker: it ends with snapshots left, should it not have ended."""
SHORTEST_S = 120.0
GOING = re.compile(r"\[\d+/\d+\] (goes on: .+)$")
"""How a run without a terminal prints a step that goes on."""

ELSEWHERE = 'run it where jobs are submitted; to try it without SLURM, add cluster = "local" to its parameters'

Text = Annotated[str, Field(min_length=1)]


class Slurm(Executor):
    """Pull-workers as SLURM jobs. Parameters have the names of sbatch's options; a time is a duration, as `--until`."""

    name = "slurm"
    summary = "an array of SLURM jobs on a shared store (prunectl[slurm])"
    pulls = True

    nodes: Annotated[int, Field(ge=1, le=10_000)] = 1
    """Number of workers, each a job on one node."""
    time: Text = "4h"
    """Time limit of each job."""
    partition: Text | None = None
    account: Text | None = None
    qos: Text | None = None
    constraint: Text | None = None
    gpus: Annotated[int, Field(ge=0)] = 0
    """For each worker."""
    cpus: Annotated[int, Field(ge=1)] | None = None
    """For each worker."""
    mem: Text | None = None
    """For each worker: '16G'."""
    options: dict[str, str | int | bool] = {}
    """Other options of sbatch: { reservation = "course" }."""
    setup: tuple[str, ...] = ()
    """Lines of shell to run before each worker: "module load cuda"."""
    cluster: Literal["slurm", "local"] = "slurm"
    """"local" starts the same workers on this machine, to try a study without SLURM."""

    @field_validator("time")
    @classmethod
    def _long_enough(cls, value: str) -> str:
        length = duration(value)
        if length is None or length < SHORTEST_S:
            raise ValueError("must be a duration of at least 2m, such as 30m, 4h or 2d")
        return value

    def submit(self, pull: Pull) -> Submitted:
        """Submit the array. Raises PrunectlError if submitit is not installed, or SLURM refuses it."""
        limit_s = duration(self.time) or 0.0
        with stdout_on_stderr():
            executor = self._executor(pull.folder, limit_s)
            apart = _streams_apart() if self.cluster == "local" else nullcontext()
            try:
                with apart:
                    jobs = executor.map_array(work, [pull] * self.nodes, [Here.of_process(limit_s)] * self.nodes)
            except Exception as error:  # submitit raises what it meets
                remove_tree(pull.folder)
                raise self._refused(error) from error
        return Submitted(jobs, pull.folder) if self.cluster == "slurm" else Started(jobs, pull.folder)

    def _executor(self, folder: Path, limit_s: float) -> Any:
        try:
            import submitit
        except ImportError as error:
            hint = "pip install 'prunectl[slurm]'"
            raise PrunectlError(
                "--executor slurm needs the package submitit, which is not installed", hint=hint
            ) from error
        try:
            executor = submitit.AutoExecutor(folder, cluster=self.cluster)
            executor.update_parameters(timeout_min=-(-int(limit_s) // 60), **self._parameters_of(self.cluster))
        except (RuntimeError, ValueError) as error:
            raise self._refused(error) from error
        return executor

    def _parameters_of(self, cluster: str) -> dict[str, Any]:
        if cluster == "local":
            return {}
        others = {"partition": self.partition, "account": self.account, "qos": self.qos, "constraint": self.constraint}
        chosen = {
            **others,
            "mem": self.mem,
            "cpus_per_task": self.cpus,
            "gpus_per_node": self.gpus or None,
            "additional_parameters": {"requeue": True, **self.options},
            "setup": [f"export PYTHONPATH={shlex.quote(os.pathsep.join(filter(None, sys.path)))}", *self.setup],
            "job_name": "prunectl",
            "signal_delay_s": SIGNAL_S,
            "array_parallelism": self.nodes,
        }
        return {f"slurm_{key}": value for key, value in chosen.items() if value is not None}

    def _refused(self, error: Exception) -> PrunectlError:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [repr(error)]
        refused = next((line for line in lines if line.startswith("sbatch: error:")), lines[-1])
        if shutil.which("srun") is None and self.cluster == "slurm":
            return PrunectlError("--executor slurm cannot be used here: there is no command srun", hint=ELSEWHERE)
        hint = "correct the parameters of --executor; `sinfo` lists the partitions"
        failed = PrunectlError(f"SLURM refuses the workers: {refused.removeprefix('sbatch: error: ')}", hint=hint)
        failed.exit_code = FAILED
        return failed


@contextmanager
def _streams_apart() -> Iterator[None]:
    """Processes that are started meanwhile do not inherit stdout and stderr: they may outlive the command.

    The workers write files of their own. An exception of submitit is raised as ever.
    """
    nothing = os.open(os.devnull, os.O_WRONLY)
    before = [(number, os.dup(number)) for number in (1, 2)]
    try:
        for number, _ in before:
            os.dup2(nothing, number)
        yield
    finally:
        for number, kept in before:
            os.dup2(kept, number)
            os.close(kept)
        os.close(nothing)


class Submitted:
    """An array that was submitted to SLURM."""

    def __init__(self, jobs: Sequence[Job[int]], folder: Path) -> None:
        self.jobs, self.folder = jobs, folder
        self.id = jobs[0].job_id.partition("_")[0]
        self.label = f"SLURM job {self.id}"
        self.cancelling = f"scancel {self.id}"

    def look(self) -> Seen | None:
        """How many workers live, by squeue; None if SLURM does not answer."""
        try:
            asked = _asked("squeue", "-h", "-r", "-j", self.id, "-o", "%T")
        except (OSError, subprocess.SubprocessError):
            return None
        if asked.returncode != 0:
            return Seen(running=0, waiting=0) if "Invalid job id" in asked.stderr else None
        states = asked.stdout.split()
        waiting = sum(state in ("PENDING", "CONFIGURING", "REQUEUED") for state in states)
        return Seen(running=len(states) - waiting, waiting=waiting)

    def going(self) -> list[str]:
        """The last line of each worker, where that is about a step that goes on."""
        last = [[line for line in (job.stderr() or "").splitlines() if line.startswith("[")][-1:] for job in self.jobs]
        return [found[1] for lines in last for line in lines if (found := GOING.match(line))]

    def trouble(self) -> str:
        """The last error that a worker has printed, except that it was stopped."""
        for job in self.jobs:
            errors = re.findall(r"^(?:\w*[eE]rror|srun: error): (.+)$", job.stderr() or "", re.MULTILINE)
            if errors and not _stopped(job) and not errors[-1].startswith("interrupted"):
                return f"{errors[-1]} ({job.paths.stderr})"
        return ""

    def cancel(self) -> None:
        """Cancel the array: SLURM sends SIGTERM, and kills after a while."""
        self._scancel()

    def finish(self) -> None:
        """Cancel the workers that wait to be started, and remove the logs."""
        self._scancel("--state=PENDING")
        remove_tree(self.folder)

    def _scancel(self, *options: str) -> None:
        try:
            _asked("scancel", *options, self.id)
        except (OSError, subprocess.SubprocessError):
            return


class Started(Submitted):
    """The same workers on this machine, without SLURM."""

    def __init__(self, jobs: Sequence[Job[int]], folder: Path) -> None:
        super().__init__(jobs, folder)
        self.label = f"the group of {len(jobs)} local jobs"
        self.cancelling = f"kill {' '.join(job.job_id for job in jobs)}"

    def look(self) -> Seen | None:
        """How many workers live."""
        return Seen(running=sum(not job.done() for job in self.jobs), waiting=0)

    def cancel(self) -> None:
        """Ask every worker to stop, and wait until they have saved their snapshots."""
        for job in self.jobs:
            if not job.done():
                os.kill(int(job.job_id), signal.SIGTERM)  # submitit would send SIGINT, which ends its process at once
        self._wait()

    def finish(self) -> None:
        """Wait until every worker has noticed that there is no more to do."""
        self._wait()
        remove_tree(self.folder)

    def _wait(self) -> None:
        for job in self.jobs:
            job.wait()


def _stopped(job: Job[int]) -> bool:
    """Whether a worker has ended as it should: done, or stopped with snapshots left. Unknown of one that was killed."""
    try:
        return job.paths.result_pickle.exists() and job.result() in (DONE, INTERRUPTED)
    except Exception:  # of whatever kind submitit has kept
        return False


def _asked(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=ASK_S, check=False)
