"""Commands that give a table: its formats, and where it goes."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Annotated

import typer

from prunectl.base.errors import PrunectlError
from prunectl.base.text import did_you_mean
from prunectl.cli.console import answer, answer_bytes, say

Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", help="Where to write; - is stdout [default: stdout]."),
]
Content = str | bytes


def numbers(text: str | None, kind: Callable[[str], float], option: str, allowed: str) -> list[float]:
    """The numbers of a list such as '0.5,0.8'. Raises PrunectlError for one that `kind` refuses with ValueError."""
    found = []
    for part in (text or "").split(","):
        try:
            found.append(kind(part.strip()))
        except ValueError:
            raise PrunectlError(f"{option} {text!r}: {part.strip()!r} is not {allowed}",
                                hint=f"separate several by commas: {option} A,B") from None  # fmt: skip
    return found


def checked(format_: str, formats: Collection[str]) -> None:
    """Raises PrunectlError for a format that does not exist: before anything is computed."""
    if format_ not in formats:
        hint = did_you_mean(format_, formats, "{}")
        raise PrunectlError(f"no format {format_!r}; there are {', '.join(formats)}", hint=hint)


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
