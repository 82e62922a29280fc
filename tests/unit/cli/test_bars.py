"""The columns of the live display, at the widths of common terminals."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from prunectl.cli.bars import bars

NAME = "  train magnitude · at end · weight-rewind · shuffle, 98 %, seed 1"
STATE = "epoch 131.5 of 160, loss 0.412, top-1 91.2 %"


def drawn(width: int, name: str, state: str, elapsed: float) -> list[str]:
    """The lines of a display with all steps, a training half done, and a step without an end."""
    now = [0.0]
    console = Console(file=io.StringIO(), width=width, get_time=lambda: now[0])
    progress = bars(console)
    progress.get_time = lambda: now[0]
    progress.add_task("steps, 2 workers on cpu", total=412, completed=3, state="3/412, 12 min left")
    progress.add_task(name, total=2, completed=1, state=state)
    progress.add_task("  score snip, seed 1", total=None, state="")
    now[0] = elapsed
    console.print(progress.get_renderable())
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


@pytest.mark.parametrize(("width", "bar"), [(80, 8), (100, 16), (140, 16)])
@pytest.mark.parametrize(("elapsed", "time"), [(59, "0:00:59"), (36_000 + 61, "10:01:01")])
def test_times_are_whole_bars_keep_their_cells_and_names_are_cut(
    width: int, bar: int, elapsed: float, time: str
) -> None:
    lines = drawn(width, NAME, STATE, elapsed)
    assert len(lines) == 3, "no line is wrapped"
    assert all(len(line) <= width and line.rstrip().endswith(time) for line in lines), lines
    _, training, scoring = lines
    assert training.startswith("  train magni") and ("…" in training) == (width < 140)
    assert STATE in training
    assert scoring.count("━") == bar, "a bar without an end is drawn whole"


def test_a_narrow_terminal_cuts_the_state_after_the_name() -> None:
    lines = drawn(60, NAME, STATE, 59)
    assert lines[1].startswith("  train magni") and lines[1].endswith("0:00:59")
    assert "epoch 131.5 of 160" in lines[1]
