"""`prunectl train`, `prune`, `ablate`, `retrain`: the plan up to a stage, and what it made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import typer

from prunectl.base.errors import FAILED
from prunectl.cli import options
from prunectl.cli.console import answer, answer_json, say
from prunectl.cli.session import Session, make, open_session
from prunectl.plan.stage import Stage

HELP: dict[Stage, str] = {
    "train": "Train the dense baselines, and print how well they do.",
    "prune": "Make the masks, and print them layer by layer.",
    "ablate": "Make the ablated masks, and print them beside their originals.",
    "retrain": "Train what was pruned, and print every trial.",
}


def verb(stage: Stage) -> Callable[..., None]:
    """The command of a stage."""

    def command(
        study: options.StudyFile,
        set_: options.Set = [],  # noqa: B006  # typer reads it, nothing writes to it
        profile: options.Profile = None,
        only: options.Only = None,
        jobs: options.Jobs = None,
        threads: options.Threads = 1,
        device: options.Device = "auto",
        executor: options.Executor = "local",
        store: options.Store = None,
        data: options.Data = None,
        json_: options.Json = False,
        quiet: options.Quiet = False,
    ) -> None:
        session = open_session(study, overrides=set_, profile=profile, only=only, store=store, data=data)
        _stage(session, stage, jobs, device, threads, executor, json_, quiet)

    command.__doc__ = HELP[stage]
    return command


def _stage(
    session: Session,
    stage: Stage,
    jobs: int | None,
    device: str,
    threads: int,
    executor: str,
    json_: bool,
    quiet: bool,
) -> None:
    from prunectl.cli.progress import listening
    from prunectl.results.stage import told
    from prunectl.store.local import DamagedError

    rows: list[dict[str, Any]]
    while True:
        tally = make(
            session,
            stage,
            jobs=jobs,
            device=device,
            threads=threads,
            executor=executor,
            show=listening(session.plan, quiet),
        )
        try:
            rows = told(session.plan, session.store, stage)
            break
        except DamagedError as error:
            say(f"{error}; it has been set aside and is made again")
    if json_:
        answer_json({"study": session.study.name, "stage": stage, "rows": rows})
    else:
        _print(stage, rows)
    if tally.failed or tally.skipped:
        raise typer.Exit(FAILED)


def _print(stage: Stage, rows: list[dict[str, Any]]) -> None:
    for row in rows:
        if stage == "train":
            answer(f"baseline seed {row['seed']}: {_metrics(row)}   {row['artefact'][:12]}")
        elif stage == "retrain":
            answer(f"{row['arm']}  sparsity {row['sparsity']:.4g}  seed {row['seed']}: {_metrics(row)}")
        else:
            for line in _mask_lines(row):
                answer(line)


def _metrics(row: dict[str, Any]) -> str:
    if row["top1"] is None:
        return row["reason"] or "missing"
    from prunectl.results.table import METRICS

    numbers = {metric.head: row[metric.name] for metric in METRICS}
    return "  ".join(
        f"{head} " + ("not finite" if value is None else f"{value:.4f}") for head, value in numbers.items()
    )


def _mask_lines(row: dict[str, Any]) -> list[str]:
    """A mask for people: what was asked and achieved, then layer by layer."""
    head = f"{row['arm']}  sparsity {row['sparsity']:.4g}  seed {row['seed']}"
    if row["layers"] is None:
        return [f"{head}: {row['reason'] or 'missing'}", ""]
    width = max(len(layer["name"]) for layer in row["layers"])
    beside = "moved" in row["layers"][0]
    lines = [head, f"  {'layer':<{width}}  {'weights':>11}  {'kept':>11}  sparsity" + ("  moved" if beside else "")]
    for layer in row["layers"]:
        moved = f"  {layer['moved']:>5.1%}" if beside else ""
        lines.append(
            f"  {layer['name']:<{width}}  {layer['n']:>11,}  {layer['kept']:>11,}  {layer['sparsity']:>8.4f}{moved}"
        )
    achieved = row["compression_actual"]
    error = "nothing is left" if achieved is None else f"error {achieved / row['compression'] - 1:+.2e}"
    lines.append(
        f"  asked {row['sparsity']:.6f}, achieved {row['sparsity_actual']:.6f}; compression asked "
        f"{row['compression']:.4f}, achieved {achieved or float('inf'):.4f} ({error})"
    )
    collapsed = ", ".join(row["layers_collapsed"]) or "none"
    lines.append(
        f"  tied at the cut: {row['tied']:,}; collapsed layers: {collapsed}; "
        f"on a path from input to output: {row['n_effective']:,} of {row['n_kept']:,} kept"
    )
    return [*lines, ""]
