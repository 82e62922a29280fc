"""The local engine with real processes: what workers report, how they end, and that they run no main module."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from multiprocessing.connection import Pipe
from pathlib import Path
from typing import Any, cast

import pytest

from prunectl.api.session import Session
from prunectl.base.until import Until
from prunectl.catalog.augmentation import Augmentation
from prunectl.catalog.criterion import Criterion
from prunectl.catalog.lookup import working
from prunectl.catalog.optimizer import Optimizer
from prunectl.execute import local, started
from prunectl.execute.local import LocalEngine, NurseryError, _reason
from prunectl.execute.nursery import Ended
from prunectl.execute.outcome import Outcome, Request, Status
from prunectl.execute.preflight import check
from prunectl.execute.spool import Spool
from prunectl.plan.preflight import PREFLIGHT, Preflight, preflight
from prunectl.plan.steps import Key, Measure, Score, Step, Train, key_of

CODE = """
import sys
from pathlib import Path
from prunectl.execute.local import LocalEngine
from prunectl.execute.outcome import Request
from prunectl.plan.preflight import PREFLIGHT, Preflight

print("main runs", flush=True)
step = Preflight(networks=(), data=(), exclude=(), asked=(), seed=1, train_size=1, leaves_one=())
if sys.argv[1:] == ["unreadable"]:
    sys.path.insert(0, "plugin")
    import mine
    step = Preflight(networks=(), data=(), exclude=(mine.Odd(),), asked=(), seed=1, train_size=1, leaves_one=())
    Path("plugin/mine.py").write_text("import os\\n\\nprint('loud')\\nraise OSError('no licence')\\n")
engine = LocalEngine(1, ())
engine.start(Request(key=PREFLIGHT, step=step, store=Path("store"), data=Path("data"), device="cpu", threads=1))
outcome = None
while outcome is None:
    outcome = next(iter(engine.wait(0.5)), None)
print(outcome.status.value, [problem.message for problem in outcome.problems])
engine.stop()
engine.stop()
"""


def script(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    (folder / "main.py").write_text(CODE)
    done = subprocess.run(
        [sys.executable, "main.py", *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done


def test_a_worker_runs_a_request_and_not_the_main_module_again(tmp_path: Path) -> None:
    assert script(tmp_path).stdout == "main runs\ndone []\n"


def test_a_module_that_fails_to_import_in_a_worker_is_an_outcome_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "plugin").mkdir()
    (tmp_path / "plugin" / "mine.py").write_text("class Odd:\n    pass\n")
    done = script(tmp_path, "unreadable")
    assert "failed ['a module that the study uses cannot be imported in a worker: OSError: no licence" in done.stdout
    assert "mine.py:4)" in done.stdout
    assert "loud" not in done.stdout and "loud" in done.stderr


def ended(code: int) -> Ended:
    return Ended(number=0, code=code, peak_bytes=3_000_000)


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        (ended(-signal.SIGKILL), "killed by signal 9, SIGKILL (out of memory?); it had used 3.0 MB of memory"),
        (ended(-signal.SIGSEGV), "killed by signal 11, SIGSEGV; it had used 3.0 MB"),
        (ended(1), "exited with status 1 before it reported a result; it had used 3.0 MB"),
        (None, "how is not known"),
    ],
)
def test_how_a_worker_ended_is_described_in_words(how: Ended | None, expected: str) -> None:
    assert expected in _reason(how)
    assert os.linesep not in _reason(how)


# ---- with a study that is done, and criteria that misbehave --------------------------------------------

THEIRS = """
import os, signal, subprocess, sys, threading

import torch

from prunectl.catalog.criterion import Criterion


class Theirs(Criterion):
    name, summary, paper = "theirs", "misbehaves", "nobody"
    how: str = ""

    def score(self, subject):
        print("scoring", self.how)
        os.write(1, b"by descriptor\\n")
        getattr(self, self.how.replace("-", "_"))()
        return {name: w.detach().abs() for name, w in subject.weights.items()}

    def prints(self):
        print("to stderr", file=sys.stderr)
        subprocess.run(["echo", "by a child"])

    def closes(self):
        sys.stdout.close()
        sys.stderr = None

    def exits(self):
        sys.exit("bye")

    def leaves(self):
        os._exit(3)

    def segfaults(self):
        os.kill(os.getpid(), signal.SIGSEGV)

    def leaves_a_child(self):
        if not os.fork():
            signal.alarm(20)
            signal.pause()
        os._exit(4)

    def dies_once(self):
        if not os.path.exists("died"):
            open("died", "w").close()
            os.kill(os.getpid(), signal.SIGKILL)

    def shows_modules(self):
        print(*(name for name in ("torch._dynamo", "torch._inductor") if name in sys.modules))

    def floods(self):
        for number in range(300):
            os.write(1, b"%08d\\n" % number * 10_000)

    def goes_on_for_ever(self):
        open("going", "w").close()
        while True:
            os.write(1, b"goes on\\n")

    def is_stopped(self):
        os.kill(os.getpid(), signal.SIGTERM)
"""


@dataclass(kw_only=True)
class Running:
    """An engine, and the study whose steps it does."""

    engine: LocalEngine
    session: Session

    def start(self, key: Key, **changed: Any) -> None:
        given = {
            "key": key, "step": self.session.plan.steps.get(key), "store": self.session.store.root, "data": Path(),
            "device": "cpu", "threads": 1,
        }  # fmt: skip
        self.engine.start(Request(**{**given, **changed}))

    def outcome(self) -> Outcome:
        while True:
            for event in self.engine.wait(5):
                if isinstance(event, Outcome):
                    return event

    def do(self, key: Key, **changed: Any) -> Outcome:
        self.start(key, **changed)
        return self.outcome()

    def score(self, how: str, theirs: type) -> Outcome:
        """A score by a criterion that misbehaves."""
        score = next(step for step in self.session.plan.steps.values() if isinstance(step, Score))
        step = replace(score, criterion=theirs(how=how))
        return self.do(key_of(step), step=step)

    def pids(self) -> list[int]:
        return [worker.pid for worker in self.engine.workers.values()]


@pytest.fixture
def run(own: Session, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    monkeypatch.chdir(own.store.root)
    running = Running(engine=LocalEngine(2, ()), session=own)
    yield running
    running.engine.stop()


@pytest.fixture
def theirs(installed: Callable[..., Path]) -> type:
    installed("[prunectl.criteria]\ntheirs = theirs_net:Theirs\n", {"theirs_net.py": THEIRS})
    from importlib import import_module

    found: type = import_module("theirs_net").Theirs
    return found


@pytest.fixture
def key(own: Session) -> Key:
    """A measurement that is missing."""
    key = next(key for key, step in own.plan.steps.items() if isinstance(step, Measure) and step.mask is not None)
    own.store.delete(key)
    return key


def test_what_the_code_of_third_parties_does_ends_with_its_worker(
    run: Running, theirs: type, capfd: pytest.CaptureFixture[str]
) -> None:
    """What it prints is in the log of its step, and its accidents are told apart from its errors."""
    log = run.session.store.log
    printed = run.score("prints", theirs)
    assert printed.status is Status.DONE, printed.reason
    assert log(printed.key).read_text().splitlines() == [
        "scoring prints", "by descriptor", "to stderr", "by a child",
    ]  # fmt: skip
    assert not run.engine.workers, "nobody else may meet what this code has changed"

    assert run.score("closes", theirs).status is Status.DONE

    exits = run.score("exits", theirs)
    assert exits.status is Status.FAILED
    assert exits.reason.startswith("SystemExit: bye (theirs_net.py:") and exits.reason.endswith("in exits)")
    failure = run.session.store.failure(exits.key)
    assert failure is not None and failure["kind"] == "crash"
    assert log(exits.key).read_text() == "scoring exits\nby descriptor\n"

    for how, expected in [
        ("leaves", "exited with status 3 before"), ("segfaults", "signal 11, SIGSEGV"),
        ("leaves-a-child", "exited with status 4 before"),
    ]:  # fmt: skip
        lost = run.score(how, theirs)
        assert lost.status is Status.LOST and expected in lost.reason
        assert log(lost.key).read_text() == f"scoring {how}\nby descriptor\n"
        assert not run.engine.workers and not run.engine.running

    assert run.score("is-stopped", theirs).status is Status.DONE
    assert capfd.readouterr() == ("", "")


def test_a_check_that_kills_its_worker_leaves_the_name_of_the_culprit(run: Running, theirs: type) -> None:
    """Twice: the run goes on, and the worker that does the first step is another."""
    sound = preflight(run.session.study, run.session.plan, run.session.content)
    deadly = [replace(sound.asked[0], criterion=theirs(how=how)) for how in ("prints", "segfaults")]
    request = Request(
        key=PREFLIGHT, step=replace(sound, asked=tuple(deadly)), store=Path(), data=Path(), device="cpu", threads=1
    )
    outcome = check(run.engine, request)
    assert outcome.status is Status.LOST and "signal 11, SIGSEGV" in outcome.reason
    assert outcome.reason.endswith(", while criterion theirs(how=segfaults) was checked")
    assert outcome.hardware_class is not None and outcome.hardware_class.threads == 1
    assert not run.engine.workers and not run.engine.running


def test_a_step_whose_worker_died_gets_a_fresh_worker_and_the_others_go_on(
    run: Running, theirs: type, key: Key
) -> None:
    assert run.do(key).status is Status.DONE
    (old,) = run.pids()
    run.session.store.delete(key)
    lost = run.score("dies-once", theirs)  # on the old worker, which was idle
    assert lost.status is Status.LOST and "signal 9" in lost.reason
    assert not run.pids()
    assert run.do(key).status is Status.DONE
    (idle,) = run.pids()
    again = run.score("dies-once", theirs)
    assert again.status is Status.DONE
    assert idle not in run.pids() and old not in run.pids()
    assert lost.key not in run.engine.suspects


def test_a_worker_does_one_step_after_another_until_it_is_asked_to_end(run: Running, key: Key) -> None:
    assert run.do(key).status is Status.DONE
    (pid,) = run.pids()
    run.session.store.delete(key)
    assert run.do(key).status is Status.DONE
    assert run.pids() == [pid]
    assert run.session.store.manifest(key).made.peak_bytes > 1_000_000
    os.kill(pid, signal.SIGTERM)
    while run.pids():
        assert not list(run.engine.wait(5)), "an idle worker ends without a word"
    assert run.do(key).status is Status.REUSED


def test_a_nursery_that_dies_is_started_again_and_reads_the_data_again(run: Running, key: Key) -> None:
    sound = preflight(run.session.study, run.session.plan, run.session.content)
    assert run.do(PREFLIGHT, step=sound).status is Status.DONE
    assert run.engine.nursery is not None
    first = run.engine.nursery.process
    first.kill()
    assert run.do(key).status is Status.DONE, "its workers go on"
    os.kill(run.pids()[0], signal.SIGKILL)
    while run.pids():
        assert not list(run.engine.wait(5))
    run.session.store.delete(key)
    assert run.do(key).status is Status.DONE
    assert run.engine.nursery is not None and run.engine.nursery.process is not first
    assert first.returncode == -signal.SIGKILL
    step = run.session.plan.steps[key]
    assert isinstance(step, Measure) and step.data in run.engine.shared[0]


@pytest.mark.usefixtures("cold")
def test_no_work_of_ours_brings_torch_s_compiler_into_a_worker(run: Running, theirs: type) -> None:
    """Which would take seconds: every optimizer, augmentation and criterion, and a measurement."""
    steps = list(run.session.plan.steps.values())
    train, score, measure = (next(step for step in steps if type(step) is kind) for kind in (Train, Score, Measure))
    assert isinstance(train, Train) and isinstance(score, Score)
    drawn = [each() for each in working("augmentations", Augmentation) if not each.on_reading]
    recipes = [replace(train.recipe, optimizer=each()) for each in working("optimizers", Optimizer)]
    recipes.append(replace(train.recipe, augment=tuple(drawn)))
    ours: list[Step] = [replace(train, recipe=recipe) for recipe in recipes]
    whole = replace(train.data, train_limit=None)
    ours += [replace(score, data=whole, criterion=each()) for each in working("criteria", Criterion)]
    run.session.store.delete(key_of(measure))
    statuses = [run.do(key_of(step), step=step).status for step in [*ours, measure]]
    assert set(statuses[: len(recipes)]) <= {Status.DONE, Status.REUSED}
    assert statuses.count(Status.DONE) > 15, "a few criteria score nothing where another structure is pruned"
    assert len(run.pids()) == 1
    shown = run.score("shows-modules", theirs)
    assert run.session.store.log(shown.key).read_text() == "scoring shows-modules\nby descriptor\n\n"
    assert shown.status is Status.DONE and not run.pids(), "it was the same worker, which has left after that"


def test_a_step_that_prints_without_end_fills_neither_disk_nor_memory(run: Running, theirs: type) -> None:
    printed = run.score("floods", theirs)
    assert printed.status is Status.DONE, printed.reason
    log = run.session.store.log(printed.key).read_bytes()
    assert log.startswith(b"scoring floods\nby descriptor\n00000000\n") and log.endswith(b"\n00000299\n")
    assert b"\n[26,000,029 bytes are not kept]\n" in log
    assert len(log) < 1_000_100


def test_each_worker_is_bound_to_one_of_the_devices(run: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a GPU: torch calls each of these the processor."""
    keys = [key for key, step in run.session.plan.steps.items() if isinstance(step, Measure)][:3]
    for key in keys:
        run.session.store.delete(key)
    devices = ("cpu:0", "cpu")
    for key in keys[:2]:
        run.start(key, devices=devices)
    assert {worker.device for worker in run.engine.running.values()} == set(devices)
    assert {run.outcome().status for _ in range(2)} == {Status.DONE}
    pids = set(run.pids())
    assert run.do(keys[2], devices=devices).status is Status.DONE
    assert set(run.pids()) == pids


def test_what_does_not_stop_is_killed_when_the_run_has_to_be_over(
    run: Running, theirs: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "GRACE_S", 3600.0)
    run.engine.clock = lambda: 20.0
    score = next(step for step in run.session.plan.steps.values() if isinstance(step, Score))
    endless = replace(score, criterion=theirs(how="goes-on-for-ever"))
    run.start(key_of(endless), step=endless, until=Until(at=20.0, begin=3620.0))  # to be started without haste
    while not Path("going").exists():
        assert not list(run.engine.wait(0.1))
    (pid,) = run.pids()
    run.engine.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_worker_that_prints_without_end_is_killed_at_its_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    killed: list[signal.Signals] = []
    monkeypatch.setattr(local, "_signal", lambda worker, number: killed.append(number))
    monkeypatch.setattr(Spool, "drain", lambda spool: None)  # as if it printed again at once
    spool, (ours, theirs) = Spool(), Pipe()
    os.write(spool.writing, b"x")
    request = Request(key=PREFLIGHT, step=cast("Any", None), store=Path(), data=Path(), device="cpu", threads=1)
    worker = local._Worker(number=-1, device="cpu", connection=ours, spool=spool, pid=-1, request=request)
    LocalEngine(1, ())._end(worker, 0.0, 0.0)
    assert killed == [signal.SIGKILL]
    theirs.close()


def test_nobody_waits_for_a_check_that_is_to_stop() -> None:
    empty = Preflight(networks=(), data=(), exclude=(), asked=(), seed=1, train_size=1, leaves_one=())
    checking = Request(key=PREFLIGHT, step=empty, store=Path(), data=Path(), device="cpu", threads=1)
    until = Until(at=120.0, begin=90.0)
    step = replace(checking, step=cast("Any", None))
    engine = LocalEngine(1, (), clock=lambda: 100.0)
    assert [engine._grace_s(request) for request in (None, checking, step)] == [0.0, 0.0, local.GRACE_S]
    assert engine._grace_s(replace(step, until=until)) == 20.0
    assert engine._grace_s(replace(step, until=replace(until, at=90.0))) == 0.0
    assert engine._grace_s(replace(step, until=replace(until, at=1e9))) == local.GRACE_S


@pytest.mark.usefixtures("cold")
def test_stop_leaves_no_process(run: Running, key: Key) -> None:
    assert run.do(key).status is Status.DONE
    assert run.engine.nursery is not None
    pids, nursery = run.pids(), run.engine.nursery.process
    run.engine.stop()
    run.engine.stop()
    started.close_idle()
    assert nursery.returncode is not None
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_the_next_engine_takes_over_a_nursery_that_it_would_start_alike(
    run: Running, key: Key, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run.do(key).status is Status.DONE
    first = run.engine.nursery
    run.engine.stop()
    assert first is not None and first.usable
    assert started.taken() is first
    started.left(first)
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    other = started.taken()
    assert other is not first and not first.usable
    other.between_messages = False  # as if Ctrl-C had come while it was heard
    started.left(other)
    assert started._IDLE == []


# ---- a nursery that does not live ----------------------------------------------------------------------


@pytest.mark.usefixtures("cold")
def test_a_nursery_that_never_lives_is_an_error_for_people(monkeypatch: pytest.MonkeyPatch) -> None:
    started.close_idle()
    commands = []

    def dying(descriptor: int) -> list[str]:
        commands.append(descriptor)
        return [sys.executable, "-c", "raise SystemExit(1)"]

    monkeypatch.setattr("prunectl.execute.nursery.command", dying)
    engine = LocalEngine(1, ())
    request = Request(key=PREFLIGHT, step=None, store=Path(), data=Path(), device="cpu", threads=1)  # type: ignore[arg-type]
    with pytest.raises(NurseryError, match="ended 3 times"):
        engine.start(request)
    assert len(commands) == local.STARTS
    engine.stop()


@pytest.mark.usefixtures("cold")
def test_a_terminal_cannot_interrupt_a_nursery_while_it_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own traceback would be what a user sees after Ctrl-C."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    masks: list[set[int]] = []

    def popen(*given: object, **named: object) -> None:
        masks.append(set(signal.pthread_sigmask(signal.SIG_BLOCK, ())))
        raise OSError("no process")

    monkeypatch.setattr("subprocess.Popen", popen)
    with pytest.raises(OSError, match="no process"):
        started.NurseryProcess()
    assert {signal.SIGINT, signal.SIGHUP} <= masks[0]
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before


def test_modules_of_third_parties_are_not_imported_where_workers_are_forked_from() -> None:
    assert LocalEngine(1, ("torchvision.transforms", "theirs.net")).imports == ["torchvision.transforms"]
