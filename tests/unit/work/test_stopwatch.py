"""Timing: interleaved, with medians, and long enough to be seen; memory: what loading and a pass add."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import Tensor

from prunectl.work import stopwatch

CPU = torch.device("cpu")


class Clock:
    """Gives the milliseconds that a test has written, and records whom it was asked about."""

    def __init__(self, times: dict[str, list[float]]) -> None:
        self.times = {name: iter(several) for name, several in times.items()}
        self.asked: list[tuple[str, int]] = []

    def __call__(self, call: Callable[[], object], number: int) -> float:
        name = str(call())
        self.asked.append((name, number))
        return next(self.times[name])


def timed(clock: Clock, repeats: int, monkeypatch: pytest.MonkeyPatch) -> dict[str, stopwatch.Timing]:
    monkeypatch.setattr(stopwatch, "_on_cpu", clock)
    return stopwatch.interleaved({name: partial(str, name) for name in clock.times}, repeats, CPU)


def test_calls_take_turns_and_none_always_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock({"a": [9, 10, 1, 2, 3], "b": [9, 10, 4, 5, 6]})
    timed(clock, 3, monkeypatch)
    assert [name for name, _ in clock.asked[4:]] == ["a", "b", "b", "a", "a", "b"]


def test_a_timing_is_the_median_with_its_quartiles(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock({"a": [99, 10, 1, 2, 3, 4, 100]})
    timing = timed(clock, 5, monkeypatch)["a"]
    assert (timing.ms_low, timing.ms, timing.ms_high, timing.calls) == (2, 3, 4, 1)


@pytest.mark.parametrize(("once_ms", "calls"), [(10.0, 1), (1.0, 5), (0.04, 125), (1e-9, 1000)])
def test_what_is_fast_is_called_several_times_in_a_row(
    once_ms: float, calls: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock({"a": [5.0, once_ms, once_ms]})
    assert timed(clock, 1, monkeypatch)["a"].calls == calls
    assert clock.asked == [("a", stopwatch.WARM_UP), ("a", 1), ("a", calls)]


@pytest.mark.skipif(sys.platform != "linux", reason="peaks can be forgotten on Linux only")
def test_memory_is_what_loading_and_a_pass_add() -> None:
    def load() -> Callable[[Tensor], Tensor]:
        weights = torch.ones(10_000_000)
        return lambda images: weights * 2 + images

    peak = stopwatch.peak_bytes(load, torch.ones(1))
    assert peak is None or 75e6 < peak < 140e6
