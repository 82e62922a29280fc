"""One request in a process of its own: a step, or the check before the first of them.

For a step: take its lock, verify its inputs, perform it, put the artefact into the store. Imported by the fork
server, so that torch and every kind of work are loaded when a child begins.
"""

from __future__ import annotations

import datetime
import gc
import os
import pickle
import shutil
import signal
import time
import traceback
from collections.abc import Callable
from importlib import import_module
from multiprocessing.connection import Connection
from pathlib import Path

import filelock
import torch
import torch._dynamo  # torch's optimizers import it at their first step: seconds, here once and not in every child
from safetensors import SafetensorError

from prunectl.base.errors import MethodError, Problem, PrunectlError, StoreError, described
from prunectl.execute import hardware
from prunectl.execute.energy import Meter
from prunectl.execute.outcome import Outcome, Progress, Request, Status
from prunectl.plan.preflight import Preflight
from prunectl.plan.steps import Key, Step, key_of, parents, preimage
from prunectl.store.atomic import remove_tree
from prunectl.store.local import DamagedError, LocalStore
from prunectl.store.manifest import Made
from prunectl.work import preflight
from prunectl.work.context import Context, Stopped
from prunectl.work.perform import KINDS, perform

for module in dict.fromkeys(KINDS.values()):
    import_module(module)  # a forked child finds every kind of step imported

FREE_BYTES = 1 << 20


def main(connection: Connection, key: Key, packed: bytes) -> None:
    """The whole life of a child: one request (pickled), one outcome, exit."""
    gc.freeze()  # else the first collection walks all of torch, and copies every page of it that the server shares
    stop = _Stop()
    try:
        connection.send(_answer(connection, key, packed, stop))
    except BrokenPipeError:
        os._exit(1)  # the driver is gone; finished work is in the store
    connection.close()
    os._exit(0)  # nothing to clean up: skip the seconds that torch takes to exit


def _answer(connection: Connection, key: Key, packed: bytes, stop: _Stop) -> Outcome:
    try:
        request: Request = pickle.loads(packed)
    except Exception as error:  # the module of a plug-in may raise anything when it is imported here
        reason = f"a module that the study uses cannot be imported in a worker: {described(error)}"
        return Outcome(key=key, status=Status.FAILED, reason=reason, problems=(Problem(message=reason),))
    hardware.settle(request.threads)
    return do(request, stop, lambda done, total: _report(connection, request, done, total, stop))


def do(request: Request, stopping: Callable[[], bool], progress: Callable[[int, int], None]) -> Outcome:
    """Do what a request asks; whatever happens is an outcome."""
    if isinstance(request.step, Preflight):
        problems = preflight.problems_of(request.step, request.data, request.weights)
        return Outcome(key=request.key, status=Status.FAILED if problems else Status.DONE, problems=problems)
    return _do(request, request.step, stopping, progress)


def _do(request: Request, step: Step, stopping: Callable[[], bool], progress: Callable[[int, int], None]) -> Outcome:
    """Do a step, unless its artefact exists or another process is making it."""
    store = LocalStore(request.store)
    key = request.key
    try:
        try:
            with store.lock(key):
                if store.has(key):
                    return Outcome(key=key, status=Status.REUSED)
                outcome = _make(store, request, step, stopping, progress)
        except filelock.Timeout:
            return Outcome(key=key, status=Status.BUSY)
        if outcome.status is Status.DONE:
            store.forget_lock(key)
        return outcome
    except Stopped:
        return Outcome(key=key, status=Status.STOPPED)
    except DamagedError as error:
        return Outcome(key=key, status=Status.DAMAGED, reason=error.why, damaged=parent_with(request, step, error.key))
    except MethodError as error:
        store.record_failure(key, "method", str(error), "")
        return Outcome(key=key, status=Status.FAILED, reason=str(error))
    except PrunectlError as error:
        return Outcome(key=key, status=Status.FATAL, reason=error.message, hint=error.hint, exit_code=error.exit_code)
    except Exception as error:  # whatever else goes wrong is the outcome of this step, not the end of the study
        return _crash(store, request, error)


def parent_with(request: Request, step: Step, damaged: str) -> Key | None:
    """The parent whose key was found damaged."""
    return next((key for key in [*parents(step).values(), request.resume] if key == damaged), None)


def _make(
    store: LocalStore,
    request: Request,
    step: Step,
    stopping: Callable[[], bool],
    progress: Callable[[int, int], None],
) -> Outcome:
    key = request.key
    assert key_of(step) == key, "a request's key is its step's"
    inputs = {role: _parent(store, parent) for role, parent in parents(step).items()}
    if request.resume is not None and store.has(request.resume):
        inputs["resume"] = store.fetch(request.resume)
    credits: list[float] = []
    resumed: list[str] = []
    device = torch.device(request.device)
    meter = Meter(hardware.uuid(device), request.jobs)

    def going(done: int, total: int) -> None:
        meter.tick()
        progress(done, total)

    context = Context(
        device=device,
        data_root=request.data,
        weights=request.weights,
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
        made = Made(
            wall_s=time.perf_counter() - wall + sum(credits),
            cpu_s=time.process_time() - cpu,
            peak_bytes=hardware.peak_bytes(device),
            device=hardware.device_name(device),
            hardware=hardware.cpu_name(),
            versions=hardware.versions(),
            created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            energy_j=None if any(credits) else meter.joules(),  # the energy of earlier attempts is not known
            resume=resumed[0] if resumed else None,
        )
        store.put(key, preimage(step), out, made)
    remove_tree(store.snapshots(key))
    store.forget_failure(key)
    return Outcome(key=key, status=Status.DONE, wall_s=made.wall_s)


def _parent(store: LocalStore, key: str) -> Path:
    try:
        return store.fetch(key)
    except KeyError:
        raise DamagedError(key, "it is gone") from None


def _crash(store: LocalStore, request: Request, error: Exception) -> Outcome:
    if isinstance(error, OSError | SafetensorError) and shutil.disk_usage(request.store).free < FREE_BYTES:
        full = f"the disk of the store {request.store} is full"
        hint = "finished steps are kept; free some space (`prunectl cache gc`), then run the same command again"
        return Outcome(key=request.key, status=Status.FATAL, reason=full, hint=hint, exit_code=StoreError.exit_code)
    reason = f"{type(error).__name__}: {error}".splitlines()[0][:500]
    store.record_failure(request.key, "crash", reason, "".join(traceback.format_exception(error)))
    return Outcome(key=request.key, status=Status.FAILED, reason=reason)


def _report(connection: Connection, request: Request, done: int, total: int, stop: _Stop) -> None:
    try:
        connection.send(Progress(key=request.key, done=done, total=total))
    except BrokenPipeError:
        stop.asked = True  # the driver is gone: nobody would receive the outcome


class _Stop:
    """SIGTERM asks a step to stop at the next good moment. Ctrl-C and a hangup are left to the driver."""

    def __init__(self) -> None:
        self.asked = False
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, self._ask)

    def _ask(self, number: int, frame: object) -> None:
        self.asked = True

    def __call__(self) -> bool:
        return self.asked
