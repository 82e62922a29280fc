"""Tables on the terminal: columns of text under their heads."""

from __future__ import annotations

import shutil
from collections.abc import Sequence

from prunectl.base.text import shortened, visible

GAP = "  "
LEAST = 40
"""Characters that a column of sentences has at least; where there are fewer, each sentence gets a line."""


def columns(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """The lines of a table, as wide as it is."""
    table = [[visible(cell) for cell in row] for row in [head, *rows]]
    widths = [max(len(row[place]) for row in table) for place in range(len(head))]
    return [GAP.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table]


def with_sentences(head: Sequence[str], rows: Sequence[Sequence[str]], width: int | None = None) -> list[str]:
    """The lines of a table whose last column has sentences, cut at the width: by default that of the terminal."""
    width = width or shutil.get_terminal_size().columns
    lines = columns(head[:-1], [row[:-1] for row in rows])
    inner = max(map(len, lines)) + len(GAP)
    sentences = [head[-1], *(visible(row[-1]) for row in rows)]
    if (room := width - inner) >= LEAST:
        return [line.ljust(inner) + shortened(text, room) for line, text in zip(lines, sentences, strict=True)]
    indent = 2 * GAP
    below = [indent + shortened(text, width - len(indent)) for text in sentences[1:]]
    return [lines[0], *(line for pair in zip(lines[1:], below, strict=True) for line in pair)]
