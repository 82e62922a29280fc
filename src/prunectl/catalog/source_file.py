"""One file of Python code as a module of its own, wherever its source comes from: the disk, or a request to a worker.

A worker on another machine gets the source with its request, so the file need not be there. Modules are named by what
they hold, so two versions of a file never mix in one process.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.abc import InspectLoader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import decode_source
from types import CodeType, ModuleType

from prunectl.base.theirs import FILE_MODULE


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceFile:
    """A file as it was read."""

    written: str
    """Its path as a study writes it."""
    path: str
    """Where it was read: tracebacks name it."""
    source: bytes

    @property
    def module(self) -> str:
        """The name of its module: the same for the same reference to the same content."""
        return FILE_MODULE + hashlib.sha256(self.written.encode() + b"\0" + self.source).hexdigest()[:16]


class _Loader(InspectLoader):
    """Runs the source of a file. Tracebacks show that source, whatever the file holds by now."""

    def __init__(self, file: SourceFile) -> None:
        self.file = file

    def get_source(self, fullname: str) -> str:
        """The text of the file."""
        return decode_source(self.file.source)

    def get_code(self, fullname: str) -> CodeType:
        """The file, compiled. Raises SyntaxError."""
        code: CodeType = compile(self.file.source, self.file.path, "exec", dont_inherit=True)
        return code


class _Finder(MetaPathFinder):
    """Finds the modules of the files that this process has been given."""

    def __init__(self) -> None:
        self.files: dict[str, SourceFile] = {}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The module of a file."""
        file = self.files.get(fullname)
        if file is None:
            return None
        spec = ModuleSpec(fullname, _Loader(file), origin=file.path)
        spec.has_location = True
        return spec


_FINDER = _Finder()


def install(files: Iterable[SourceFile]) -> None:
    """Let the modules of files be imported. Nothing is run before they are."""
    if _FINDER not in sys.meta_path:
        sys.meta_path.append(_FINDER)
    _FINDER.files.update({file.module: file for file in files})


def file_of(module: str) -> SourceFile | None:
    """The file that a module was made from, or None."""
    return _FINDER.files.get(module)
