"""Numbers and lists as the report's sentences write them."""

from __future__ import annotations

from collections.abc import Sequence


def plural(count: int, noun: str) -> str:
    """'1 seed', '2 seeds', '12,000 trials'."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def and_list(items: Sequence[str]) -> str:
    """'a', 'a and b', 'a, b and c'."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}" if items else ""


def percent(fraction: float | None, digits: int | None = None) -> str:
    """A fraction in percent: with the digits asked for, or as few as tell it (0.9 is 90 %, 0.998 is 99.8 %)."""
    if fraction is None:
        return "–"
    if digits is None:
        text = f"{fraction * 100:.4g}" if abs(fraction) < 0.9999 else f"{fraction * 100:.6g}"
        return f"{text} %"
    return f"{fraction * 100:.{digits}f} %"


def points(difference: float, *, sign: bool = False, unit: bool = True, digits: int = 2) -> str:
    """A difference of two fractions in percentage points, with a true minus sign."""
    text = f"{difference * 100:{'+' if sign else ''}.{digits}f}".replace("-", "−")
    if float(text.replace("−", "-")) == 0:
        text = f"{0:.{digits}f}"
    return f"{text} points" if unit else text


def seconds(value: float | None) -> str:
    """A duration in the unit that suits it."""
    if value is None:
        return "–"
    if value < 1:
        return f"{value * 1000:.0f} ms"
    if value < 100:
        return f"{value:.1f} s"
    if value < 6000:
        return f"{value / 60:.0f} min"
    return f"{value / 3600:.1f} h"


def energy(joules: float | None) -> str:
    """An energy in the unit that suits it: joules, watt hours, kilowatt hours."""
    if joules is None:
        return "–"
    factor, unit = next((pair for pair in ((3.6e6, "kWh"), (3600, "Wh")) if joules >= pair[0]), (1, "J"))
    value = joules / factor
    return f"{value:,.0f} {unit}" if value >= 100 else f"{value:.3g} {unit}"


def size(value: float | None) -> str:
    """A number of bytes in the unit that suits it."""
    if value is None:
        return "–"
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def count(value: float | None) -> str:
    """A large number in three digits: 272 k, 14.7 M."""
    if value is None:
        return "–"
    for unit in ("", " k", " M", " G", " T"):
        if abs(value) < 1000:
            return f"{value:.3g}{unit}"
        value /= 1000
    return f"{value:.3g} P"


def ratio(value: float | None) -> str:
    """A compression: 1×, 3.33×, 50×."""
    return "–" if value is None else f"{value:.3g}×"
