"""A nursery that is started before anybody needs it."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import warm
from prunectl.execute import started
from prunectl.execute.engine import NotInTimeError
from prunectl.execute.nursery import Import
from prunectl.execute.spool import Spool


@pytest.fixture(autouse=True)
def _none_idle() -> Iterator[None]:
    started.close_idle()
    yield
    started.close_idle()


def test_one_that_is_started_early_is_the_one_that_is_taken() -> None:
    started.start_early()
    started.start_early()
    (early,) = started._IDLE
    assert started.taken() is early
    assert not started._IDLE
    early.close()


def test_in_other_surroundings_another_takes_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    started.start_early()
    (early,) = started._IDLE
    monkeypatch.setenv("PRUNECTL_DATA", "elsewhere")
    started.start_early()
    assert [early] != started._IDLE and len(started._IDLE) == 1
    assert early.process.returncode is not None


def test_modules_are_brought_once(monkeypatch: pytest.MonkeyPatch) -> None:
    started.start_early()
    (nursery,) = started._IDLE
    sent: list[object] = []
    monkeypatch.setattr(nursery.control, "send", sent.append)
    for modules in (["torchvision"], [], ["torchvision", "timm"]):
        nursery.bring(modules)
    assert sent == [Import(modules=("torchvision",)), Import(modules=("timm",))]


IMPORTS_OF_A_RUN = """
from prunectl.execute import started
before = started._surroundings()
import prunectl.api.run, prunectl.datasets.content, prunectl.execute.local
import prunectl.report.page, prunectl.results.gather
assert started._surroundings() == before, set(started._surroundings()[2]) ^ set(before[2])
"""


def test_what_a_run_imports_does_not_look_like_other_surroundings() -> None:
    """Else the nursery that was started early is thrown away, and torch imported a second time."""
    subprocess.run([sys.executable, "-c", IMPORTS_OF_A_RUN], check=True)


@contextmanager
def streams_in(pipe: int) -> Iterator[None]:
    """As in `prunectl run ... 2>&1 | cat`: stdout and stderr of this process are a pipe."""
    before = [(number, os.dup(number)) for number in (1, 2)]
    try:
        for number, _ in before:
            os.dup2(pipe, number)
        yield
    finally:
        for number, kept in before:
            os.dup2(kept, number)
            os.close(kept)


@pytest.fixture(params=["warm", "cold"])
def _either(request: pytest.FixtureRequest) -> None:
    """Nurseries as the tests have them, and as users do."""
    if request.param == "cold":
        request.getfixturevalue("cold")


@pytest.mark.usefixtures("_either")
def test_who_reads_the_streams_of_a_command_to_their_end_does_not_wait_for_its_nursery() -> None:
    reading, writing = os.pipe()
    with streams_in(writing):
        nursery = started.NurseryProcess()
    os.close(writing)
    assert select.select([reading], [], [], 0)[0], "somebody else can still write"
    assert os.read(reading, 1) == b""
    assert nursery.process.poll() is None
    nursery.close()
    os.close(reading)


def test_what_a_nursery_prints_is_shown_on_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    nursery = started.NurseryProcess()
    os.write(nursery.spool.writing, b"a warning\n")
    nursery.listen()
    assert capfd.readouterr().err == "a warning\n"
    os.write(nursery.spool.writing, b"its last words\n")
    nursery.close()
    assert capfd.readouterr() == ("", "its last words\n")


def test_what_a_nursery_has_printed_is_not_printed_again_by_its_workers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "printing_little.py").write_text("print('a word of a library')\n")
    monkeypatch.syspath_prepend(tmp_path)
    nursery, spool = started.NurseryProcess(), Spool()
    nursery.bring(["printing_little"])
    connection, _ = nursery.fork(-1, spool)
    connection.close()
    assert nursery.ending(-1, timeout_s=60.0) is not None
    nursery.close()
    assert capfd.readouterr().err == "a word of a library\n"
    assert spool.take() == b""
    spool.close()


def test_a_nursery_that_prints_more_than_a_pipe_holds_still_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "printing_much.py").write_text("print('x' * 3_000_000)\n")
    monkeypatch.syspath_prepend(tmp_path)
    nursery, spool = started.NurseryProcess(), Spool()
    nursery.bring(["printing_much"])
    connection, _ = nursery.fork(-1, spool)
    connection.close()
    nursery.close()
    spool.close()
    assert capfd.readouterr().err.count("x") > 2_000_000


def test_a_nursery_that_does_not_answer_in_time_is_not_waited_for() -> None:
    nursery, spool = started.NurseryProcess(), Spool()
    os.kill(nursery.process.pid, signal.SIGSTOP)  # as one that imports torch on a busy machine
    with pytest.raises(NotInTimeError):
        nursery.fork(-1, spool, within_s=0.0)
    assert not nursery.usable
    nursery.close()
    spool.close()


ENDS_WITH_AN_IDLE_NURSERY = """
import warm
warm.IMPORTED = ()
warm.use()
from prunectl.execute import started
started.start_early()
"""


def test_the_tests_end_though_a_nursery_that_they_forked_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(warm.ADDRESS, raising=False)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    done = subprocess.run([sys.executable, "-c", ENDS_WITH_AN_IDLE_NURSERY], capture_output=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
