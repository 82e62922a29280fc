"""Doing a step again when a GPU has too little memory."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from planning import END, plan
from prunectl.work import held, perform
from prunectl.work.context import Context


@pytest.fixture
def attempts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A step, done by a stand-in that has room only when no data of others are held, and what it leaves each time."""
    done: list[str] = []

    def do(step: Any, inputs: Any, out: Path, context: Context) -> None:
        done.append(f"{len(held._LAID_OUT)} held")
        if LEAVES:
            (out / "file").touch()
        if held._LAID_OUT or ALWAYS:
            raise torch.OutOfMemoryError("no room")

    LEAVES.clear()
    ALWAYS.clear()
    monkeypatch.setattr(perform, "import_module", lambda name: SimpleNamespace(perform=do))
    return done


LEAVES: list[bool] = []
ALWAYS: list[bool] = []
GPU = torch.device("cuda:0")


def do(folder: Path, device: torch.device = GPU) -> None:
    step = next(iter(plan(END).steps.values()))
    out = folder / "out"
    out.mkdir()
    context = Context(device=device, data_root=folder, snapshots=folder / "snapshots")
    perform.perform(step, {}, out, context)


def hold(device: torch.device = GPU) -> None:
    for number in range(2):
        held._LAID_OUT[number, device, torch.channels_last] = (torch.zeros(1), torch.zeros(1))


def test_a_step_without_room_is_done_again_without_the_data_of_others(attempts: list[str], tmp_path: Path) -> None:
    hold()
    do(tmp_path)
    assert attempts == ["2 held", "0 held"]


@pytest.mark.parametrize("why", ["files", "always", "nothing to release", "the CPU"])
def test_otherwise_the_error_is_reported(attempts: list[str], tmp_path: Path, why: str) -> None:
    LEAVES.extend([True] * (why == "files"))
    ALWAYS.extend([True] * (why in ("always", "nothing to release")))
    if why != "nothing to release":
        hold(torch.device("cpu") if why == "the CPU" else GPU)
    with pytest.raises(torch.OutOfMemoryError, match="no room"):
        do(tmp_path, torch.device("cpu") if why == "the CPU" else GPU)
    assert len(attempts) == (2 if why == "always" else 1)
