"""Whose code a module is: that of prunectl and what it is built on, or a third party's."""

from __future__ import annotations

import os
import sys
from pathlib import Path, PurePath

OURS = frozenset(
    {
        *("prunectl", "torch", "torchvision", "torchgen", "functorch", "numpy", "safetensors", "PIL"),
        *("pydantic", "pydantic_core", "annotated_types", "typing_extensions", "typing_inspection"),
        *("typer", "rich", "tomli", "tomli_w", "filelock", "platformdirs"),
        *("polars", "altair", "narwhals", "vl_convert", "jinja2", "markupsafe"),
    }
)
"""Top-level packages of prunectl and of what it depends on."""

FILE_MODULE = "prunectl_file_"
"""How the names of modules begin that were made from one file, which a study names: see `catalog/source_file.py`."""

_LIBRARY = Path(os.__file__).resolve().parent
"""Where Python keeps its own library."""

INSTALLED = frozenset({"site-packages", "dist-packages"})
"""Folders in which the packages of everybody lie."""


def third_party(module: str, file: str | None) -> bool:
    """Whether a module, of a full name and a file, is neither prunectl's, nor one that it is built on, nor Python's.

    A module that only has the name of one of Python's own (`code.py`, `profile.py`) is a third party's.
    """
    top = module.partition(".")[0]
    if top in OURS:
        return False
    return not (top in sys.stdlib_module_names and (file is None or _in_library(file)))


def _in_library(file: str) -> bool:
    """Whether a file is part of Python: in its library, frozen, or built in."""
    path = Path(file)
    if not path.is_absolute():
        return file.startswith("<")
    inside = path.resolve()
    return inside.is_relative_to(_LIBRARY) and INSTALLED.isdisjoint(inside.relative_to(_LIBRARY).parts)


def within_package(module: str, file: str) -> str:
    """A file as seen from where its package is installed: 'meanprune/criterion.py'. The same on every machine."""
    path = PurePath(file)
    depth = module.count(".") + (path.stem == "__init__")
    return "/".join(path.parts[-1 - depth :])
