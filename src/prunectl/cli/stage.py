"""`prunectl train`, `prune`, `ablate`, `retrain`: the plan up to a stage, and what it made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from prunectl.base.errors import FAILED
from prunectl.base.text import percent
from prunectl.cli.columns import columns
from prunectl.cli.console import answer, answer_json, say
from prunectl.cli.download import opened
from prunectl.cli.leave import leave
from prunectl.cli.options import Json, OnMachine, Quiet, Selected, StudyFile, options
from prunectl.plan.stage import Stage

HELP: dict[Stage, str] = {
    "train": "Train the dense baselines, and print their accuracy.",
    "prune": "Run up to the masks, and print what each leaves.",
    "ablate": "Run up to the ablated masks, print what each leaves and moves.",
    "retrain": "Run up to the retrained networks, and print every trial.",
}


NOTHING: dict[Stage, str] = {
    "train": "no trial is asked for",
    "prune": "no arm is pruned at one moment, which is what leaves masks",
    "ablate": "no arm is ablated",
    "retrain": "no trial is asked for",
}
"""Why a stage makes nothing."""

MASKS: tuple[Stage, ...] = ("prune", "ablate")
"""The stages that make masks."""

Layers = Annotated[bool, typer.Option("--layers", help="Print each mask layer by layer.")]


def command(stage: Stage) -> Callable[..., None]:
    """The command of a stage; of one that makes masks, with the option to print them layer by layer."""

    def reached(
        selected: Selected,
        where: OnMachine,
        study: StudyFile = None,
        layers: Layers = False,
        json_: Json = False,
        quiet: Quiet = False,
    ) -> None:
        _reach(stage, selected, where, study, layers, json_, quiet)

    def plain(
        selected: Selected, where: OnMachine, study: StudyFile = None, json_: Json = False, quiet: Quiet = False
    ) -> None:
        _reach(stage, selected, where, study, False, json_, quiet)

    called = reached if stage in MASKS else plain
    called.__doc__ = HELP[stage]
    return options(called)


def _reach(
    stage: Stage, selected: Selected, where: OnMachine, study: StudyFile, layers: bool, json_: bool, quiet: bool
) -> None:
    """Run the plan up to a stage, and print what it made."""
    from prunectl.api.machine import starting_early
    from prunectl.api.run import reach
    from prunectl.cli.progress import showing

    machine = where.machine()
    with starting_early(machine):
        session = opened(selected, where, study, stage)
    made = reach(session, stage, machine, show=showing(quiet), warn=say)
    if made.tally.left:
        leave(session, made.tally, json_)
        return
    if json_:
        answer_json({"study": session.study.name, "stage": stage, "rows": made.rows})
    else:
        if not made.rows:
            say(f"{session.study.name}: {NOTHING[stage]}")
        for line in lines(stage, made.rows, layers=layers):
            answer(line)
    if made.tally.failed or made.tally.skipped:
        raise typer.Exit(FAILED)


def lines(stage: Stage, rows: list[dict[str, Any]], *, layers: bool = False) -> list[str]:
    """What a stage made, for people: masks in a line each, or layer by layer."""
    if stage == "train":
        return [f"baseline seed {row['seed']}: {_metrics(row)}   {row['artefact'][:12]}" for row in rows]
    if stage == "retrain":
        return [f"{_head(row)}: {_metrics(row)}" for row in rows]
    return [line for row in rows for line in mask_lines(row)] if layers else mask_table(rows)


def mask_table(rows: list[dict[str, Any]]) -> list[str]:
    """A line for each mask, then what is missing and what readers have to know, each of these once."""
    made = [row for row in rows if row["layers"] is not None]
    shown = [column for column in COLUMNS if any(column.of(row) for row in made)]
    table = columns([column.head for column in shown], [[column.of(row) for column in shown] for row in made])
    missing = [f"{_head(row)}: {row['reason'] or 'missing'}" for row in rows if row["layers"] is None]
    reasons = [row["uncounted"].get("n_effective", EARLIER) for row in made if row["n_effective"] is None]
    unknown = [f"on a path: not known where {reason}" for reason in dict.fromkeys(reasons)]
    remarks = dict.fromkeys(row["remark"] for row in made if row["remark"])
    return [*(table if made else []), *missing, *unknown, *(f"note: {remark}" for remark in remarks)]


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of the table of masks; one that is empty in every line is left out."""

    head: str
    of: Callable[[dict[str, Any]], str]


COLUMNS = (
    Column(head="arm", of=lambda row: str(row["arm"])),
    Column(head="seed", of=lambda row: str(row["seed"])),
    Column(head="sparsity", of=lambda row: percent(row["sparsity"])),
    Column(head="reached", of=lambda row: percent(row["sparsity_actual"], 2)),
    Column(head="compression", of=lambda row: f"{row['compression_actual'] or float('inf'):.4g}"),
    Column(head="kept", of=lambda row: f"{row['n_kept']:,}"),
    Column(head="on a path", of=lambda row: "not known" if row["n_effective"] is None else f"{row['n_effective']:,}"),
    Column(head="moved", of=lambda row: _moved(row["layers"])),
    Column(head="empty layers", of=lambda row: ", ".join(row["layers_collapsed"])),
    Column(
        head="no empty layer up to", of=lambda row: f"{row.get('critical_compression') or 0:,.4g}".removeprefix("0")
    ),
)
EARLIER = "counted by an earlier prunectl"


def _moved(layers: list[dict[str, Any]]) -> str:
    """The share of the places at which an ablated mask differs from its original; empty where there is none."""
    if any("moved" not in layer for layer in layers):
        return ""
    places = sum(layer["n"] for layer in layers)
    return percent(sum(layer["moved"] * layer["n"] for layer in layers) / places, 1)


def _head(row: dict[str, Any]) -> str:
    return f"{row['arm']}  sparsity {percent(row['sparsity'])}  seed {row['seed']}"


def _metrics(row: dict[str, Any]) -> str:
    if row["top1"] is None:
        return row["reason"] or "missing"
    from prunectl.results.table import METRICS

    return "  ".join(
        f"{metric.head} {'not finite' if row[metric.name] is None else metric.shown(row[metric.name])}"
        for metric in METRICS
        if metric.name in row
    )


def mask_lines(row: dict[str, Any]) -> list[str]:
    """A mask for people: layer by layer, then sparsity asked for and achieved."""
    head = _head(row)
    if row["layers"] is None:
        return [f"{head}: {row['reason'] or 'missing'}", ""]
    return [head, *_layer_lines(row["layers"]), *_achieved(row), ""]


def _layer_lines(layers: list[dict[str, Any]]) -> list[str]:
    width = max(len(layer["name"]) for layer in layers)
    ablated = "moved" in layers[0]
    lines = [f"  {'layer':<{width}}  {'weights':>11}  {'kept':>11}  sparsity %" + ("  moved" if ablated else "")]
    for layer in layers:
        moved = f"  {percent(layer['moved'], 1):>7}" if ablated else ""
        sparsity = layer["sparsity"] * 100
        lines.append(f"  {layer['name']:<{width}}  {layer['n']:>11,}  {layer['kept']:>11,}  {sparsity:>10.2f}{moved}")
    return lines


def _achieved(row: dict[str, Any]) -> list[str]:
    compression = row["compression_actual"]
    error = "no weight is left" if compression is None else f"error {compression / row['compression'] - 1:+.2e}"
    collapsed = ", ".join(row["layers_collapsed"]) or "none"
    of = " of all parameters" if row["sparsity_of"] == "all" else ""
    return [
        f"  asked {row['sparsity'] * 100:.4f} %{of}, achieved {row['sparsity_actual'] * 100:.4f} %; compression asked "
        f"{row['compression']:.4f}, achieved {compression or float('inf'):.4f} ({error})",
        f"  tied at the cut: {row['tied']:,}; collapsed layers: {collapsed}; "
        f"on a path from input to output: {_on_path(row)}",
        *_critical(row),
        *([f"  note: {row['remark']}"] if row["remark"] else []),
    ]


def _critical(row: dict[str, Any]) -> Iterator[str]:
    """The highest compression at which no layer is empty, where it was asked for."""
    if row.get("critical_compression") is not None:
        yield (
            f"  no layer is empty up to compression {row['critical_compression']:,.4f} of the prunable weights "
            f"({row['critical_by']}); one weight for each layer: {row['max_compression']:,.4f}"
        )


def _on_path(row: dict[str, Any]) -> str:
    if row["n_effective"] is None:
        return f"not known ({row['uncounted'].get('n_effective', EARLIER)})"
    return f"{row['n_effective']:,} of {row['n_kept']:,} kept"
