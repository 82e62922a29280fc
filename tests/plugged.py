"""Packages with plug-ins, laid out as pip installs them: modules, and metadata with entry points."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import dedent

Install = Callable[..., Path]
"""The fixture `installed`: as `install`, in a folder on the path of the test."""


def install(folder: Path, points: str, modules: Mapping[str, str] | None = None, *, package: str = "net") -> Path:
    """A package in a folder that is or will be on the path: its entry points as INI text, its modules by file name.

    Returns the file of the entry points.
    """
    information = folder / f"{package}-1.0.dist-info"
    information.mkdir(parents=True, exist_ok=True)
    (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text(dedent(points))
    for name, source in (modules or {}).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(dedent(source))
    return information / "entry_points.txt"
