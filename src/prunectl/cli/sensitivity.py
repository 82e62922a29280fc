"""`prunectl sensitivity`: what each layer of a network can spare."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from prunectl.api.sensitivity import MARGIN, RATES
from prunectl.base.errors import FAILED
from prunectl.cli.console import say
from prunectl.cli.options import Json, OnMachine, Quiet, StudyFile, Variant, options
from prunectl.cli.tables import Content, Output, format_option, list_option, numbers, print_table, ready

if TYPE_CHECKING:
    from prunectl.results.sensitivity import Spared

FORMATS = ("text", "md", "csv", "json", "svg", "png")
DEFAULT = ",".join(map(str, RATES))

Format = Annotated[str, format_option(FORMATS)]
Rates = Annotated[
    list[str] | None,
    list_option("--rates", "R,R", "The fractions of a layer that are removed; {more}", DEFAULT),
]
Criterion = Annotated[
    str | None,
    typer.Option("--criterion", metavar="NAME", help="A criterion, or a TOML table [default: of the first arm]."),
]
Margin = Annotated[
    float,
    typer.Option("--margin", min=0.0, max=1.0, metavar="M", help="Loss of top-1 that a proposed rate may have."),
]


@options
def sensitivity(
    variant: Variant,
    where: OnMachine,
    study: StudyFile = None,
    rates: Rates = None,
    criterion: Criterion = None,
    margin: Margin = MARGIN,
    format_: Format = "text",
    output: Output = None,
    json_: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train the dense network, and print what each layer can spare.

    Each layer is pruned alone, without retraining.

    The dense network is that of the first seed; one in the store is not trained again. The table ends with rates for a
    study file.
    """
    from prunectl.api.machine import starting_early
    from prunectl.api.sensitivity import planned
    from prunectl.api.sensitivity import sensitivity as measured
    from prunectl.cli.progress import showing

    ready(format_, FORMATS, json_, output)
    chosen = numbers(rates or (DEFAULT,), _rate, "--rates", "a fraction above 0 and below 1")
    machine = where.machine()
    with starting_early(machine):
        session = variant.open(study)
        alone = planned(session, chosen, criterion)
    found = measured(session, alone, machine, margin=margin, show=showing(quiet), warn=say)
    print_table(document(found.spared), lambda: _content(found.spared, format_), json_, output)
    if found.tally.failed or found.tally.skipped:
        raise typer.Exit(FAILED)


def document(found: Spared) -> dict[str, Any]:
    """What `--json` prints."""
    return {
        "study": found.study,
        "criterion": found.criterion,
        "structure": found.structure,
        "seed": found.seed,
        "margin": found.margin,
        "top1_dense": found.top1_dense,
        "rows": found.rows.to_dicts(),
        "proposed": found.proposed,
        "sparsity": found.sparsity,
        "scope": found.pasted,
    }


def _rate(text: str) -> float:
    rate = float(text)
    if not 0 < rate < 1:
        raise ValueError(text)
    return rate


def _content(found: Spared, format_: str) -> Content:
    from prunectl.report import pictures
    from prunectl.report import sensitivity as tables
    from prunectl.report.charts.sensitivity import by_layer
    from prunectl.results import table_files

    if format_ in ("svg", "png"):
        return pictures.drawn(by_layer(found), format_)
    writers = {
        "text": lambda: tables.text(found), "md": lambda: tables.markdown(found),
        "csv": lambda: found.rows.write_csv(), "json": lambda: table_files.to_json(found.rows),
    }  # fmt: skip
    return writers[format_]()
