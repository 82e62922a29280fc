"""What a process keeps of what it has read or made."""

from __future__ import annotations

import pytest

from prunectl.work.recent import Recent


def test_the_entry_used_least_recently_makes_room() -> None:
    made: list[str] = []

    def make(name: str) -> str:
        made.append(name)
        return name.upper()

    kept: Recent[str, str] = Recent(2)
    for name in ("a", "b", "a", "c", "a", "b"):
        assert kept.get_or_make(name, lambda name=name: make(name)) == name.upper()  # type: ignore[misc]
    assert made == ["a", "b", "c", "b"]
    assert list(kept) == ["a", "b"]


def test_what_cannot_be_made_is_not_kept_and_takes_no_place() -> None:
    kept: Recent[str, int] = Recent(1)
    kept.get_or_make("a", lambda: 1)
    with pytest.raises(ZeroDivisionError):
        kept.get_or_make("b", lambda: 1 // 0)
    assert dict(kept) == {"a": 1}
