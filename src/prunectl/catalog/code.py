"""The code of a third party's class as part of a key: an edit of it must not leave results that it did not give.

What prunectl's own code means is in each key by `version`. That of somebody else is identified by a digest of its
source files. What their code imports from yet other packages is not part of it: its author raises `version`.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import inspect
import os
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path, PurePosixPath
from types import ModuleType
from typing import Any
from zipfile import ZipFile
from zipimport import zipimporter

from prunectl.base.errors import PrunectlError
from prunectl.base.theirs import INSTALLED, OURS, third_party, within_package
from prunectl.catalog.source_file import file_of

Sources = dict[str, bytes]
"""Source files by their path from the package on, 'meanprune/criterion.py'."""

FILE = "file.py"
"""What a file that a study names is called in digests."""


class NoSourceError(PrunectlError):
    """A class whose source cannot be read: nothing could show that its code has changed."""

    def __init__(self, module: str, why: str) -> None:
        hint = "results are kept by a digest of that source: put the class into a file of an installed package"
        super().__init__(f"the source of the module {module} cannot be read: {why}", hint=hint)


@cache
def code_of(kind: type) -> str | None:
    """SHA-256 of the source of a third party's class, in hex; None for a class of prunectl.

    The source is every .py file of the package that the class is in, and the same of each class of a third party that
    it inherits from. Of a class outside of any package it is its file, and the files next to it that it imports; of one
    in a file that a study names, that file as it was read, whatever it is called and wherever it is. The
    place where packages are installed, compiled files and the way in which lines end do not matter. It is read once in
    a process, when the class is first used.

    Raises NoSourceError.
    """
    modules = dict.fromkeys(_module(one) for one in kind.__mro__ if is_theirs(one))
    if not modules:
        return None
    sources: Sources = {}
    for module in modules:
        try:
            sources |= sources_of(module)
        except OSError as error:
            raise NoSourceError(module.__name__, str(error)) from error
    place = kind.__module__ if file_of(kind.__module__) is None else FILE
    return _digest(f"{place}:{kind.__qualname__}", sources)


def line_of(found: object) -> str | None:
    """'file:line' where a class or function of a third party is defined, or None."""
    try:
        return f"{inspect.getsourcefile(found)}:{inspect.getsourcelines(found)[1]}"  # type: ignore[arg-type]
    except (TypeError, OSError):
        return None


def _digest(name: str, sources: Sources) -> str:
    digest = hashlib.sha256(name.encode())
    for place in sorted(sources):
        text = sources[place].replace(b"\r\n", b"\n").replace(b"\r", b"\n") if place.endswith(".py") else sources[place]
        digest.update(f"\n{place} {len(text)}\n".encode())
        digest.update(text)
    return digest.hexdigest()


def is_theirs(kind: type) -> bool:
    """Whether a class is a third party's: of a package, or of a file that a study names."""
    return third_party(kind.__module__, getattr(sys.modules.get(kind.__module__), "__file__", None))


def _module(kind: type) -> ModuleType:
    module = sys.modules.get(kind.__module__)
    if module is None:
        raise NoSourceError(kind.__module__, f"it is not imported, and {kind.__qualname__} claims to be defined in it")
    return module


def sources_of(module: ModuleType) -> Sources:
    """The source files of the package of a module; of one outside of any, its own and those next to it that it imports.

    Raises NoSourceError for a module without a file (an interactive session), and OSError.
    """
    if (given := file_of(module.__name__)) is not None:
        return {FILE: given.source}
    file = getattr(module, "__file__", None)
    if not file:
        raise NoSourceError(module.__name__, "it has no file")
    loader: Any = getattr(module, "__loader__", None)
    if isinstance(loader, zipimporter):
        return _in_archive(Path(loader.archive), module.__name__)
    own = {within_package(module.__name__, file): Path(file).read_bytes()}  # also one that is compiled
    name, folders = package_of(module)
    if name is None:
        return dict(_with_neighbours(Path(file)))
    return own | dict(_in_folders(name, folders))


def _with_neighbours(file: Path) -> Iterator[tuple[str, bytes]]:
    """A module outside of any package, and what it imports, directly or not, from the folder that it is in.

    Where packages are installed, everybody's modules are next to each other: there it is the module alone.
    """
    shared = bool(INSTALLED.intersection(file.parent.parts))
    left, seen = [file], {file}
    while left:
        source = left.pop()
        content = source.read_bytes()
        yield source.relative_to(file.parent).as_posix(), content
        names = set() if shared or source.suffix != ".py" else _imported(content)
        for path in [place for name in sorted(names) for place in _places(file.parent, name) if place not in seen]:
            seen.add(path)
            left.append(path)


def neighbours_of(file: Path, source: bytes) -> list[Path]:
    """What a file imports from the folder that it is in; nothing that has the name of one of Python's own modules."""
    names = sorted(_imported(source) - sys.stdlib_module_names - OURS)
    return [place for name in names for place in _places(file.parent, name)[:1] if place != file]


def _imported(source: bytes) -> set[str]:
    """The first parts of the names that a module imports, wherever in it."""
    names: set[str] = set()
    with contextlib.suppress(SyntaxError, ValueError):
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module.partition(".")[0])
    return names


def _places(folder: Path, name: str) -> list[Path]:
    """The files of a module or package of a name in a folder."""
    if (folder / f"{name}.py").is_file():
        return [folder / f"{name}.py"]
    return sorted((folder / name).rglob("*.py")) if (folder / name / "__init__.py").is_file() else []


def package_of(module: ModuleType) -> tuple[str | None, list[Path]]:
    """The outermost package that a module is in, and its folders; (None, []) for a module outside of any.

    A namespace package may be shared by strangers: then it is the outermost regular package inside of it. If there is
    none, a folder that lacks its __init__.py is meant, and it is the outermost folder that holds the module.
    """
    parts = module.__name__.split(".")
    outer = [".".join(parts[: end + 1]) for end in range(len(parts))]
    packages = {name: sys.modules[name] for name in outer if hasattr(sys.modules.get(name), "__path__")}
    for name, package in packages.items():
        if getattr(package, "__file__", None):
            return name, [Path(folder) for folder in package.__path__]
    file = Path(str(module.__file__))
    for name, package in packages.items():
        folders = [Path(folder) for folder in package.__path__ if file.is_relative_to(folder)]
        if folders:
            return name, folders
    return None, []


def _in_folders(package: str, folders: Iterable[Path]) -> Iterator[tuple[str, bytes]]:
    for folder in folders:
        seen: set[str] = set()
        for where, inner, files in os.walk(folder, followlinks=True):
            real = os.path.realpath(where)
            inner[:] = [] if real in seen else [name for name in inner if not name.startswith(".")]
            seen.add(real)  # a link to a folder further up has no end
            for file in files:
                if file.endswith(".py"):
                    path = Path(where, file)
                    yield f"{package.replace('.', '/')}/{path.relative_to(folder).as_posix()}", path.read_bytes()


def _in_archive(archive: Path, module: str) -> Sources:
    """The .py files of the top-level package, or module, in a zip archive on the path."""
    top = module.partition(".")[0]
    with ZipFile(archive) as members:
        names = [PurePosixPath(name) for name in members.namelist() if name.endswith(".py")]
        inside = [name for name in names if top in name.parts or f"{top}.py" in name.parts]
        if not inside:
            raise NoSourceError(module, f"{archive} holds no source of it")
        return {str(name): members.read(str(name)) for name in inside}
