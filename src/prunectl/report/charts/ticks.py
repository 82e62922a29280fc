"""The formats of numbers on charts: of ticks, legends and tooltips. No chart has one that is not declared here.

`LOCALE` is part of the style of every chart: with it each format of a percentage ends in ' %', as the texts of a page
do, on the page as well as in pictures.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from typing import Any

import altair as alt

from prunectl.base.text import percent

LOCALE: dict[str, Any] = {
    "number": {
        "decimal": ".", "thousands": ",", "grouping": [3], "currency": ["", ""], "percent": " %", "minus": "−",
    }
}  # fmt: skip

SHARE = ".4~p"
"""A fraction in percent, with as few digits as it needs: '30 %', '67.23 %'."""
ACCURACIES = (".0%", ".1%", ".2%")
"""Fractions in percent with 0, 1 or 2 decimals, the same for all ticks of an axis."""
ACCURACY = ACCURACIES[2]
"""An accuracy in a tooltip: '93.10 %'."""
ERROR = "+.3~p"
"""A fraction with its sign, in percent: '+0.12 %'."""
NUMBER = ",.4~r"
"""Any number: '0.5', '−12', '1.43'."""
SIGNED = "+,.4~r"
"""A difference: '+0.5'."""
POINTS = "+.2f"
"""A difference in percentage points: '−0.31'."""
COUNT = ",d"
"""A whole number: '10,000'."""
MEAN_COUNT = ",.1f"
"""A mean of whole numbers: '1,234.5'."""

FORMATS = frozenset({SHARE, *ACCURACIES, ERROR, NUMBER, SIGNED, POINTS, COUNT, MEAN_COUNT})
"""All of them."""

NARROWEST_PX = 230
"""The width of a frame for which the labels of ticks are placed: that on a phone, or of a panel."""
LEVELS = 3
"""The number of rows in which labels of ticks may be."""
BLANK = "\u200b"
"""An empty line of a label: Vega cuts spaces off, and browsers leave out a line without a character."""
LETTER_PX = 6.0
"""About how wide a letter of a tick's label is."""


def accuracy(span: float) -> str:
    """The format of the ticks of accuracies that reach over `span`: as many decimals as their steps need."""
    return ACCURACIES[0 if span > 0.06 else 1 if span > 0.006 else 2]


def whole(values: Sequence[float]) -> dict[str, Any]:
    """The format of an axis of epochs or steps, as options of the axis: whole numbers, unless the values are parts of
    one or two.
    """
    known = max(values) > 2 or all(float(value).is_integer() for value in values)
    return {"format": COUNT, "tickMinStep": 1} if known else {"format": NUMBER}


def texts_of(values: Sequence[Any], texts: Sequence[Sequence[str]], key: str) -> str:
    """The expression that gives each value its text of one or more lines; `key` is the field of a guide's datum."""
    return f"{json.dumps(list(texts), ensure_ascii=False)}[indexof({json.dumps(list(values))}, datum.{key})]"


def written(values: Sequence[Any], texts: Sequence[Sequence[str]]) -> dict[str, Any]:
    """The given text, of one or more lines, for each tick, as options of an axis that draws all of them."""
    # Without their number Vega would leave ticks out of a narrow axis.
    expression = texts_of(values, texts, "value")
    return {"tickCount": len(values), "labelOverlap": False, "labelExpr": expression, "labelAngle": 0}


def apart(places: Sequence[float], texts: Sequence[Sequence[str]], width: float = NARROWEST_PX) -> list[list[str]]:
    """The texts of ticks, moved below each other where they would touch; `places` are from 0, the left end of an axis
    of `width` pixels, to 1. A text that touches another even so is left out; its tick is not.
    """
    free = [-math.inf] * LEVELS  # the pixel up to which each level is taken
    labels: list[list[str]] = []
    for place, text in zip(places, texts, strict=True):
        middle, half = place * width, LETTER_PX * max(map(len, text)) / 2
        level = next((at for at, end in enumerate(free) if middle - half >= end), None)
        labels.append([] if level is None else [BLANK] * (level * len(text)) + list(text))
        if level is not None:
            free[level] = middle + half + 4
    return labels


def labelled(
    ticks: Sequence[float], texts: Sequence[Sequence[str]], place: Callable[[float], float],
    width: float = NARROWEST_PX,
) -> alt.Axis:  # fmt: skip
    """A quantitative axis with these ticks and the text of each; `place` is 0 at its left end and 1 at its right."""
    labels = apart([place(tick) for tick in ticks], texts, width)
    return alt.Axis(values=list(ticks), grid=False, **written(ticks, labels))


def in_bands(names: Sequence[str], texts: Sequence[Sequence[str]], width: float = NARROWEST_PX) -> alt.Axis:
    """An axis of names, evenly spaced, with the text of each."""
    places = [(at + 0.5) / len(names) for at in range(len(names))]
    return alt.Axis(**written(names, apart(places, texts, width)))


def percentages(fractions: Sequence[float]) -> list[list[str]]:
    """The text of each fraction, for `labelled`."""
    return [[percent(fraction)] for fraction in fractions]
