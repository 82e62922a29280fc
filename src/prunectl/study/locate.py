"""Where the keys and items of a TOML text stand. Runs only to show an error, on text that a parser took."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

import tomli

from prunectl.base.errors import Path, Problem

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_STRING = re.compile(r'"""(?:\\.|[^\\])*?"{3,5}|' + r"'''.*?'{3,5}|" + r'"(?:\\.|[^"\\])*"|' + r"'[^']*'", re.DOTALL)
_BARE = re.compile(r"[^\s,\]\[{}#=.'\"]+")
_SCALAR = re.compile(r"[^,\]}#\n]+")


def locate(text: str, path: Path) -> tuple[int, int]:
    """Line and column, both from 1, of the key or list item at a path.

    For a path that the text does not have, it is the nearest table around it that it does have.
    """
    places = offsets(text)
    while path and path not in places:
        path = path[:-1]
    return line_column(text, places.get(path, 0))


def located(text: str, file: str, problems: Iterable[Problem]) -> list[Problem]:
    """The problems with the file, line and column of the key that each is about, as far as the text has it."""
    return [_located(text, file, problem) for problem in problems]


def _located(text: str, file: str, problem: Problem) -> Problem:
    """Of a key in a table that the text does not have, the place is the whole file, not its first line."""
    if problem.path and problem.path[:1] not in offsets(text):
        return replace(problem, where=file)
    line, column = locate(text, problem.path) if problem.path else (1, 1)
    return replace(problem, where=f"{file}:{line}:{column}")


def line_column(text: str, offset: int) -> tuple[int, int]:
    """Line and column, both from 1, of a place in a text."""
    return text.count("\n", 0, offset) + 1, offset - (text.rfind("\n", 0, offset) + 1) + 1


def offsets(text: str) -> dict[Path, int]:
    """The place of every key (where it is first written) and of every list item, by path."""
    return _Reader(text).places


class _Reader:
    """One pass over a valid TOML text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.places: dict[Path, int] = {}
        self.lengths: dict[Path, int] = {}  # of arrays of tables so far
        self.document()

    def document(self) -> None:
        table: Path = ()
        while self.blank() < len(self.text):
            if self.text[self.at] == "[":
                table = self.header()
            else:
                self.pair(table)

    def blank(self) -> int:
        self.at = self.match(_BLANK)
        return self.at

    def match(self, pattern: re.Pattern[str]) -> int:
        match = pattern.match(self.text, self.at)
        return match.end() if match else self.at

    def header(self) -> Path:
        """[a.b] or [[a.b]]: the path of the table that begins here."""
        brackets = 2 if self.text.startswith("[[", self.at) else 1
        self.at += brackets
        path = self.key((), arrays=brackets == 1)
        self.at += brackets
        if brackets == 2:
            place = self.lengths.get(path, 0)
            self.lengths[path] = place + 1
            key_at, path = self.last_key_at, (*path, place)
            self.places[path] = key_at
        return path

    def key(self, table: Path, *, arrays: bool) -> Path:
        """A dotted key from here, as a path below a table; every part is noted. Stops behind it.

        A part that names an array of tables means its last table; so does the last part, with `arrays`.
        """
        path = table
        while True:
            self.at = self.match(_SPACE)
            self.last_key_at = self.at
            path = (*path, self.word())
            self.places.setdefault(path, self.last_key_at)
            self.at = self.match(_SPACE)
            more = self.text.startswith(".", self.at)
            if path in self.lengths and (more or arrays):
                path = (*path, self.lengths[path] - 1)
            if not more:
                return path
            self.at += 1

    def word(self) -> str:
        start = self.at
        quoted = self.text[start] in "\"'"
        self.at = self.match(_STRING if quoted else _BARE)
        token = self.text[start : self.at]
        return next(iter(tomli.loads(f"{token} = 0"))) if quoted else token

    def pair(self, table: Path) -> None:
        path = self.key(table, arrays=False)
        self.at += 1  # the equals sign
        self.value(path)

    def value(self, path: Path) -> None:
        self.at = self.match(_SPACE)
        match self.text[self.at]:
            case "[":
                self.array(path)
            case "{":
                self.inline_table(path)
            case '"' | "'":
                self.at = self.match(_STRING)
            case _:
                self.at = self.match(_SCALAR)

    def array(self, path: Path) -> None:
        self.at += 1
        place = 0
        while self.text[self.blank()] != "]":
            if self.text[self.at] == ",":
                self.at += 1
                continue
            self.places[*path, place] = self.at
            self.value((*path, place))
            place += 1
        self.at += 1

    def inline_table(self, path: Path) -> None:
        self.at += 1
        while self.text[self.blank()] != "}":
            if self.text[self.at] == ",":
                self.at += 1
                continue
            self.pair(path)
        self.at += 1
