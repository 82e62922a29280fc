"""A study file as text and as plain tables: everything that can be wrong before a key is looked at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tomli

from prunectl.base.errors import Problem, StudyError, nearest
from prunectl.base.text import visible
from prunectl.study.locate import line_column

MAX_BYTES = 256_000
DEEPEST = 32


def read_text(path: Path) -> str:
    """The text of a study file. Raises StudyError for what is not a file of at most 256 kB in UTF-8."""
    shown_path = visible(str(path))
    try:
        if path.is_dir():
            raise StudyError(f"{shown_path} is a directory, not a study file", hint=_studies_in(path))
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise StudyError(f"{shown_path} does not exist", hint=_nearest_file(path)) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise StudyError(f"{shown_path} cannot be read: {reason}") from None
    if len(content) > MAX_BYTES:
        raise StudyError(
            f"{shown_path} has more than {MAX_BYTES // 1000} kB, which is no study file",
            hint="a study file is a short TOML text; see docs/study.md",
        )
    return _decoded(content, shown_path)


def _decoded(content: bytes, shown_path: str) -> str:
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8", "replace")
        line, column = line_column(before, len(before))
        raise StudyError(
            f"{shown_path} is not text in UTF-8",
            [Problem(message="a byte that is not UTF-8", where=f"{shown_path}:{line}:{column}")],
            hint="save it as UTF-8",
        ) from None


def parse(text: str, path: Path) -> dict[str, Any]:
    """The tables of a study text. Raises StudyError for what is not TOML, with the line and column."""
    shown_path = visible(str(path))
    try:
        document = tomli.loads(text)
        if depth(document) <= DEEPEST:
            return document
        problem = Problem(message="lists or tables nested too deeply", where=shown_path)
    except tomli.TOMLDecodeError as error:
        message = visible(error.msg[:1].lower() + error.msg[1:])
        where = f"{shown_path}:{error.lineno}:{error.colno}"
        problem = Problem(message=message, where=where)
    except RecursionError:
        problem = Problem(message="lists or tables nested too deeply", where=shown_path)
    except ValueError:
        problem = Problem(message="a number with too many digits", where=shown_path)
    raise StudyError(f"{shown_path} is not TOML", [problem])


def depth(value: Any) -> int:
    """How many tables and lists are nested in a value, at most; no recursion, for they may be many."""
    levels = 0
    layer = [value]
    while layer := [item for item in layer if isinstance(item, dict | list)]:
        levels += 1
        layer = [inner for item in layer for inner in (item.values() if isinstance(item, dict) else item)]
    return levels


def _nearest_file(path: Path) -> str | None:
    try:
        studies = [study.name for study in path.absolute().parent.glob("*.toml")]
    except OSError:
        return None
    close = nearest(path.name, studies)
    return f'did you mean "{visible(str(path.with_name(close)))}"?' if close else None


def _studies_in(directory: Path) -> str | None:
    try:
        studies = sorted(study.name for study in directory.glob("*.toml"))
    except OSError:
        return None
    return f"name one of its files: {visible(', '.join(studies[:10]))}" if studies else None
