"""Commands that give a table: its formats, and where it goes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from prunectl.base.errors import PrunectlError
from prunectl.base.text import did_you_mean
from prunectl.cli import complete
from prunectl.cli.console import answer, answer_bytes, answer_json, say

Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", help="Where to write; - is stdout [default: stdout]."),
]
Content = str | bytes


def format_option(formats: Collection[str]) -> Any:
    """The option --format of a command that has these."""
    return typer.Option(
        "--format",
        "-f",
        metavar="FORMAT",
        help=f"One of {', '.join(formats)}.",
        autocompletion=complete.among(*formats),
    )


def list_option(option: str, metavar: str, what: str, default: str) -> Any:
    """An option that takes several numbers, separated by commas, and may be repeated: see `numbers`."""
    more = "repeat the option for more"
    return typer.Option(option, metavar=metavar, help=f"{what.format(more=more)} [default: {default}].")


def numbers(given: Sequence[str], kind: Callable[[str], float], option: str, allowed: str) -> list[float]:
    """The numbers of lists such as '0.5,0.8', one list for every time that the option is given.

    Raises PrunectlError for one that `kind` refuses with ValueError, and for one that is listed twice.
    """
    found: list[float] = []
    text = ",".join(given)
    for place, part in enumerate(text.split(","), start=1):
        try:
            number = kind(part.strip())
        except ValueError:
            raise PrunectlError(f"{option} {text!r}: {part.strip()!r} is not {allowed}",
                                hint=f"separate several by commas: {option} A,B") from None  # fmt: skip
        if number in found:
            first = found.index(number) + 1
            raise PrunectlError(f"{option} {text!r}: {part.strip()!r} is number {first} and number {place} of the list",
                                hint="write each value once") from None  # fmt: skip
        found.append(number)
    return found


def ready(format_: str, formats: Collection[str], json_: bool, output: Path | None) -> None:
    """Raises PrunectlError, before anything is computed, for a table that could not be given as it is asked for."""
    checked(format_, formats)
    apart(format_, json_, output)


def print_table(document: dict[str, Any], content: Callable[[], Content], json_: bool, output: Path | None) -> None:
    """Print the document of --json, and write the table unless that is all; a table without rows is not written."""
    if json_:
        answer_json(document)
    if document["rows"] and (output is not None or not json_):
        written(content(), output)


def checked(format_: str, formats: Collection[str]) -> None:
    """Raises PrunectlError for a format that does not exist: before anything is computed."""
    if format_ not in formats:
        hint = did_you_mean(format_, formats, "{}")
        raise PrunectlError(f"no format {format_!r}; there are {', '.join(formats)}", hint=hint)


def apart(format_: str, json_: bool, output: Path | None) -> None:
    """Raises PrunectlError if a table and the document of --json would both go to stdout."""
    if not json_ or (format_ in ("text", "json") and output is None):
        return
    if output is None or str(output) == "-":
        raise PrunectlError(
            f"--json and --format {format_} would both be written to stdout",
            hint="leave one of them out, or write the table to a file with --output FILE",
        )


def written(content: Content, output: Path | None) -> None:
    """Write a table to a file, or to stdout. A picture goes to a terminal only if asked for by -."""
    from prunectl.store.output import write_output

    if output is None and isinstance(content, str):
        answer(content.rstrip("\n"))
        return
    encoded = content.encode() if isinstance(content, str) else content
    if output is None or str(output) == "-":
        answer_bytes(encoded)
        return
    write_output(output, encoded)
    say(f"wrote {output}")
