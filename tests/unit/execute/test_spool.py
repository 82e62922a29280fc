"""The file that takes what a worker prints."""

from __future__ import annotations

import os

import pytest

from prunectl.execute import spool
from prunectl.execute.spool import Spool


def test_what_any_copy_of_the_descriptor_wrote_is_taken_once_and_in_order() -> None:
    ours = Spool()
    theirs = Spool(os.dup(ours.descriptor))
    os.write(theirs.descriptor, b"one ")
    os.write(ours.descriptor, b"two")
    assert ours.take() == b"one two"
    assert theirs.take() == b""
    os.write(theirs.descriptor, b"three")
    assert theirs.take() == b"three", "no hole where the first lines were"
    ours.close()
    theirs.close()


def test_of_much_output_the_end_is_kept_and_the_rest_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "MOST_BYTES", 4)
    file = Spool()
    os.write(file.descriptor, b"0123456789")
    assert file.take() == b"[the first 6 bytes are not kept]\n6789"
    file.close()
