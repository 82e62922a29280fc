"""Results as files."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from prunectl.api.report import FORMATS, clock, report, write
from prunectl.api.run import Completed
from prunectl.base.errors import PrunectlError
from prunectl.report import formats


def test_the_formats_are_those_that_can_be_rendered() -> None:
    """They are listed twice, so that `--help` imports neither polars nor altair."""
    assert set(FORMATS) == set(formats.FORMATS)


def test_texts_and_files_are_bytes_alike(completed: tuple[Path, Completed]) -> None:
    """The formats themselves are tested with those of `prunectl.report`."""
    results = completed[1].results
    for name in ("csv", "parquet"):
        assert isinstance(report(results, name), bytes)
    assert b'http-equiv="refresh" content="5"' in report(results.__class__(**vars(results)), "html", reload_s=5)


def test_a_chart_that_does_not_exist_is_refused(completed: tuple[Path, Completed]) -> None:
    with pytest.raises(PrunectlError, match="no chart 'nothing'"):
        report(completed[1].results, "svg", chart="nothing")


def test_table_and_page_are_written_to_a_new_folder(completed: tuple[Path, Completed], tmp_path: Path) -> None:
    files = write(completed[1].results, tmp_path / "a" / "b")
    assert [file.name for file in files] == ["table.csv", "report.html"]
    assert all(file.stat().st_size > 500 for file in files)


def test_a_folder_that_cannot_be_written_is_one_sentence(completed: tuple[Path, Completed], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PrunectlError, match="cannot be written: Not a directory") as raised:
        write(completed[1].results, tmp_path / "file" / "results")
    assert raised.value.hint == "choose another place with --output DIR"


def test_the_clock_carries_its_offset() -> None:
    assert datetime.datetime.fromisoformat(clock()).utcoffset() is not None
