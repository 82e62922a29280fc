"""A nursery that is started before anybody needs it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from prunectl.execute import started
from prunectl.execute.nursery import Import


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
