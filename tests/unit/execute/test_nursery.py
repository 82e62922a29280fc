"""What a nursery does while it imports."""

from __future__ import annotations

from multiprocessing.connection import Pipe
from pathlib import Path

from prunectl.datasets.digits import Digits
from prunectl.execute.nursery import Early, Fork, Import, Nursery, Read
from prunectl.plan.steps import Data
from prunectl.work import originals

DIGITS = Data(dataset=Digits(), fingerprint="70931fb9a06056a95ec50271a64a6b29c089f1a7e185f0f3d242b5be52a6cff9")


def test_data_are_read_up_to_the_first_message_that_asks_for_something_else() -> None:
    driver, control = Pipe()
    early = Early(control)
    missing = Data(dataset=Digits(), fingerprint="0" * 64)
    for message in (Read(data=(missing, DIGITS), root=Path()), Fork(number=3), Read(data=(), root=Path())):
        driver.send(message)
    assert early.ended() == Fork(number=3)
    assert [fingerprint for _, fingerprint, _ in originals._READ] == [DIGITS.fingerprint]
    assert control.poll(), "what follows is read later"


def test_a_driver_that_is_gone_ends_it() -> None:
    driver, control = Pipe()
    early = Early(control)
    driver.close()
    assert early.ended() is None


def test_a_module_that_cannot_be_imported_is_left_to_the_step_that_needs_it() -> None:
    nursery = Nursery(Pipe()[0], imported=False)
    nursery.answer(Import(modules=("no_such_module", "json")))
    assert nursery.imported, "memory is frozen again before the next worker"
