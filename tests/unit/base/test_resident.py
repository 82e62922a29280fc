"""The memory of this process, and what the system reports of its processor."""

from __future__ import annotations

from pathlib import Path

import pytest

from prunectl.base import processor, resident


def test_memory_is_held_now_and_at_most() -> None:
    now = resident.resident_bytes()
    assert 1e6 < now <= resident.peak_resident_bytes() * 1.01
    resident.trim()


def test_where_the_system_shows_nothing_the_peak_is_what_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resident, "STATM", tmp_path / "missing")
    monkeypatch.setattr(resident, "CLEAR_REFS", tmp_path / "missing" / "clear_refs")
    assert resident.resident_bytes() == resident.peak_resident_bytes()
    assert resident.forget_peak() is False


def test_the_processor_is_named_by_the_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("processor\t: 0\nvendor_id\t: Acme\nmodel name\t: Acme 9000\n")
    monkeypatch.setattr(processor, "CPUINFO", cpuinfo)
    processor.described_as.cache_clear()
    assert processor.processor_name() == "Acme 9000"
    assert processor.described_as("vendor_id") == "Acme"
    assert processor.described_as("model") == "Acme 9000" and processor.described_as("flags") == ""
    monkeypatch.setattr(processor, "CPUINFO", tmp_path / "missing")
    processor.described_as.cache_clear()
    assert processor.described_as("flags") == ""
    processor.described_as.cache_clear()
