"""When a run is to have stopped, as `--until` takes it: an ISO time, or a duration from now."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass

from prunectl.base.errors import PrunectlError

MOST_GRACE_S = 45.0
"""How long before the moment a run begins to stop, at most: workers may take 30 seconds to save a snapshot."""
LONGEST_S = 366 * 86_400.0
FORMS = "an ISO time such as 2026-12-24T18:00 or 18:00, or a duration such as 2h, 90m or 1h30m"

_UNITS = {"d": 86_400, "h": 3600, "m": 60, "s": 1}
_DURATION = re.compile(r"(?:(\d{1,12})d)?(?:(\d{1,12})h)?(?:(\d{1,12})m)?(?:(\d{1,12})s)?")
_CLOCK = re.compile(r"\d{1,2}:\d{2}")


@dataclass(frozen=True, kw_only=True)
class Until:
    """A moment by which a run has stopped. Times are seconds since 1970."""

    at: float
    begin: float
    """From when on no step is started, and those under way are asked to stop."""

    @classmethod
    def after(cls, now: float, at: float) -> Until:
        """A moment that is in the future now: a short run gives up at most a quarter of its time."""
        return cls(at=at, begin=at - min(MOST_GRACE_S, (at - now) / 4))

    @property
    def label(self) -> str:
        """The moment by this machine's clock, with its offset."""
        return datetime.datetime.fromtimestamp(self.at).astimezone().isoformat(" ", "seconds")

    def earlier(self, other: Until | None) -> Until:
        """The earlier one of two."""
        return self if other is None or self.at <= other.at else other


def until(text: str, now: float) -> Until:
    """The moment that a user writes. Raises PrunectlError for one that is none, or is over."""
    at = _moment(text.strip(), now)
    if at is None:
        raise _refused(text, f"it is not {FORMS}", _likely(text))
    if at <= now:
        since = Until(at=at, begin=at).label
        raise _refused(text, f"that moment, {since}, is over" if at < now else "that is no time at all", None)
    if at - now > LONGEST_S:
        raise _refused(text, "that is more than a year away", "leave --until out to let the run end by itself")
    return Until.after(now, at)


def duration(text: str) -> float | None:
    """The seconds of `1d2h30m10s`, in which every part may be missing but not all; None for other text."""
    match = _DURATION.fullmatch(text)
    if not text or match is None:
        return None
    return float(sum(int(part or 0) * unit for part, unit in zip(match.groups(), _UNITS.values(), strict=True)))


def _moment(text: str, now: float) -> float | None:
    if (length := duration(text)) is not None:
        return now + length
    try:
        if _CLOCK.fullmatch(text):
            return _next(datetime.time.fromisoformat(text.zfill(5)), now)
        return datetime.datetime.fromisoformat(text).timestamp()  # without an offset it is local time
    except (ValueError, OverflowError):
        return None


def _next(clock: datetime.time, now: float) -> float:
    """When the clock of this machine shows a time next."""
    today = datetime.datetime.fromtimestamp(now)
    moment = datetime.datetime.combine(today.date(), clock)
    return (moment if moment > today else moment + datetime.timedelta(days=1)).timestamp()


def _likely(text: str) -> str | None:
    """What was probably meant: a number needs a unit, and units are one small letter."""
    plain = text.strip().lower().replace(" ", "")
    if plain.isdecimal():
        return f"a number needs a unit: did you mean {plain}m or {plain}h?"
    for word in ("day", "hour", "hr", "minute", "min", "second", "sec"):
        plain = re.sub(rf"{word}s?", word[0], plain)
    return f"did you mean {plain}?" if duration(plain) is not None else None


def _refused(text: str, why: str, hint: str | None) -> PrunectlError:
    shown = text if len(text) <= 60 else text[:60] + "…"
    return PrunectlError(f"--until {shown!r} cannot be used: {why}", hint=hint)
