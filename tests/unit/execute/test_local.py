"""The local engine with real processes: what a child reports, how it ends, and that it runs no main module."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from prunectl.execute.local import _exit_reason, _without_main

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
(outcome,) = [event for _ in range(600) for event in engine.wait(0.1)]
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
