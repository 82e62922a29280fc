"""A user's settings: where artefacts and data are, and where steps run. None of them changes a key.

They are in `config.toml` of the user's configuration directory, or in the file that PRUNECTL_CONFIG names. What a
command line or the environment gives comes first.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError

from prunectl.base.errors import StudyError
from prunectl.base.text import plural, visible
from prunectl.catalog.executor import Executor
from prunectl.catalog.problems import problems_of
from prunectl.catalog.table import Section
from prunectl.catalog.values import catalogued

ENVIRONMENT = "PRUNECTL_CONFIG"
FILE = "config.toml"

Text = Annotated[str, Field(min_length=1)]


class Settings(Section):
    """The keys of the file. What is not given is None."""

    store: Text | None = Field(default=None, description="a directory or a URL, as --store")
    data: Text | None = Field(default=None, description="a directory, as --data")
    jobs: Annotated[int, Field(ge=1)] | None = Field(default=None, description="steps at once on each device")
    executor: Annotated[Executor, *catalogued("executors")] | None = Field(
        default=None, description="the name of an executor, or a table with its name and parameters"
    )


def settings_file() -> Path:
    """Where a user's settings are; the file need not exist."""
    import platformdirs

    named_file = os.environ.get(ENVIRONMENT)
    return Path(named_file) if named_file else Path(platformdirs.user_config_dir("prunectl")) / FILE


def settings() -> Settings:
    """A user's settings; without a file, none. Relative directories begin at the file's own.

    Raises StudyError with every problem, each with its line and column.
    """
    from prunectl.study.document import parse, read_text

    file = settings_file()
    if not file.exists() and ENVIRONMENT not in os.environ:
        return Settings()
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
    from prunectl.study.locate import locate, located

    name = visible(str(file))
    in_order = sorted(problems_of(error, table), key=lambda problem: locate(text, problem.path))
    problems = located(text, name, in_order)
    return StudyError(f"{name}: {plural(len(problems), 'problem')}", problems)
