"""`prunectl train`, `prune`, `ablate`, `retrain`: the plan up to a stage, and what it made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import typer

from prunectl.base.errors import FAILED
from prunectl.base.text import percent
from prunectl.cli.console import answer, answer_json, say
from prunectl.cli.download import opened
from prunectl.cli.leave import leave
from prunectl.cli.options import Json, OnMachine, Quiet, Selected, StudyFile, options
from prunectl.plan.stage import Stage

HELP: dict[Stage, str] = {
    "train": "Train the dense baselines, and print their accuracy.",
    "prune": "Make the masks, and print them layer by layer.",
    "ablate": "Make the ablated masks, and print them next to their originals.",
    "retrain": "Train what was pruned, and print every trial.",
}


def command(stage: Stage) -> Callable[..., None]:
    """The command of a stage."""

    def reached(
        selected: Selected, where: OnMachine, study: StudyFile = None, json_: Json = False, quiet: Quiet = False
    ) -> None:
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
            for line in lines(stage, made.rows):
                answer(line)
        if made.tally.failed or made.tally.skipped:
            raise typer.Exit(FAILED)

    reached.__doc__ = HELP[stage]
    return options(reached)


def lines(stage: Stage, rows: list[dict[str, Any]]) -> list[str]:
    """What a stage made, for people."""
    if stage == "train":
        return [f"baseline seed {row['seed']}: {_metrics(row)}   {row['artefact'][:12]}" for row in rows]
    if stage == "retrain":
        return [f"{_head(row)}: {_metrics(row)}" for row in rows]
    return [line for row in rows for line in mask_lines(row)]


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
        moved = f"  {layer['moved']:>5.1%}" if ablated else ""
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
        return f"not known ({row['uncounted'].get('n_effective', 'counted by an earlier prunectl')})"
    return f"{row['n_effective']:,} of {row['n_kept']:,} kept"
