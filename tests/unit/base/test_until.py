"""When a run is to have stopped."""

from __future__ import annotations

import datetime

import pytest

from prunectl.base.errors import PrunectlError
from prunectl.base.until import MOST_GRACE_S, Until, duration, until

NOW = datetime.datetime(2026, 11, 26, 12, 0).timestamp()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("2h", 7200), ("90m", 5400), ("1h30m", 5400), ("45s", 45), ("1d2h", 93_600), (" 2h ", 7200)],
)
def test_a_duration_counts_from_now(text: str, seconds: float) -> None:
    assert until(text, NOW).at == NOW + seconds


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-26T18:30", (26, 18, 30)),
        ("2026-11-26 18:30:00", (26, 18, 30)),
        ("2026-11-27", (27, 0, 0)),
        ("18:30", (26, 18, 30)),
        ("9:15", (27, 9, 15)),
    ],
)
def test_a_time_without_an_offset_is_local(text: str, moment: tuple[int, int, int]) -> None:
    day, hour, minute = moment
    assert until(text, NOW).at == datetime.datetime(2026, 11, day, hour, minute).timestamp()


def test_a_time_with_an_offset_is_that_of_its_place() -> None:
    utc = datetime.datetime(2026, 11, 28, 18, 0, tzinfo=datetime.UTC)
    assert until("2026-11-28T18:00Z", NOW).at == until("2026-11-28T19:00+01:00", NOW).at == utc.timestamp()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "is not an ISO time"),
        ("h", "is not an ISO time"),
        ("tomorrow", "such as 2h, 90m or 1h30m"),
        ("90", "did you mean 90m or 90h?"),
        ("2 hours", "did you mean 2h?"),
        ("1H30MIN", "did you mean 1h30m?"),
        ("30m1h", "is not an ISO time"),
        ("-2h", "is not an ISO time"),
        ("1.5h", "is not an ISO time"),
        ("25:00", "is not an ISO time"),
        ("2026-13-01", "is not an ISO time"),
        ("0m", "no time at all"),
        ("2026-11-26T11:59", "is over"),
        ("9999999h", "more than a year away"),
        ("9" * 400 + "h", "is not an ISO time"),
    ],
)
def test_what_cannot_be_used_is_refused_with_what_can(text: str, expected: str) -> None:
    with pytest.raises(PrunectlError, match="--until") as raised:
        until(text, NOW)
    assert expected in str(raised.value)
    assert raised.value.exit_code == 2
    assert len(str(raised.value)) < 400


def test_stopping_begins_early_enough_for_snapshots_but_leaves_a_short_run_most_of_its_time() -> None:
    assert until("2h", NOW).begin == NOW + 7200 - MOST_GRACE_S
    assert until("20s", NOW).begin == NOW + 15


def test_the_earlier_of_two_moments_counts() -> None:
    soon, late = until("1h", NOW), until("2h", NOW)
    assert soon.earlier(late) is late.earlier(soon) is soon.earlier(None) is soon


def test_the_label_can_be_given_to_another_process() -> None:
    moment = Until.after(NOW, NOW + 60)
    assert until(moment.label, NOW).at == moment.at


def test_what_is_no_duration_has_none() -> None:
    assert duration("") is duration("2x") is duration("2h ") is None
