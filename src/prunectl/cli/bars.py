"""The bars of the live display: columns that share the width of the terminal.

Times are never cut, bars and states keep their room, and names are cut first: what is left of them is most often
enough, while a time without its seconds shows nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Column
from rich.text import Text

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Task

BAR, SHORT_BAR = 16, 8
"""Cells of a bar; the short one is for terminals narrower than WIDE."""
WIDE = 100
TIME = 8
"""Characters of a time of less than 100 hours."""
LEAST_NAME = 16
"""Characters that a name keeps at least: then the state of a training is cut, too."""
GAPS = 3


def bars(console: Console) -> Progress:
    """A display without bars yet, that fits the console."""
    bar = BAR if console.width >= WIDE else SHORT_BAR
    state = max(1, console.width - LEAST_NAME - bar - TIME - GAPS)
    states = Column(no_wrap=True, max_width=state, overflow="ellipsis")
    return Progress(
        Name(),
        BarColumn(bar_width=bar, table_column=Column(width=bar)),
        TextColumn("{task.fields[state]}", markup=False, table_column=states),
        TimeElapsedColumn(table_column=Column(width=TIME, no_wrap=True, justify="right")),
        console=console,
        transient=True,
    )


class Name(TextColumn):
    """The name of a step: the column that gives way, on one line."""

    def __init__(self) -> None:
        super().__init__("{task.description}", table_column=Column())

    def render(self, task: Task) -> Text:
        """The name, cut where its room ends."""
        return Text(task.description, no_wrap=True, overflow="ellipsis")
