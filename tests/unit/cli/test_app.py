"""The error boundary: exit codes, short messages, tracebacks only when asked for."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli import command, environment, write_study
from plugged import Install
from prunectl.base.errors import PrunectlError
from prunectl.base.version import __version__
from prunectl.cli import app, signals
from small import SMALL

Prunectl = Callable[..., Any]


def test_the_version(prunectl: Prunectl) -> None:
    said = prunectl("--version")
    assert (said.code, said.out) == (0, f"prunectl {__version__}\n")


def test_a_study_that_is_wrong_is_told_with_places_and_hints(prunectl: Prunectl, tmp_path: Path) -> None:
    said = prunectl("plan", write_study(tmp_path, SMALL.replace("[train]", "[trian]")))
    assert said.code == 2
    assert said.err.startswith("error: ")
    assert ":8:2: trian: unknown key" in said.err
    assert '      did you mean "train"?' in said.err
    assert said.err.count("did you mean") == said.err.count("unknown key") == 1
    assert said.out == ""


BROKEN = """
import os
print("hello")
os.chdir("/")
raise RuntimeError("the driver is too old")
"""


@pytest.mark.parametrize(
    "words", [("list", "criteria", "--json"), ("schema",), ("doctor", "--json"), ("plan", "STUDY", "--json")]
)
def test_a_broken_plug_in_costs_no_command_its_answer(
    words: tuple[str, ...], prunectl: Prunectl, installed: Install, tmp_path: Path
) -> None:
    """What it prints is not part of a document, and the directory stays."""
    installed("[prunectl.criteria]\nmine = net:Mine\n[prunectl.metrics]\nmine = net:Mine\n", {"net.py": BROKEN})
    ran = prunectl(*words)
    assert ran.code == 0
    assert ran.json()
    assert Path.cwd() == tmp_path
    if words[0] in ("list", "doctor"):
        assert f"RuntimeError: the driver is too old ({tmp_path / 'net.py'}:5)" in ran.out


PLUG_IN = """
from prunectl.catalog.scope import Scope


class Mine(Scope):
    name, summary = "mine", "raises when a study is checked"

    @property
    def channels(self):
        return 1 // 0

    def groups(self, shapes, sparsity, gone, weights=None):
        return []
"""


def test_a_plug_in_that_exits_in_a_command_is_a_message_too(
    prunectl: Prunectl, installed: Install, tmp_path: Path
) -> None:
    exits = PLUG_IN.replace("return 1 // 0", "raise SystemExit(0)")
    installed("[prunectl.scopes]\nmine = net:Mine\n", {"net.py": exits})
    ran = prunectl("plan", write_study(tmp_path, SMALL + 'scope = "mine"\nstructure = "channels"\n'))
    assert ran.code == 2 and f"a plug-in failed: SystemExit: 0 ({tmp_path / 'net.py'}:10, in channels)" in ran.err


def test_what_a_plug_in_raises_in_a_command_is_a_message_with_its_file_and_line(
    prunectl: Prunectl, installed: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed("[prunectl.scopes]\nmine = net:Mine\n", {"net.py": PLUG_IN})
    study = write_study(tmp_path, SMALL + 'scope = "mine"\nstructure = "channels"\n')
    ran = prunectl("plan", study)
    error = "ZeroDivisionError: integer division or modulo by zero"
    assert (ran.code, ran.out) == (2, "")
    assert f"a plug-in failed: {error} ({tmp_path / 'net.py'}:10, in channels)" in ran.err
    assert "fix or uninstall the plug-in; `prunectl --debug ...` shows the traceback" in ran.err
    monkeypatch.setenv("PRUNECTL_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        prunectl("plan", study)


def test_ctrl_c_ends_a_command_with_130(prunectl: Prunectl, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(what: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("prunectl.api.listing.entries", interrupted)
    said = prunectl("list", "criteria")
    assert (said.code, said.err) == (130, "error: interrupted\n")


@pytest.mark.parametrize("number", [signal.SIGINT, *signals.ENDING])
def test_a_signal_before_the_command_line_is_imported_is_one_line(tmp_path: Path, number: signal.Signals) -> None:
    code = (
        "import builtins, signal\n"
        f"signal.signal({number:d}, signal.default_int_handler if {number:d} == signal.SIGINT else signal.SIG_DFL)\n"
        "real = builtins.__import__\n"
        "def interrupted(name, *rest):\n"
        f"    if name == 'prunectl.cli.app': signal.raise_signal({number:d})\n"
        "    return real(name, *rest)\n"
        "from prunectl.cli.start import main\n"
        "builtins.__import__ = interrupted\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, env=environment(tmp_path), check=False)
    assert (done.returncode, done.stderr) == (130, b"error: interrupted\n")


def test_an_end_of_file_is_a_bug_and_not_an_abort(prunectl: Prunectl, monkeypatch: pytest.MonkeyPatch) -> None:
    def ended(what: str) -> None:
        raise EOFError

    monkeypatch.setattr("prunectl.api.listing.entries", ended)
    with pytest.raises(RuntimeError, match="end of file"):
        prunectl("list", "criteria")


def test_a_reader_that_is_gone_ends_a_command_quietly(tmp_path: Path) -> None:
    """`prunectl list criteria | head -1`."""
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        command("list", "criteria"), stdout=writing, stderr=subprocess.PIPE, env=environment(tmp_path), check=False
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_traceback_is_shown_only_when_asked_for(prunectl: Prunectl, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Traceback" not in prunectl("list", "nothing").err
    monkeypatch.setenv("PRUNECTL_DEBUG", "1")
    monkeypatch.setattr("sys.argv", ["prunectl", "list", "nothing"])
    with pytest.raises(PrunectlError, match="nothing called 'nothing'"):
        app.main()


def test_a_command_that_does_not_exist_is_an_error_of_usage(prunectl: Prunectl) -> None:
    assert prunectl("nonsense").code == 2


def test_hostile_text_is_harmless_in_a_message(capsys: pytest.CaptureFixture[str]) -> None:
    app.explain(PrunectlError("a\x1b[2Jb", hint="\u202ec"))
    err = capsys.readouterr().err
    assert "\x1b" not in err and "\u202e" not in err


def test_the_first_signal_interrupts_and_the_second_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    handlers: dict[Any, Any] = {}
    monkeypatch.setattr(signal, "signal", handlers.__setitem__)
    with pytest.raises(KeyboardInterrupt):
        signals._interrupt(signal.SIGTERM, None)
    assert set(handlers.values()) == {signal.SIG_IGN}


def test_a_signal_that_is_ignored_stays_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    handlers: dict[Any, Any] = {}
    monkeypatch.setattr(signal, "signal", handlers.__setitem__)
    monkeypatch.setattr(signal, "getsignal", lambda number: signal.SIG_IGN)
    signals.listen()
    assert handlers == {}
    monkeypatch.setattr(signal, "getsignal", lambda number: signal.SIG_DFL)
    signals.listen()
    assert set(handlers) == set(signals.ENDING)


def test_nothing_that_was_imported_is_searched_for_garbage_at_the_end() -> None:
    code = (
        "import atexit, gc\n"
        "atexit.register(lambda: print(gc.get_freeze_count()))\n"
        "from prunectl.cli.start import main\n"
        "main()\n"
    )
    ended = subprocess.run([sys.executable, "-c", code, "list", "scopes"], capture_output=True, text=True, check=True)
    assert int(ended.stdout.splitlines()[-1]) > 10_000
