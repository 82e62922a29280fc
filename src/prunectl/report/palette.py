"""One colour and one shape per criterion, on every chart of every study.

The colours are Okabe and Ito's, which colour-blind readers can distinguish, with the light ones darkened until each
has a contrast of at least 3 : 1 on white and on the dark page. Shapes show the same a second time.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle

OWN = {
    "magnitude": "#0072b2",
    "snip": "#d55e00",
    "synflow": "#009e73",
    "grasp": "#c0689a",
    "random": "#7f7f7f",
    "gradient": "#a87800",
    "activation": "#3d8fc4",
    "lamp": "#7a5cc0",
}
"""Criteria with a fixed colour, so that two studies draw them alike."""

OTHERS = (
    "#0072b2", "#d55e00", "#009e73", "#c0689a", "#a87800", "#3d8fc4", "#7f7f7f", "#7a5cc0", "#9a6a44", "#c94f5d",
    "#5b8c2a", "#2f8f8f",
)  # fmt: skip

SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "triangle-right", "triangle-left")

DASHES: tuple[list[int], ...] = ([1, 0], [6, 3], [2, 2], [8, 2, 2, 2], [10, 4], [1, 4], [4, 1], [12, 2, 2, 2, 2, 2])

INK, FAINT, NOTE = "#1a1c20", "#d9dce1", "#6b7280"


def colours(names: Sequence[str]) -> list[str]:
    """A colour for each name: its fixed one, or the next that is not a fixed one of another name here."""
    own = [OWN.get(name.lower()) for name in names]
    free = [colour for colour in OTHERS if colour not in own]
    others = cycle(free or OTHERS)
    return [colour or next(others) for colour in own]


def shapes(names: Sequence[str]) -> list[str]:
    """A shape for each name, in turn."""
    return [SHAPES[index % len(SHAPES)] for index in range(len(names))]


def dashes(names: Sequence[str]) -> list[list[int]]:
    """A dash for each name, in turn; the first is a solid line."""
    return [DASHES[index % len(DASHES)] for index in range(len(names))]
