"""The site: every page is in its navigation, and every link of the pages that it is built from leads to one of them."""

from __future__ import annotations

import importlib.util
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def staging() -> ModuleType:
    """docs/stage.py, which is no part of a package."""
    spec = importlib.util.spec_from_file_location("stage", ROOT / "docs" / "stage.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def pages(staging: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory that the site is built from."""
    target: Path = tmp_path_factory.mktemp("site") / "pages"
    staging.stage(target)
    return target


def anchor(heading: str) -> str:
    """The anchor of a heading, as sites and repositories make it."""
    text = re.sub(r"[`*]|\]\([^)]*\)", "", heading).lower()
    return re.sub(r"\s", "-", re.sub(r"[^\w\s-]", "", text).strip())


def prose(page: Path) -> str:
    """A page without its blocks of code."""
    return re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


def test_every_link_of_the_site_leads_to_a_page_and_a_heading(pages: Path) -> None:
    count = 0
    for page in pages.glob("*.md"):
        for file, name in re.findall(r"\]\((?!https?:)([^)#\s]*)#?([^)\s]*)\)", prose(page)):
            target = pages / file if file else page
            assert target.is_file(), f"{page.name} links to {file}"
            if name:
                headings = map(anchor, re.findall(r"^#+ (.*)$", prose(target), flags=re.MULTILINE))
                assert name in headings, f"{page.name} links to {file}#{name}"
            count += 1
    assert count > 100


def test_every_page_is_in_the_navigation_and_nothing_else(pages: Path) -> None:
    def listed(entry: Any) -> Iterator[str]:
        if isinstance(entry, str):
            yield entry
        else:
            for inner in entry.values() if isinstance(entry, dict) else entry:
                yield from listed(inner)

    site = tomllib.loads((ROOT / "zensical.toml").read_text(encoding="utf-8"))["project"]
    assert sorted(listed(site["nav"])) == sorted(page.name for page in pages.glob("*.md"))
    assert site["theme"]["font"] is False  # it would be fetched from elsewhere
    assert "repo_url" not in site  # the theme asks the repository's host for its stars


def test_the_map_for_language_models_and_the_pictures_are_part_of_the_site(pages: Path) -> None:
    assert (pages / "llms.txt").is_file()
    assert {path.name for path in (ROOT / "docs").glob("*.png")} == {path.name for path in pages.glob("*.png")}


def test_a_link_that_leads_nowhere_is_an_error(
    staging: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "docs").mkdir()
    for name in staging.PAGES:
        (tmp_path / name).write_text("# A page\n\n`[code](nowhere.png)`\n")
    monkeypatch.setattr(staging, "ROOT", tmp_path)
    staging.stage(tmp_path / "pages")
    (tmp_path / "docs" / "methods.md").write_text("[b](b.png)")
    with pytest.raises(FileNotFoundError, match=r"docs/methods\.md links to b\.png"):
        staging.stage(tmp_path / "pages")
