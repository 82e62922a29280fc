"""`prunectl latency`: what the networks of a study really cost to run and to store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from prunectl.api.latency import BATCH_SIZES, REPEATS
from prunectl.base.errors import FAILED, PrunectlError
from prunectl.cli.console import say
from prunectl.cli.leave import leave
from prunectl.cli.options import Json, OnMachine, Quiet, Selected, StudyFile, options
from prunectl.cli.tables import Content, Output, format_option, list_option, numbers, print_table, ready

if TYPE_CHECKING:
    from prunectl.api.latency import Timed

FORMATS = ("text", "md", "csv", "json")
DEFAULT = ",".join(map(str, BATCH_SIZES))

Format = Annotated[str, format_option(FORMATS)]
Batch = Annotated[
    list[str] | None,
    list_option("--batch", "N,N", "Batch sizes; {more}. The trial table has the time of batch 1", DEFAULT),
]
Repeats = Annotated[
    int, typer.Option("--repeats", min=1, metavar="N", help="Measurements of each variant; the median is taken.")
]


@options
def latency(
    selected: Selected,
    where: OnMachine,
    study: StudyFile = None,
    batch: Batch = None,
    repeats: Repeats = REPEATS,
    format_: Format = "text",
    output: Output = None,
    json_: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train what is missing, then measure time and size of networks.

    Milliseconds, memory and bytes on disk: dense, masked, compact, sparse, torch.nn.utils.prune, ONNX Runtime.

    The networks are measured one at a time on this machine: leave it alone.
    """
    from prunectl.api.latency import conditions_of
    from prunectl.api.latency import latency as timed
    from prunectl.api.machine import starting_early
    from prunectl.base.onnx_extra import INSTALL, missing
    from prunectl.cli.progress import showing

    ready(format_, FORMATS, json_, output)
    sizes = [
        int(size) for size in numbers(batch or (DEFAULT,), _batch_size, "--batch", "a number of images, 1 or more")
    ]
    machine = where.machine()
    conditions = conditions_of(machine, sizes, repeats)
    with starting_early(machine):
        session = selected.open(study)
    found = timed(session, machine, conditions, show=showing(quiet), warn=say)
    if found.tally.left:
        leave(session, found.tally, json_)
        return
    if missing():
        say(f"ONNX Runtime is not measured: {INSTALL}")
    document = {"study": found.study, "rows": found.rows.to_dicts()}
    print_table(document, lambda: _content(found, format_), json_, output)
    if found.tally.failed or found.tally.skipped:
        raise typer.Exit(FAILED)
    if not found.rows.height:
        raise PrunectlError("nothing was measured: the study asks for no trial")


def _batch_size(text: str) -> int:
    if (size := int(text)) < 1:
        raise ValueError(text)
    return size


def _content(found: Timed, format_: str) -> Content:
    from prunectl.report import latency as tables
    from prunectl.results import table_files

    writers = {
        "text": tables.text, "md": tables.markdown, "csv": lambda rows: rows.write_csv(), "json": table_files.to_json,
    }  # fmt: skip
    content: Content = writers[format_](found.rows)
    return content
