"""Energy is what counters say, shared out without adding up to more, and nothing where there is none."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from prunectl.execute import energy
from prunectl.execute.energy import Gpu, Meter, Packages, busy_s, counters


def zone(root: Path, name: str, kind: str, counted_uj: int, most: int = 1_000_000) -> Path:
    """A zone of RAPL as the kernel shows it."""
    folder = root / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "name").write_text(f"{kind}\n")
    (folder / "max_energy_range_uj").write_text(f"{most}\n")
    (folder / "energy_uj").write_text(f"{counted_uj}\n")
    return folder / "energy_uj"


def busy(stat: Path, seconds: float) -> Path:
    """/proc/stat of a machine that was busy for so long, and idle for much longer."""
    ticks = round(seconds * os.sysconf("SC_CLK_TCK"))
    stat.write_text(f"cpu  {ticks} 0 0 999999 55 0 0 7 0 0\ncpu0 1 2 3 4 5 6 7 8 9 10\n")
    return stat


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The CPU seconds of this process, to be set."""
    spent = [100.0]
    monkeypatch.setattr(energy, "own_s", lambda: spent[0])
    return spent


def test_a_step_is_given_its_share_of_all_packages(tmp_path: Path, own: list[float]) -> None:
    files = [zone(tmp_path, f"intel-rapl:{number}", f"package-{number}", 100) for number in range(2)]
    zone(tmp_path, "intel-rapl:2", "psys", 0)
    inside = zone(tmp_path, "intel-rapl:0:0", "core", 0)
    stat = busy(tmp_path / "stat", 1000)
    packages = Packages(tmp_path, stat)
    for file in (*files, inside):
        file.write_text("600100")
    own[0] += 3
    busy(stat, 1012)
    assert packages.joules() == pytest.approx(1.2 * 3 / 12)


def test_a_step_alone_has_all_of_it_and_no_more(tmp_path: Path, own: list[float]) -> None:
    file = zone(tmp_path, "intel-rapl:0", "package-0", 0)
    packages = Packages(tmp_path, busy(tmp_path / "stat", 5))
    file.write_text("500000")
    own[0] += 2  # the kernel's ticks are coarser than a process's clock
    assert packages.joules() == pytest.approx(0.5)


def test_a_counter_that_begins_again_loses_nothing(
    tmp_path: Path, own: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = zone(tmp_path, "intel-rapl:0", "package-0", 900_000)
    packages = Packages(tmp_path, busy(tmp_path / "stat", 5))
    monkeypatch.setattr(energy, "TICK_S", 0.0)
    for counted in (100_000, 800_000, 200_000):  # over the end, on, and over the end once more
        file.write_text(str(counted))
        packages.tick()
    own[0] += 1
    assert packages.joules() == pytest.approx(0.2 + 0.7 + 0.4)


def test_without_a_counter_there_is_no_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Packages.__init__, "__defaults__", (tmp_path, energy.STAT))
    assert Meter(None, jobs=1).joules() is None
    assert counters() == "none for the processor"
    monkeypatch.setattr(Gpu.__init__, "__defaults__", ("no-such-library.so",))
    assert Meter("1234", jobs=1).joules() is None


def test_a_counter_that_goes_away_is_no_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = zone(tmp_path, "intel-rapl:0", "package-0", 0)
    monkeypatch.setattr(Packages.__init__, "__defaults__", (tmp_path, busy(tmp_path / "stat", 1)))
    meter = Meter(None, jobs=4)
    assert counters() == "RAPL, 1 package"
    assert meter.joules() == 0
    file.unlink()
    meter.tick()
    assert meter.joules() is None


def test_what_several_steps_on_a_gpu_take_is_not_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    class Counted:
        def __init__(self, uuid: str) -> None:
            self.uuid = uuid

        def tick(self) -> None: ...

        def joules(self) -> float:
            return 12.5

    monkeypatch.setattr(energy, "Gpu", Counted)
    assert Meter("1234", jobs=1).joules() == 12.5
    assert Meter("1234", jobs=2).joules() is None


@pytest.mark.skipif(not energy.STAT.exists(), reason="/proc/stat is Linux's")
def test_this_machine_s_busy_seconds_go_on() -> None:
    before, begun = busy_s(), time.monotonic()
    while time.monotonic() - begun < 0.3:
        sum(range(10_000))
    assert busy_s() - before >= 0.1
