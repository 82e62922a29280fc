"""The file of a user's settings: its keys, and how it is read and checked, with the place of every problem."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError

from prunectl.base.errors import StudyError
from prunectl.base.text import plural, visible
from prunectl.catalog.executor import Executor
from prunectl.catalog.problems import problems_of
from prunectl.catalog.section import Section
from prunectl.catalog.tracker import Tracker
from prunectl.catalog.values import catalogued
from prunectl.study.document import parse, read_text
from prunectl.study.locate import locate, located

Text = Annotated[str, Field(min_length=1)]


class Settings(Section):
    """The keys of the file. What is not given is None."""

    store: Text | None = Field(default=None, description="a directory or a URL, as --store")
    data: Text | None = Field(default=None, description="a directory, as --data")
    jobs: Annotated[int, Field(ge=1)] | None = Field(default=None, description="steps at once on each device")
    executor: Annotated[Executor, *catalogued("executors")] | None = Field(
        default=None, description="the name of an executor, or a table with its name and parameters"
    )
    track: Annotated[Tracker, *catalogued("trackers")] | None = Field(
        default=None, description="the name of a tracker, or a table with its name and parameters"
    )


def read(file: Path) -> Settings:
    """The settings in a file. Relative directories begin at the file's own.

    Raises StudyError with every problem, each with its line and column.
    """
    text = read_text(file)
    table = parse(text, file)
    try:
        return Settings.model_validate(_placed(table, file.parent))
    except ValidationError as error:
        raise _refused(file, text, table, error) from None


def _placed(table: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The table with directories as they are found from anywhere."""
    placed = dict(table)
    for key in ("store", "data"):
        value = table.get(key)
        if isinstance(value, str) and value and "://" not in value:
            placed[key] = str(folder.absolute() / Path(value).expanduser())
    return placed


def _refused(file: Path, text: str, table: Mapping[str, Any], error: ValidationError) -> StudyError:
    name = visible(str(file))
    in_order = sorted(problems_of(error, table), key=lambda problem: locate(text, problem.path))
    problems = located(text, name, in_order)
    return StudyError(f"{name}: {plural(len(problems), 'problem')}", problems)
