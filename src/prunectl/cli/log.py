"""`prunectl log`: what a step printed, its traceback, its curve."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from prunectl.base.text import UNKNOWN, percent, seconds
from prunectl.cli import complete
from prunectl.cli.columns import columns
from prunectl.cli.console import answer, answer_json, say
from prunectl.cli.options import Json, StudyFile, Variant, options

if TYPE_CHECKING:
    from prunectl.api.log import Log

What = Annotated[
    str,
    typer.Argument(
        metavar="KEY|ARM",
        help="The beginning of a step's key, or an arm as tables call it.",
        autocompletion=complete.steps,
    ),
]
MOST_POINTS = 12
"""Maximum number of points of a curve that are printed; --json has all."""


@options
def log(variant: Variant, what: What, study: StudyFile = None, json_: Json = False) -> None:
    """Show what a step printed, its traceback, its curve.

    The study is that of the last run in this directory unless STUDY names one. Of an arm, every failed step and every
    training is shown.
    """
    from prunectl.api.log import logs, session_here

    store = variant.open_store()
    session = variant.open(study) if study is not None else session_here(store, warn=say)
    found = logs(store if session is None else session.store, what, session, warn=say)
    if json_:
        answer_json([asdict(each) for each in found])
        return
    answer("\n\n".join("\n".join(lines(each)) for each in found))


def lines(shown: Log) -> Iterator[str]:
    """One step, for people."""
    made = f" in {seconds(shown.wall_s)} on {shown.device}, {shown.created}" if shown.wall_s is not None else ""
    yield f"{shown.key[:12]}  {shown.title}: {shown.status}{made}{f': {shown.reason}' if shown.reason else ''}"
    for head, text in (("traceback", shown.traceback), ("printed", shown.printed)):
        if text:
            yield f"  {head}:"
            yield from (f"    {line}" for line in text.rstrip().splitlines())
    if shown.curve:
        yield "  curve:"
        yield from (f"    {line}" for line in table(shown.curve))


def table(curve: Sequence[dict[str, Any]]) -> list[str]:
    """Points of a curve, evenly chosen; the first and the last are among them."""
    last = len(curve) - 1
    places = range(len(curve)) if last < MOST_POINTS else [last * n // (MOST_POINTS - 1) for n in range(MOST_POINTS)]
    rows = [
        (
            f"{point['step']:,}",
            f"{point['epoch']:.4g}",
            f"{point['lr']:.3g}",
            f"{point['train_loss']:.4g}",
            f"{point['test_loss']:.4g}",
            percent(point["train_top1"], 2) if point.get("train_top1") is not None else UNKNOWN,
            percent(point["top1"], 2),
        )
        for point in (curve[place] for place in places)
    ]
    return columns(["step", "epoch", "lr", "loss", "test loss", "top-1 seen", "test top-1"], rows)
