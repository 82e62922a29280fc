"""How tables write numbers. Units are in the heads of the columns; a missing value is a dash."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from prunectl.base.cells import words
from prunectl.base.text import percent, points

MISSING = "–"
CHANCE = "ᶜ"
"""Follows an accuracy of networks that are no better than guessing, with every seed."""


def accuracy(value: float | None) -> str:
    """A fraction in percent: 0.9235 is 92.35."""
    return MISSING if value is None else f"{value * 100:.2f}"


def marked(value: float | None, at_chance: bool | None) -> str:
    """An accuracy, with a mark if all of its networks are at chance."""
    return f"{accuracy(value)}{CHANCE if at_chance else ''}"


def change(value: float | None) -> str:
    """A difference of two fractions in percentage points, with its sign."""
    return MISSING if value is None else points(value, sign=True, unit=False)


def between(low: float | None, high: float | None) -> str:
    """An interval of an accuracy, in percent."""
    return MISSING if low is None or high is None else f"{accuracy(low)} to {accuracy(high)}"


def changes(low: float | None, high: float | None) -> str:
    """An interval of a difference, in percentage points."""
    return MISSING if low is None or high is None else f"{change(low)} to {change(high)}"


def sparsity(value: float | None) -> str:
    """A sparsity in percent, with as few digits as it needs."""
    return "" if value is None else percent(value).removesuffix(" %")


def plain(value: Any) -> str:
    """Any value as a text. Here a missing one leaves its cell empty."""
    return "" if value is None else str(value)


def choice(value: str | None) -> str:
    """A cell of a column that names an arm, as people write it. Here a missing one leaves its cell empty."""
    return "" if value is None else words(value)


def fixed(factor: float, digits: int, sign: bool = False) -> Callable[[Any], str]:
    """Writes a number times a factor with the given digits, a true minus sign and no −0.00; missing: empty."""

    def write(value: Any) -> str:
        if value is None:
            return ""
        rounded = round(value * factor, digits) or 0.0
        return f"{rounded:{'+' if sign and rounded else ''},.{digits}f}".replace("-", "−")

    return write


def significant(value: Any) -> str:
    """A number with four digits; missing: empty."""
    return "" if value is None else f"{value:.4g}"


def without_unit(texts: Sequence[str]) -> list[str]:
    """The texts of a row whose first is a sparsity, without its unit: on pages the head of the column has it."""
    return [texts[0].removesuffix(" %"), *texts[1:]]
