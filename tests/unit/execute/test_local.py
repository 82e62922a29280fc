"""The local engine with real processes: what a child reports, how it ends, and that it runs no main module."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from prunectl.execute.local import LocalEngine, ServerError, _exit_reason, _without_main

CODE = """
import sys
from pathlib import Path
from prunectl.execute.local import LocalEngine
from prunectl.execute.outcome import Request
from prunectl.plan.preflight import PREFLIGHT, Preflight

print("main runs")
step = Preflight(networks=(), data=(), exclude=(), asked=(), seed=1, train_size=1, leaves_one=())
if sys.argv[1:] == ["unreadable"]:
    sys.path.insert(0, "plugin")
    import mine
    step = Preflight(networks=(), data=(), exclude=(mine.Odd(),), asked=(), seed=1, train_size=1, leaves_one=())
    Path("plugin/mine.py").write_text("import os\\n\\nraise OSError('no licence')\\n")
engine = LocalEngine(1, ())
engine.start(Request(key=PREFLIGHT, step=step, store=Path("store"), data=Path("data"), device="cpu", threads=1))
outcome = next(event for _ in range(600) for event in engine.wait(0.1))
print(outcome.status.value, [problem.message for problem in outcome.problems])
engine.stop()
engine.stop()
"""


def script(folder: Path, *arguments: str) -> str:
    (folder / "main.py").write_text(CODE)
    done = subprocess.run(
        [sys.executable, "main.py", *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_child_runs_a_request_and_not_the_main_module_again(tmp_path: Path) -> None:
    assert script(tmp_path) == "main runs\ndone []\n"


def test_a_module_that_fails_to_import_in_a_child_is_an_outcome_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "plugin").mkdir()
    (tmp_path / "plugin" / "mine.py").write_text("class Odd:\n    pass\n")
    out = script(tmp_path, "unreadable")
    assert "failed ['a module that the study uses cannot be imported in a worker: OSError: no licence" in out
    assert "mine.py:3)" in out


def test_the_main_module_is_hidden_only_while_a_process_starts() -> None:
    main = sys.modules["__main__"]
    with _without_main():
        hidden = sys.modules["__main__"]
        assert hidden is not main
        assert hidden.__spec__ is None and not hasattr(hidden, "__file__")
    assert sys.modules["__main__"] is main
    with pytest.raises(ZeroDivisionError), _without_main():
        raise ZeroDivisionError
    assert sys.modules["__main__"] is main


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (-signal.SIGKILL, "killed by signal 9 (out of memory?)"),
        (-signal.SIGSEGV, "killed by signal 11"),
        (1, "exited with status 1 before it reported a result"),
        (None, "exited with status None"),
    ],
)
def test_how_a_process_ended_is_said_in_words(code: int | None, expected: str) -> None:
    assert expected in _exit_reason(code)
    assert os.linesep not in _exit_reason(code)


class Server:
    """A multiprocessing context whose fork server dies a number of times while it starts."""

    def __init__(self, deaths: int) -> None:
        self.deaths, self.masks = deaths, list[set[int]]()

    def Process(self, **given: object) -> Server:  # noqa: N802
        return self

    def start(self) -> None:
        self.masks.append(set(signal.pthread_sigmask(signal.SIG_BLOCK, ())))
        if len(self.masks) <= self.deaths:
            raise EOFError


def engine_with(server: Server, monkeypatch: pytest.MonkeyPatch) -> LocalEngine:
    engine = LocalEngine(1, ())
    monkeypatch.setattr(engine, "context", server)
    return engine


def test_a_fork_server_that_is_killed_while_it_starts_is_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server(deaths=2)
    assert engine_with(server, monkeypatch)._started(()) is server  # type: ignore[arg-type, comparison-overlap]
    assert len(server.masks) == 3


def test_a_fork_server_that_never_lives_is_an_error_for_people(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ServerError, match="ended 3 times"):
        engine_with(Server(deaths=9), monkeypatch)._started(())  # type: ignore[arg-type]


def test_a_terminal_cannot_interrupt_the_fork_server_while_it_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own traceback would be what a user sees after Ctrl-C."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    server = Server(deaths=0)
    engine_with(server, monkeypatch)._started(())  # type: ignore[arg-type]
    assert {signal.SIGINT, signal.SIGHUP} <= server.masks[0]
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before
