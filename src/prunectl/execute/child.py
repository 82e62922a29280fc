"""One request: a step, or the check before the first of them.

For a step: take its lock, verify its inputs, perform it, put the artefact into the store. Imported by the nursery, so
that torch and every kind of work are loaded when a worker begins.
"""

from __future__ import annotations

import contextlib
import datetime
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import torch

from prunectl.base import ctrl_c
from prunectl.base.errors import MethodError, Problem, PrunectlError, StoreError, described
from prunectl.catalog.hook import Shown
from prunectl.execute import hardware
from prunectl.execute.energy import Meter
from prunectl.execute.outcome import Checking, Outcome, Request, Status
from prunectl.plan.preflight import Preflight
from prunectl.plan.steps import Key, Step, key_of, parents, preimage
from prunectl.store.address import store_at
from prunectl.store.atomic import remove_tree
from prunectl.store.disk import disk_error
from prunectl.store.local import DamagedError, LocalStore
from prunectl.store.locks import HeldError
from prunectl.store.manifest import Made
from prunectl.work import preflight
from prunectl.work.context import Context, Inputs, Stopped
from prunectl.work.perform import KINDS, perform

for module in dict.fromkeys(KINDS.values()):
    import_module(module)  # a forked worker finds every kind of step imported

GONE = "it is gone"


@dataclass(frozen=True, kw_only=True)
class _Driver:
    """How a step hears its driver, and is heard by it."""

    stopping: Callable[[], bool]
    progress: Callable[[int, int], None]
    show: Callable[[Shown], None]


def do(
    request: Request,
    stopping: Callable[[], bool],
    progress: Callable[[int, int], None],
    show: Callable[[Shown], None] = lambda shown: None,
    checking: Callable[[Checking], None] = lambda checking: None,
) -> Outcome:
    """Do what a request asks; whatever happens is an outcome. What a training shows comes before its progress."""
    if isinstance(request.step, Preflight):
        return _checked(request, request.step, checking)
    try:
        store = store_at(request.store)
    except PrunectlError as error:
        return _fatal(request.key, error)
    return _do(store, request, request.step, _Driver(stopping=stopping, progress=progress, show=show))


def _checked(request: Request, step: Preflight, checking: Callable[[Checking], None]) -> Outcome:
    """The check before the first step. What it should have caught itself is printed, and the reason."""
    device = torch.device(request.device)
    here = hardware.hardware_class(device, request.threads)

    def looking(subject: str, problems: tuple[Problem, ...]) -> None:
        checking(Checking(key=request.key, subject=subject, problems=problems, hardware_class=here))

    try:
        problems = preflight.problems_of(step, request.data, request.weights, device, looking)
    except BaseException as error:
        ctrl_c.pass_on(error)
        traceback.print_exception(error)
        return Outcome(key=request.key, status=Status.FAILED, reason=described(error))
    status = Status.FAILED if problems else Status.DONE
    return Outcome(key=request.key, status=status, problems=problems, hardware_class=here)


def _do(store: LocalStore, request: Request, step: Step, driver: _Driver) -> Outcome:
    """The outcome of a step."""
    try:
        return _locked(store, request, step, driver)
    except Stopped:
        return Outcome(key=request.key, status=Status.STOPPED)
    except DamagedError as error:
        return _damaged(request, step, error)
    except MethodError as error:
        return _failed(store, request.key, "method", str(error))
    except PrunectlError as error:
        return _fatal(request.key, error)
    except BaseException as error:  # whatever else goes wrong is the outcome of this step, not the end of the study
        ctrl_c.pass_on(error)
        return _crash(store, request, step, error)


def _locked(store: LocalStore, request: Request, step: Step, driver: _Driver) -> Outcome:
    """Do a step, unless its artefact exists or another process is making it. Raises what the step raises."""
    key = request.key
    try:
        with store.lock(key):
            if store.has(key):
                return Outcome(key=key, status=Status.REUSED)
            outcome = _make(store, request, step, driver)
    except HeldError as held:
        return Outcome(key=key, status=Status.BUSY, alive=held.alive)
    store.forget_lock(key)
    return outcome


@contextlib.contextmanager
def noticing_deletions(store: LocalStore, inputs: Inputs) -> Iterator[None]:
    """Raise DamagedError instead of whatever a step raises whose input was deleted on the way: `gc` does not wait."""
    try:
        yield
    except (MethodError, PrunectlError, Stopped):
        raise
    except Exception as error:  # of a vanished file torch, safetensors and Python each make an error of their own
        deleted = next((path.name for path in inputs.values() if not store.has(path.name)), None)
        if deleted is None:
            raise
        raise DamagedError(deleted, GONE) from error


def _make(store: LocalStore, request: Request, step: Step, driver: _Driver) -> Outcome:
    """Perform a step whose lock is held, and store what it leaves."""
    key, device = request.key, torch.device(request.device)
    _same_code(step, key)
    store.make_way(key)
    inputs = _inputs(store, request, step)
    credits: list[float] = []
    resumed: list[str] = []
    meter = Meter(hardware.uuid(device), request.jobs)
    context = _context(store, request, driver, meter, credits, resumed)
    hardware.forget_peak(device)
    wall, cpu = time.perf_counter(), time.process_time()
    with store.scratch() as out, noticing_deletions(store, inputs):
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
            device_class=hardware.device_class(device),
            threads=request.threads,
        )
        store.put(key, preimage(step), out, made)
    remove_tree(store.snapshots(key))
    store.forget_failure(key)
    return Outcome(key=key, status=Status.DONE, wall_s=made.wall_s)


def _inputs(store: LocalStore, request: Request, step: Step) -> dict[str, Path]:
    """The verified directories of the parents, and of an earlier state if it is there."""
    inputs = {role: _parent(store, parent) for role, parent in parents(step).items()}
    if request.resume is not None:
        with contextlib.suppress(KeyError):  # not there, or just deleted: the training begins at its start
            inputs["resume"] = store.fetch(request.resume)
    return inputs


def _context(
    store: LocalStore, request: Request, driver: _Driver, meter: Meter, credits: list[float], resumed: list[str]
) -> Context:
    """What a step is done with. What it reports of earlier attempts is added to `credits` and `resumed`."""

    def going(done: int, total: int) -> None:
        meter.tick()
        driver.progress(done, total)

    return Context(
        device=torch.device(request.device),
        data_root=request.data,
        weights=request.weights,
        workers=request.workers,
        snapshots=store.snapshots(request.key),
        snapshot_s=request.snapshot_s,
        credit=credits.append,
        resumed=resumed.append,
        stopping=driver.stopping,
        progress=going,
        show=driver.show,
    )


def _same_code(step: Step, key: Key) -> None:
    """The code of plug-ins is the one that the run was planned with: each process imports it for itself."""
    if key_of(step) != key:
        hint = "run the same command again; in a notebook, restart the kernel first"
        raise PrunectlError("the code of a plug-in that the study uses was edited during the run", hint=hint)


def _parent(store: LocalStore, key: str) -> Path:
    try:
        return store.fetch(key)
    except KeyError:
        raise DamagedError(key, GONE) from None


def _damaged(request: Request, step: Step, error: DamagedError) -> Outcome:
    """A damaged parent is made again; one that cannot be set aside would be damaged in every attempt."""
    if error.kept is not None:
        hint = "choose another store with --store DIR or PRUNECTL_STORE"
        return _fatal(request.key, StoreError(f"{error}; {error.fate}", hint=hint))
    needed = [*parents(step).values(), request.resume]
    damaged = next((key for key in needed if key == error.key), None)
    return Outcome(key=request.key, status=Status.DAMAGED, reason=error.why, damaged=damaged)


def _crash(store: LocalStore, request: Request, step: Step, error: BaseException) -> Outcome:
    """An accident, recorded with its traceback, and tried again by the next run. A failing disk stops the run.

    Without one of its parents, which another process has deleted in the meantime, a step can only fail.
    """
    gone = next((parent for parent in parents(step).values() if not store.has(parent)), None)
    if gone is not None:
        return Outcome(key=request.key, status=Status.DAMAGED, reason=GONE, damaged=gone)
    if isinstance(error, Exception) and (disk := disk_error(error, store.root)) is not None:
        return _fatal(request.key, disk)
    return _failed(store, request.key, "crash", described(error), "".join(traceback.format_exception(error)))


def _failed(store: LocalStore, key: Key, kind: str, reason: str, detail: str = "") -> Outcome:
    try:
        store.record_failure(key, kind, reason, detail)
    except StoreError as error:  # nothing else could be stored either
        return _fatal(key, error)
    return Outcome(key=key, status=Status.FAILED, reason=reason)


def _fatal(key: Key, error: PrunectlError) -> Outcome:
    return Outcome(key=key, status=Status.FATAL, reason=error.message, hint=error.hint, exit_code=error.exit_code)
