"""Text for people: numbers with their units, lists, hints, and text from elsewhere made harmless.

Everything that prunectl prints or writes uses these, so that a quantity looks the same in the terminal, in the report
and in an error message.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import takewhile
from typing import Any

from prunectl.base.errors import nearest

UNKNOWN = "–"
"""What is written where a number is missing."""


def span(numbers: Iterable[int]) -> str:
    """The least and the greatest of some numbers: '3 to 12', or '3' where all are equal."""
    ends = sorted(set(numbers)) or [0]
    return str(ends[0]) if len(ends) == 1 else f"{ends[0]} to {ends[-1]}"


def plural(count: int, noun: str) -> str:
    """'1 seed', '2 seeds', '12,000 trials'."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def and_list(items: Sequence[str]) -> str:
    """'a', 'a and b', 'a, b and c'."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}" if items else ""


def percent(fraction: float | None, digits: int | None = None) -> str:
    """A fraction in percent, with `digits` decimals or as few as it needs (0.9 is 90 %, 0.998 is 99.8 %)."""
    if fraction is None:
        return UNKNOWN
    if digits is None:
        text = f"{fraction * 100:.4g}" if abs(fraction) < 0.9999 else f"{fraction * 100:.6g}"
        return f"{text} %"
    return f"{fraction * 100:.{digits}f} %"


def points(difference: float, *, sign: bool = False, unit: bool = True, digits: int = 2) -> str:
    """A difference of two fractions in percentage points, with a true minus sign and no negative zero."""
    text = amount(difference * 100, digits, sign=sign)
    return f"{text} points" if unit else text


def amount(value: float, digits: int, *, sign: bool = False) -> str:
    """A number with the given decimals, a true minus sign and no negative zero."""
    text = f"{value:{'+' if sign else ''}.{digits}f}".replace("-", "−")
    return f"{0:.{digits}f}" if float(text.replace("−", "-")) == 0 else text


def seconds(value: float | None) -> str:
    """A duration given in seconds: '20 ms', '1.5 s', '12 min', '3.0 h', and from 48 hours on '4.5 days'."""
    if value is None:
        return UNKNOWN
    if value < 1:
        return f"{value * 1000:.0f} ms"
    if value < 100:
        return f"{value:.1f} s"
    if value < 6000:
        return f"{value / 60:.0f} min"
    hours = round(value / 3600, 1)
    return f"{hours:.1f} h" if hours < 48 else f"{hours / 24:.1f} days"


def left(value: float) -> str:
    """An estimated duration given in seconds, no more exact than it is: 'a few seconds', '40 s', '12 min', '3.0 h'."""
    if value < 10:
        return "a few seconds"
    return f"{round(value / 10) * 10} s" if value < 95 else seconds(max(value, 100))


def size(value: float | None) -> str:
    """A number of bytes: '12 B', '1.5 kB', '3.2 GB'; 1 kB is 1,000 bytes."""
    if value is None:
        return UNKNOWN
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def count(value: float | None) -> str:
    """A large number in three digits: '272 k', '14.7 M'."""
    if value is None:
        return UNKNOWN
    for unit in ("", " k", " M", " G", " T"):
        if abs(value) < 1000:
            return f"{value:.3g}{unit}"
        value /= 1000
    return f"{value:.3g} P"


def energy(joules: float | None) -> str:
    """An energy given in joules: '80 J', '1.5 Wh', '2 kWh'."""
    if joules is None:
        return UNKNOWN
    factor, unit = next((pair for pair in ((3.6e6, "kWh"), (3600, "Wh")) if joules >= pair[0]), (1, "J"))
    value = joules / factor
    return f"{value:,.0f} {unit}" if value >= 100 else f"{value:.3g} {unit}"


def shortened(text: str, length: int) -> str:
    """At most `length` characters of a text; one that is cut ends in '…'."""
    return text if len(text) <= length else text[: length - 1] + "…"


def distinct(texts: Iterable[str], length: int) -> dict[str, str]:
    """Each text in at most `length` characters, so that no two of them become the same.

    Texts are cut at their ends; those that would then look alike are cut before the part in which they differ, and
    numbered if not even that fits.
    """
    texts = dict.fromkeys(texts)
    short = {text: shortened(text, length) for text in texts}
    for group in _alike(short):
        start = _last_part(_shared(group))
        short |= {text: _joined(text[:start], text[start:], length) for text in group}
    for group in _alike(short):
        marks = [f" ({number})" for number in range(1, len(group) + 1)]
        short |= {text: shortened(text, length - len(mark)) + mark for text, mark in zip(group, marks, strict=True)}
    return short


def _alike(short: Mapping[str, str]) -> list[list[str]]:
    """The texts whose short forms are the same."""
    groups: dict[str, list[str]] = {}
    for text, cut in short.items():
        groups.setdefault(cut, []).append(text)
    return [group for group in groups.values() if len(group) > 1]


def _shared(texts: Sequence[str]) -> str:
    """The beginning that all of the texts have."""
    return "".join(chars[0] for chars in takewhile(lambda chars: len(set(chars)) == 1, zip(*texts, strict=False)))


def _last_part(shared: str) -> int:
    """Where the last word, parameter or part of a label begins: the difference is read from there."""
    return max(shared.rfind(mark) + len(mark) if mark in shared else 0 for mark in (" · ", ", ", "(", " "))


def _joined(head: str, tail: str, length: int) -> str:
    """The beginning and the end of a text that is cut between them."""
    room = length - len(tail) - 1
    return f"{head[:room]}…{tail}" if room >= 0 else f"…{shortened(tail, length - 1)}"


def visible(text: str, keep: str = "") -> str:
    """A text in which nothing can move the cursor, ring a bell, reorder a line or hide.

    Control characters, bidi marks, characters without width, line separators, spaces other than U+0020, surrogates
    and code points without a meaning are written as escapes (`\\x1b`, `\\u202e`), except those in `keep`.
    """
    return "".join(char if char.isprintable() or char in keep else _escape(char) for char in text)


def _escape(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")


def did_you_mean(name: str, allowed: Iterable[str], form: str = '"{}"') -> str | None:
    """The hint that names the allowed name closest to `name`, or None if none is close.

    `form` is how it is typed there: '"{}"' in a study file, '{}' on the command line.
    """
    close = nearest(name, allowed)
    return None if close is None else f"did you mean {form.format(visible(close))}?"


def finite(value: Any, instead: Callable[[float], Any] = lambda number: None) -> Any:
    """The value as JSON can hold it: every infinity and NaN in it, at any depth, replaced by `instead` (null)."""
    if isinstance(value, float):
        return value if value - value == 0 else instead(value)
    if isinstance(value, dict):
        return {str(key): finite(item, instead) for key, item in value.items()}
    return [finite(item, instead) for item in value] if isinstance(value, list | tuple) else value
