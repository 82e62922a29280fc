"""The Vega bundle: built once, then read from the user's cache."""

from __future__ import annotations

from pathlib import Path

import pytest

from prunectl.report import vega


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the user's."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "prunectl"


def test_the_bundle_is_kept_under_its_digest_and_read_again(cache: Path) -> None:
    script = vega.bundle()
    (file,) = cache.iterdir()
    assert file.read_text(encoding="utf-8") == script
    assert file.name.startswith("vega-") and file.suffix == ".js"
    before = file.stat().st_mtime_ns
    assert vega.bundle() == script
    assert [kept.stat().st_mtime_ns for kept in cache.iterdir()] == [before]


def test_a_damaged_cache_is_not_used(cache: Path) -> None:
    script = vega.bundle()
    (file,) = cache.iterdir()
    file.write_text("alert(1)", encoding="utf-8")
    assert vega.bundle() == script
    assert file.read_text(encoding="utf-8") == script


def test_a_cache_that_is_no_text_is_not_used(cache: Path) -> None:
    script = vega.bundle()
    (file,) = cache.iterdir()
    file.write_bytes(b"\xff\xfe")
    assert vega.bundle() == script


def test_without_a_cache_there_is_a_bundle_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    (tmp_path / "file").write_text("in the way")
    assert "vegaEmbed" in vega.bundle()


def test_nothing_in_the_bundle_ends_its_script_element(cache: Path) -> None:
    script = vega.bundle()
    assert "</script" not in script and "<!--" not in script
    assert script.startswith("(function(){") and script.endswith("})();")
