"""Damaged artefacts: what reads or makes them is repeated, with a warning each time."""

from __future__ import annotations

from prunectl.api.damage import undamaged
from prunectl.store.local import DamagedError


def test_an_attempt_is_repeated_until_nothing_is_damaged() -> None:
    attempts: list[int] = []

    def attempt() -> str:
        attempts.append(1)
        if len(attempts) < 3:
            raise DamagedError("a" * 64, "a byte differs")
        return "sound"

    warnings: list[str] = []
    assert undamaged(attempt, warnings.append, then="it is recomputed now") == "sound"
    assert (len(attempts), len(warnings)) == (3, 2)
    assert warnings[0].endswith("and it is recomputed now")
