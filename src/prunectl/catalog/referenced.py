"""Entries that a study names by a file: "file:mine.py:Mine" is the class Mine of mine.py next to the study file.

One file is one module: it is read, run by itself, and known in keys by its content. What it imports must be installed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from prunectl.base import ctrl_c
from prunectl.base.errors import PrunectlError, described
from prunectl.base.text import and_list, did_you_mean, visible
from prunectl.catalog.code import line_of, neighbours_of
from prunectl.catalog.entry import Entry
from prunectl.catalog.faults import fault_of
from prunectl.catalog.importing import same_directory, stdout_on_stderr
from prunectl.catalog.source_file import SourceFile, install
from prunectl.catalog.wording import a, shown

FILE = "file:"
PATTERN = r"^file:.+:[A-Za-z_]\w*$"
HOW = 'write "file:FILE.py:CLASS", with the path from the study file on'

_FOLDER: ContextVar[Path | None] = ContextVar("folder of the study", default=None)
_FAILED: dict[str, str] = {}
"""Why modules could not be imported, by their names: one that raises is not run a second time."""


@contextmanager
def paths_in(folder: Path) -> Iterator[None]:
    """While a study of a folder is read: the paths of its files begin there."""
    token = _FOLDER.set(folder)
    try:
        yield
    finally:
        _FOLDER.reset(token)


def study_folder() -> Path | None:
    """The folder of the study that is being read; None if none is."""
    return _FOLDER.get()


@dataclass(frozen=True, kw_only=True, slots=True)
class Made:
    """What an entry class was made from: enough to make it again in another process, on another machine."""

    file: SourceFile
    attribute: str
    kind: type[Entry]
    """The class that every entry of the catalogue is."""


MADE: dict[type, Made] = {}
"""The entry classes of files in this process."""


def entry_of(made: Made) -> type[Entry]:
    """The entry class of a file. Raises whatever the file raises, and AttributeError if it has no such class."""
    install([made.file])
    found = getattr(import_module(made.file.module), made.attribute)
    known = next((entry for entry, other in MADE.items() if other == made), None)
    entry: type[Entry] = known or _entered(found, made)
    return entry


@dataclass(frozen=True, kw_only=True, slots=True)
class Reference:
    """ "file:mine.py:Mine", taken apart."""

    name: str
    """The whole, as a study writes it."""
    path: str
    attribute: str

    def resolved(self, kind: type[Entry], one: str) -> type[Entry]:
        """The entry class that is meant: a `kind`, which messages call `one`. Raises PrunectlError."""
        made = Made(file=self._read(), attribute=self.attribute, kind=kind)
        found = self._found(_module(made.file))
        place = f"{self.attribute} of {visible(self.path)}"
        try:
            entry = entry_of(made)
            fault = fault_of(self.name, entry, kind)
        except BaseException as error:  # a class may raise anything when it is looked at
            ctrl_c.pass_on(error)
            raise PrunectlError(f"{place} cannot be used: {described(error)}") from error
        if fault is not None:
            line = line_of(found)
            where = f" ({Path(made.file.path).name}:{line.rpartition(':')[2]})" if line else ""
            raise PrunectlError(f"{place} {fault}{where}", hint=f"{a(one)} is a class that derives from {_base(kind)}")
        return entry

    def _read(self) -> SourceFile:
        folder = _FOLDER.get()
        if folder is None:
            raise PrunectlError(f"{shown(self.name)} is a file of a study, and can be named in one only")
        if not self.path or not self.attribute.isidentifier():
            raise PrunectlError(f"{shown(self.name)} does not name a file and a class of it", hint=HOW)
        path = (folder / Path(self.path).expanduser()).absolute()
        try:
            if not path.is_file():
                what = "is not a file" if path.exists() else "does not exist"
                raise PrunectlError(f"{visible(str(path))} {what}", hint=_nearest(path))
            source = path.read_bytes()
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise PrunectlError(f"{visible(str(path))} cannot be read: {reason}") from None
        others = neighbours_of(path, source)
        if others:
            hint = f"put both into one file, or install {others[0].stem} as a package"
            raise PrunectlError(
                f"{visible(self.path)} imports {others[0].name} next to it, and a file that a study names is one "
                "file: a worker gets nothing else",
                hint=hint,
            )
        return SourceFile(written=self.path, path=str(path), source=source)

    def _found(self, module: ModuleType) -> Any:
        try:
            return getattr(module, self.attribute)
        except AttributeError:
            own = [name for name, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__]
            listed = and_list(own) if own else "no class"
            message = f"{visible(self.path)} has no {self.attribute}; it has {listed}"
            raise PrunectlError(message, hint=did_you_mean(self.attribute, own, "'{}'") or HOW) from None


def _entered(found: Any, made: Made) -> Any:
    """The class, under the name by which the study knows it; as it is, if its catalogue cannot hold it."""
    is_entry = isinstance(found, type) and issubclass(found, Entry)
    entry = found if is_entry else made.kind.adapted(found)
    if entry is None or not issubclass(entry, made.kind):
        return found  # `fault_of` has the words for it
    if not is_entry:  # made from a function, or a class of another kind
        entry.__module__, entry.__qualname__ = made.file.module, made.attribute
    defaults = {"summary": _first_line(found, made.file.written), **made.kind.file_defaults}
    given = {name for base in entry.__mro__ if base not in made.kind.__mro__ for name in vars(base)}
    for name in defaults.keys() - given:
        setattr(entry, name, defaults[name])
    entry.name, entry.in_keys = f"{FILE}{made.file.written}:{made.attribute}", FILE + made.attribute
    MADE[entry] = made
    return entry


def in_file(name: str) -> Reference | None:
    """The reference that a name is, or None for a name of another form."""
    if not name.startswith(FILE):
        return None
    path, _, attribute = name.removeprefix(FILE).rpartition(":")
    return Reference(name=name, path=path, attribute=attribute)


def _module(file: SourceFile) -> ModuleType:
    """The module of a file. Raises PrunectlError for whatever it raises, SystemExit included."""
    install([file])
    name = file.module
    if name not in _FAILED:
        try:
            with stdout_on_stderr(), same_directory():
                return import_module(name)
        except BaseException as error:
            ctrl_c.pass_on(error)
            _FAILED[name] = described(error)
    raise PrunectlError(f"{visible(file.written)} cannot be imported: {_FAILED[name]}")


def _first_line(found: Any, path: str) -> str:
    """The first line of the docstring of a class or function, or where it is from."""
    lines = (getattr(found, "__doc__", None) or "").strip().splitlines()
    return str(lines[0]) if lines else f"from {path}"


def _base(kind: type[Entry]) -> str:
    return f"prunectl.{kind.__name__}"


def _nearest(path: Path) -> str:
    try:
        others = [other.name for other in path.parent.glob("*.py")]
    except OSError:
        others = []
    return did_you_mean(path.name, others, "'{}'") or "the path is relative to the study file"
