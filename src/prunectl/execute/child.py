"""One step in a process of its own: lock, verify what it starts from, do it, put what it made into the store.

Imported by the fork server, so that torch and the rooms that make things are there when a step begins.
"""

from __future__ import annotations

import ctypes
import datetime
import gc
import os
import platform
import resource
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Callable
from importlib import import_module
from multiprocessing.connection import Connection
from pathlib import Path

import filelock
import numpy
import safetensors
import torch
import torch._dynamo  # torch's optimizers import it at their first step: seconds, here once and not in every child
from safetensors import SafetensorError

import prunectl
from prunectl.base.errors import MethodError, PrunectlError, StoreError
from prunectl.execute.energy import Meter
from prunectl.execute.outcome import Outcome, Progress, Request, Status
from prunectl.plan.steps import Key, key_of, parents, preimage
from prunectl.store.atomic import remove_tree
from prunectl.store.local import DamagedError, LocalStore
from prunectl.store.manifest import Made
from prunectl.work.context import Context, Stopped
from prunectl.work.perform import KINDS, perform

for _module in KINDS.values():
    import_module(_module)  # a forked step finds every kind imported

FREE_BYTES = 1 << 20
M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # of malloc.h


def main(connection: Connection, request: Request) -> None:
    """The whole life of a child: one step, one outcome, gone."""
    gc.freeze()  # else the first collection walks all of torch, and copies every page of it that the server shares
    stop = _Stop()
    settle(request.threads)
    try:
        outcome = do(request, stop, lambda done, total: _tell(connection, request, done, total, stop))
        connection.send(outcome)
    except BrokenPipeError:
        os._exit(1)  # the driver is gone; what was finished is in the store
    connection.close()
    os._exit(0)  # nothing to tidy: skip the seconds that torch takes to leave


def settle(threads: int) -> None:
    """Make the bits depend on the step alone: a set number of threads, deterministic kernels, no TF32."""
    keep_memory()
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.set_num_threads(threads)
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False


def keep_memory() -> None:
    """Let glibc keep freed memory: a training asks for the same large blocks at every step.

    Given back and asked for again, each page of them faults anew: up to a third of a step of a small CNN.
    """
    if sys.platform != "linux" or platform.libc_ver()[0] != "glibc":
        return
    libc = ctypes.CDLL(None)
    libc.mallopt(M_MMAP_MAX, 0)
    libc.mallopt(M_TRIM_THRESHOLD, 2**31 - 1)


def do(request: Request, stopping: Callable[[], bool], progress: Callable[[int, int], None]) -> Outcome:
    """Do a step, unless it is there already or someone else is at it; whatever happens is an outcome."""
    store = LocalStore(request.store)
    key = request.key
    try:
        try:
            with store.lock(key):
                if store.has(key):
                    return Outcome(key=key, status=Status.REUSED)
                outcome = _make(store, request, stopping, progress)
        except filelock.Timeout:
            return Outcome(key=key, status=Status.BUSY)
        if outcome.status is Status.DONE:
            store.forget_lock(key)
        return outcome
    except Stopped:
        return Outcome(key=key, status=Status.STOPPED)
    except DamagedError as error:
        return Outcome(key=key, status=Status.DAMAGED, reason=error.why, damaged=key_in(request, error.key))
    except MethodError as error:
        store.record_failure(key, "method", str(error), "")
        return Outcome(key=key, status=Status.FAILED, reason=str(error))
    except PrunectlError as error:
        return Outcome(key=key, status=Status.FATAL, reason=error.message, hint=error.hint, exit_code=error.exit_code)
    except Exception as error:  # whatever else goes wrong is this step's outcome, not the end of the study
        return _crash(store, request, error)


def key_in(request: Request, damaged: str) -> Key | None:
    """The parent whose key was found damaged."""
    return next((key for key in [*parents(request.step).values(), request.resume] if key == damaged), None)


def _make(
    store: LocalStore, request: Request, stopping: Callable[[], bool], progress: Callable[[int, int], None]
) -> Outcome:
    step, key = request.step, request.key
    assert key_of(step) == key, "a request's key is its step's"
    inputs = {role: _parent(store, parent) for role, parent in parents(step).items()}
    if request.resume is not None and store.has(request.resume):
        inputs["resume"] = store.fetch(request.resume)
    credits: list[float] = []
    resumed: list[str] = []
    device = torch.device(request.device)
    meter = Meter(_uuid(device), request.jobs)

    def going(done: int, total: int) -> None:
        meter.tick()
        progress(done, total)

    context = Context(
        device=device,
        data_root=request.data,
        workers=request.workers,
        snapshots=store.snapshots(key),
        snapshot_s=request.snapshot_s,
        credit=credits.append,
        resumed=resumed.append,
        stopping=stopping,
        progress=going,
    )
    wall, cpu = time.perf_counter(), time.process_time()
    with store.scratch() as out:
        perform(step, inputs, out, context)
        wall_s = time.perf_counter() - wall + sum(credits)
        made = Made(
            wall_s=wall_s,
            cpu_s=time.process_time() - cpu,
            peak_bytes=_peak_bytes(device),
            device=_device_name(device),
            hardware=_cpu_name(),
            versions=_versions(),
            created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            energy_j=None if any(credits) else meter.joules(),  # what earlier attempts took is not known
            resume=resumed[0] if resumed else None,
        )
        store.put(key, preimage(step), out, made)
    remove_tree(store.snapshots(key))
    store.forget_failure(key)
    return Outcome(key=key, status=Status.DONE, wall_s=wall_s)


def _parent(store: LocalStore, key: str) -> Path:
    try:
        return store.fetch(key)
    except KeyError:
        raise DamagedError(key, "it is gone") from None


def _crash(store: LocalStore, request: Request, error: Exception) -> Outcome:
    if isinstance(error, OSError | SafetensorError) and shutil.disk_usage(request.store).free < FREE_BYTES:
        full = f"the disk of the store {request.store} is full"
        hint = "what was finished is kept; make room (`prunectl cache gc`), then run the same command again"
        return Outcome(key=request.key, status=Status.FATAL, reason=full, hint=hint, exit_code=StoreError.exit_code)
    reason = f"{type(error).__name__}: {error}".splitlines()[0][:500]
    store.record_failure(request.key, "crash", reason, "".join(traceback.format_exception(error)))
    return Outcome(key=request.key, status=Status.FAILED, reason=reason)


def _tell(connection: Connection, request: Request, done: int, total: int, stop: _Stop) -> None:
    try:
        connection.send(Progress(key=request.key, done=done, total=total))
    except BrokenPipeError:
        stop.asked = True  # the driver is gone: nobody would take the outcome


class _Stop:
    """SIGTERM asks a step to stop at the next good moment; Ctrl-C and a hangup are the driver's to hear."""

    def __init__(self) -> None:
        self.asked = False
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, self._ask)

    def _ask(self, number: int, frame: object) -> None:
        self.asked = True

    def __call__(self) -> bool:
        return self.asked


def _peak_bytes(device: torch.device) -> int:
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _uuid(device: torch.device) -> str | None:
    return str(torch.cuda.get_device_properties(device).uuid) if device.type == "cuda" else None


def _device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def _versions() -> dict[str, str]:
    return {
        "prunectl": prunectl.__version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": numpy.__version__,
        "safetensors": safetensors.__version__,
    }
