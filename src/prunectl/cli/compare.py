"""`prunectl compare`: studies, results files and published numbers compared with each other."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from prunectl.base.errors import PrunectlError
from prunectl.base.text import did_you_mean, finite, visible
from prunectl.cli import complete
from prunectl.cli.console import answer, answer_bytes, say
from prunectl.cli.options import Json, Selected, options

if TYPE_CHECKING:
    from prunectl.api.compare import Compared

FORMATS = ("text", "html", "json")

Tables = Annotated[
    list[str],
    typer.Argument(
        metavar="A B...",
        help="Studies, STUDY@PROFILE, results files (csv, json, parquet), published:NAME or "
        "published:FILE.csv; the first is A.",
        show_default=False,
        autocompletion=complete.tables,
    ),
]
Format = Annotated[
    str | None,
    typer.Option(
        "--format",
        "-f",
        metavar="FORMAT",
        help="One of text, html, json [default: text].",
        autocompletion=complete.among(*FORMATS),
    ),
]
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", help="Where to write; - is stdout [default: -; comparison.html]."),
]
Open = Annotated[bool, typer.Option("--open", help="Show the page in the browser.")]


@options
def compare(
    selected: Selected,
    tables: Tables,
    format_: Format = None,
    output: Output = None,
    open_: Open = False,
    json_: Json = False,
) -> None:
    """Compare studies, results files and published numbers.

    The trials of every table are paired with those of the first by arm, sparsity and seed. Published numbers
    (published:NAME, see `prunectl list published`, or published:FILE.csv with the columns of these) are shown next to
    each of the tables. --profile, --set and --only are for every study; STUDY@PROFILE has a profile of its own.
    """
    from prunectl.api.compare import compare as paired

    format_ = chosen(format_, json_, open_, output)
    compared = paired(
        *tables,
        only=selected.only or (),
        set=selected.set_ or (),
        profile=selected.profile,
        store=selected.store,
        data=selected.data,
        warn=say,
    )
    show(rendered(format_, compared), format_, output, open_)


def chosen(format_: str | None, json_: bool, open_: bool, output: Path | None) -> str:
    """The format that the options ask for. Raises PrunectlError for options that do not go together."""
    if json_ and format_ not in (None, "json"):
        raise PrunectlError(f"--json and --format {format_} exclude each other")
    suffix = output.suffix.lower() if output else ""
    name = format_ or ("json" if json_ else "html" if open_ or suffix in (".html", ".htm") else "text")
    if name not in FORMATS:
        hint = did_you_mean(name, FORMATS, "{}")
        raise PrunectlError(f"no format {name!r}; there are {', '.join(FORMATS)}", hint=hint)
    if open_ and (name != "html" or str(output) == "-"):
        raise PrunectlError("--open shows a page: use it with --format html and a file")
    return name


def rendered(format_: str, compared: Compared) -> str:
    """The comparison in a format."""
    if format_ == "html":
        from prunectl.report import comparison_page

        return comparison_page.build(compared.sources, compared.comparison, compared.published)
    if format_ == "json":
        return json.dumps(finite(compared.document()), indent=1, ensure_ascii=True, allow_nan=False) + "\n"
    from prunectl.report.comparison_text import lines

    names = [source.full for source in compared.sources]
    width = shutil.get_terminal_size().columns
    return "".join(f"{visible(line)}\n" for line in lines(names, compared.comparison, compared.published, width))


def show(text: str, format_: str, output: Path | None, open_: bool) -> None:
    """Write the comparison to stdout or to a file."""
    if str(output) == "-" or (output is None and format_ != "html"):
        answer_bytes(text.encode()) if format_ == "html" else answer(text.removesuffix("\n"))
        return
    from prunectl.store.output import write_output

    file = output or Path("comparison.html")
    write_output(file, text.encode())
    say(f"wrote {file}")
    if open_:
        typer.launch(str(file))
