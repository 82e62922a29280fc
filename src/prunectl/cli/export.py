"""`prunectl export`: take the network of one trial away."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from prunectl.base.errors import PrunectlError
from prunectl.base.text import size
from prunectl.cli import options
from prunectl.cli.console import answer, answer_json, say
from prunectl.cli.session import Session, open_session

if TYPE_CHECKING:
    from prunectl.plan.graph import Trial

Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="DIR", help="Where the network goes [default: results/NAME/export]."),
]
Compact = Annotated[
    bool, typer.Option("--compact", help="Also the smaller dense network, without the channels that are gone.")
]


def export(
    study: options.StudyFile,
    set_: options.Set = [],  # noqa: B006  # typer reads it, nothing writes to it
    profile: options.Profile = None,
    only: options.Only = None,
    output: Output = None,
    compact: Compact = False,
    store: options.Store = None,
    data: options.Data = None,
    json_: options.Json = False,
) -> None:
    """Write the network of one trial, made by `run`: weights, mask, and what it takes to build it again.

    Choose the trial with --only. Outputs of what was written are compared with those of the masked network.
    """
    session = open_session(study, overrides=set_, profile=profile, only=only, store=store, data=data)
    trial = chosen(session, only)
    folder = output or Path("results") / session.study.name / "export"
    document = exported(session, trial, folder, compact)
    if json_:
        answer_json({"folder": str(folder), **document})
    else:
        tell(document, folder)


def exported(session: Session, trial: Trial, folder: Path, compact: bool) -> dict[str, Any]:
    """Export a trial that has been made. Raises PrunectlError for one that has not."""
    from prunectl.base.keys import digest
    from prunectl.plan.steps import Measure
    from prunectl.results.gather import Shelf
    from prunectl.store.local import DamagedError
    from prunectl.work.export import export as write

    needed = [key for key in (trial.state, trial.mask) if key is not None]
    for key in needed:
        if not session.store.has(key):
            status, reason = Shelf(session.plan, session.store).why_missing(key)
            raise PrunectlError(
                f"this trial has failed: {reason}" if status == "failed" else "this trial has not been made yet",
                hint=f"make it: prunectl run ... --only '{selector(words(trial))}'",
            )
    measure = session.plan.steps[trial.measure]
    assert isinstance(measure, Measure)
    about = {
        "study": {"name": session.study.name, "sha256": digest(session.text)},
        "trial": words(trial),
        "keys": {"state": trial.state, "mask": trial.mask, "measure": trial.measure},
    }
    try:
        state, *mask = (session.store.fetch(key) for key in needed)
    except DamagedError as error:
        raise PrunectlError(f"{error}; it has been set aside", hint="`prunectl run` makes it again") from error
    return write(measure.network, state, mask[0] if mask else None, folder, about=about, smaller=compact)


def chosen(session: Session, only: str | None) -> Trial:
    """The one trial that is left. Raises PrunectlError, saying how they differ, if there are several networks."""
    networks = {(trial.state, trial.mask): trial for trial in reversed(session.plan.trials)}
    first = session.plan.trials[0]
    if len(networks) == 1:
        return first
    there = [words(trial) for trial in networks.values()]
    values = {name: list(dict.fromkeys(row[name] for row in reversed(there))) for name in there[0]}
    differing = {name: found for name, found in values.items() if len(found) > 1}
    told = "; ".join(f"{name} is {', '.join(map(str, found[:8]))}" for name, found in differing.items())
    narrower = selector({name: words(first)[name] for name in differing})
    raise PrunectlError(
        f"one network is exported, and {len(networks)} are left: {told}",
        hint=f"choose one: --only '{f'{only},' if only else ''}{narrower}'",
    )


def words(trial: Trial) -> dict[str, Any]:
    """A trial in the words of `--only`."""
    return {**trial.arm.columns(), "sparsity": trial.sparsity, "seed": trial.seed}


def selector(values: dict[str, Any]) -> str:
    """Words as a selector for `--only`; where a comma in a label would split it, the name alone."""
    texts = {name: f"{value:g}" if isinstance(value, float) else str(value) for name, value in values.items()}
    return ",".join(f"{name}={text.partition('(')[0] if ',' in text else text}" for name, text in texts.items())


def tell(document: dict[str, Any], folder: Path) -> None:
    """What was written, for people."""
    lines = {"model.safetensors": f"{document['parameters']:,} parameters, {document['nonzero']:,} of them not zero"}
    lines["mask.safetensors"] = "one bit for each that can be pruned"
    small = document["compact"]
    if small is not None:
        lines["compact.safetensors"] = f"{small['parameters']:,} parameters, dense"
    for name, file in document["files"].items():
        answer(f"{name:<20}  {size(file['size_bytes']):>9}  {lines[name]}")
    if small is not None:
        answer(
            f"channels: {small['channels']:,} of {small['channels_dense']:,}; outputs differ by at most "
            f"{small['difference']:.1e} on {small['images']} random images"
        )
        if small["channels"] == small["channels_dense"]:
            say("no channel is gone as a whole: the compact network is as large as the dense one")
    say(f"written: {folder}")
