"""The pipe that takes what a worker prints."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from prunectl.execute import spool
from prunectl.execute.spool import Spool


@pytest.fixture
def ours() -> Iterator[Spool]:
    ours = Spool()
    yield ours
    ours.close()


def test_what_any_copy_of_the_descriptor_wrote_is_taken_once_and_in_order(ours: Spool) -> None:
    theirs = Spool(os.dup(ours.writing), os.dup(ours.reading))
    assert ours.take() == b""
    os.write(theirs.writing, b"one ")
    os.write(ours.writing, b"two")
    ours.drain()
    os.write(theirs.writing, b" three")
    assert ours.take() == b"one two three"
    assert theirs.take() == b""
    theirs.close()


def test_of_much_output_the_beginning_and_the_end_are_kept_and_the_rest_is_counted(
    ours: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool, "KEPT_BYTES", 4)
    for text in (b"012", b"3456", b"789abcdef"):
        os.write(ours.writing, text)
        ours.drain()
        assert len(ours.head) + len(ours.tail) <= 8
    assert ours.take() == b"0123\n[8 bytes are not kept]\ncdef"
    os.write(ours.writing, b"next")
    assert ours.take() == b"next"


def test_output_that_is_only_a_little_too_long_for_its_beginning_is_kept_whole(
    ours: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool, "KEPT_BYTES", 4)
    os.write(ours.writing, b"01234567")
    assert ours.take() == b"01234567"
