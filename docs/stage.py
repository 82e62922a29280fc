"""The pages of the site: docs/ as it is, with README, CONTRIBUTING and CHANGELOG as pages, and their links corrected.

`make docs` runs it before zensical builds the site. A link that leads nowhere is an error.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGES = {"README.md": "index.md", "CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}
"""Files outside docs/ that are pages of the site."""
SUFFIXES = {".md", ".png", ".ipynb", ".txt", ".py"}
LINK = re.compile(r"(?<=\]\()(?!https?:|#)([^)#\s]+)")
FENCE = re.compile(r"(^```.*?^```|`[^`\n]+`)", flags=re.DOTALL | re.MULTILINE)


def stage(target: Path) -> list[Path]:
    """Write the pages to a directory that is emptied before; the files written. Raises FileNotFoundError."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    sources = {file: file.name for file in sorted((ROOT / "docs").iterdir()) if file.suffix in SUFFIXES}
    sources |= {ROOT / name: page for name, page in PAGES.items()}
    for file, name in sources.items():
        if file.suffix == ".md":
            (target / name).write_text(_linked(file, target), encoding="utf-8")
        elif file != Path(__file__):
            shutil.copy(file, target / name)
    return sorted(target.rglob("*"))


def _linked(page: Path, target: Path) -> str:
    """A page with links as they are on the site. What is not a page is copied to files/."""

    def moved(link: re.Match[str]) -> str:
        file = (page.parent / link[1]).resolve()
        if not file.exists():
            raise FileNotFoundError(f"{page.relative_to(ROOT)} links to {link[1]}, which does not exist")
        if file.parent == ROOT / "docs":
            return file.name
        if file.name in PAGES and file.parent == ROOT:
            return PAGES[file.name]
        return _copied(file, target)

    parts = FENCE.split(page.read_text(encoding="utf-8"))
    return "".join(part if place % 2 else LINK.sub(moved, part) for place, part in enumerate(parts))


def _copied(file: Path, target: Path) -> str:
    """Where a file of the repository is on the site; of a directory, its first source file."""
    file = file if file.is_file() else min(file.glob("*.*"))
    place = Path("files") / file.relative_to(ROOT)
    (target / place).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(file, target / place)
    return place.as_posix()


if __name__ == "__main__":
    stage(ROOT / "build" / "pages")
