"""What a chart of curves leaves out, by name: lines, and parts of lines beyond its axis."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import polars as pl

from prunectl.base.text import and_list, plural

NAMED = 12
"""Maximum number of lines that a sentence names; it counts the rest."""
DENSE = "the dense network"
SHARE = 50
"""One in this many values may lie beyond the axis: the first epochs would flatten the rest."""
FAR = 3.0
"""How far the end of a line may extend an axis of losses, as a multiple of its length: what diverged is not drawn."""
ROOM = 0.03
"""The room between lines and the ends of an axis, as a share of its length; none where the axis cuts lines."""


def accuracies(frame: pl.DataFrame) -> tuple[float, float]:
    """The domain of an axis of accuracies: without the lowest 2 %, but with the end of each line."""
    values = _finite(frame["value"])
    low, high = min(values[len(values) // SHARE], *_ends(frame)), values[-1]
    room = ROOM * (high - low or high or 1)
    return (max(0.0, low - room) if low == values[0] else low), min(1.0, high + room)


def losses(frame: pl.DataFrame) -> tuple[float, float]:
    """The domain of an axis of losses: without the highest 2 %, but with the ends of lines that are not far above."""
    values = _finite(frame["value"])
    low, high = values[0], values[-(len(values) // SHARE) - 1]
    near = [end for end in _ends(frame) if end - low <= FAR * (high - low)]
    high = max(high, *near, low)
    room = ROOM * (high - low or abs(high) or 1)
    return low - room, (high + room if high == values[-1] else high)


def _finite(values: Iterable[float | None]) -> list[float]:
    """The finite values, from the lowest to the highest."""
    return sorted(value for value in values if value is not None and math.isfinite(value))


def _ends(frame: pl.DataFrame) -> list[float]:
    """The last value of each line of each panel."""
    lines = ["panel", "series", "pruned"]
    return _finite(frame.sort("epoch", maintain_order=True).unique(lines, keep="last", maintain_order=True)["value"])


def caption(frame: pl.DataFrame, domain: tuple[float, float], where: str, *, named_panels: bool) -> str:
    """Which lines, and which parts of lines, lie beyond an axis; nothing where all are drawn.

    `where` is "below" or "above". `named_panels`: whether a line has one curve in each panel, and the panel names it.
    """
    low, high = domain
    inside = pl.col("value").is_finite() & pl.col("value").is_between(low, high)
    if frame.filter(~inside.fill_null(value=False)).is_empty():
        return ""
    own = pl.format("{} at {}", "series", "panel") if named_panels else pl.col("series")
    name = pl.when(pl.col("pruned")).then(own).otherwise(pl.lit(DENSE))
    drawn = frame.group_by(name=name, maintain_order=True).agg(
        some=inside.fill_null(value=False).any(), all=inside.fill_null(value=False).all()
    )
    whole = drawn.filter(~pl.col("some"))["name"].to_list()
    parts = drawn.filter(pl.col("some") & ~pl.col("all"))["name"].to_list()
    return (f" Not drawn, because {where} the panel: {listed(whole)}." if whole else "") + (
        f" In part {where} the panel: {listed(parts)}." if parts else ""
    )


def absent(wanted: Iterable[str], drawn: Iterable[str], why: str) -> str:
    """The lines that a chart does not have, and why; nothing where it has all of them."""
    shown = set(drawn)
    names = [name for name in dict.fromkeys(wanted) if name not in shown]
    return f" No line, {why}: {listed(names)}." if names else ""


def listed(names: Sequence[str]) -> str:
    """The names of lines; of very many the first ones, and how many more there are."""
    rest = len(names) - NAMED
    return and_list([*names[:NAMED], *([plural(rest, "more line")] if rest > 0 else [])])


def panels(drawn: Sequence[float], known: Sequence[float]) -> str:
    """How many of several sparsities have a panel, where these are not all."""
    return f" {len(drawn)} of {len(known)} sparsities." if len(drawn) < len(known) else ""
