"""Taking the network of one trial out of the store."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from prunectl.base.errors import PrunectlError

if TYPE_CHECKING:
    import torch

    from prunectl.api.session import Session
    from prunectl.plan.graph import Trial
    from prunectl.study.selection import Selection

MOST_VALUES = 8
"""Maximum number of values that a hint lists of one column."""


Format = Literal["safetensors", "onnx"]


def export(
    session: Session,
    folder: Path,
    *,
    only: Sequence[str] = (),
    compact: bool = False,
    format: Format = "safetensors",
) -> dict[str, Any]:
    """Write the network of the one trial of a session to a folder; with `compact` also the smaller dense network.

    Returns the document of `work.export`: counts, digests, files. `only` are the selectors of the session, for hints.
    Raises PrunectlError if several networks are left, or if the trial has not been made.
    """
    return exported(session, chosen(session, only), folder, compact=compact, format=format)


def exported(
    session: Session, trial: Trial, folder: Path, *, compact: bool, format: Format = "safetensors"
) -> dict[str, Any]:
    """Export a trial that has been made. Raises PrunectlError for one that has not."""
    from prunectl.base.keys import digest
    from prunectl.plan.steps import Measure
    from prunectl.store.local import DamagedError
    from prunectl.work.export import export as write

    needed = [key for key in (trial.state, trial.mask) if key is not None]
    for key in needed:
        if not session.store.has(key):
            raise _not_made(session, trial, key)
    measure = session.plan.steps[trial.measure]
    assert isinstance(measure, Measure)
    about = {
        "study": {"name": session.study.name, "sha256": digest(session.text)},
        "trial": columns(trial),
        "keys": {"state": trial.state, "mask": trial.mask, "measure": trial.measure},
        "normalized": {"mean": measure.data.dataset.mean, "std": measure.data.dataset.std},
    }
    try:
        state, *mask = (session.store.fetch(key) for key in needed)
    except KeyError as error:  # deleted since
        raise _not_made(session, trial, str(error.args[0])) from None
    except DamagedError as error:
        raise PrunectlError(f"{error}; {error.fate}", hint="`prunectl run` recomputes it") from error
    return write(
        measure.network,
        state,
        mask[0] if mask else None,
        folder,
        seed=measure.seed,
        about=about,
        smaller=compact,
        format=format,
    )


def load_network(folder: str | os.PathLike[str], *, compact: bool = False) -> torch.nn.Module:
    """The network that `prunectl export` has written to a folder, or the compact one, on the CPU, in evaluation.

    Its input are float32 images (N, C, H, W), normalised as the folder's network.json has it under "normalized".
    Raises PrunectlError for a folder of another format.
    """
    from prunectl.work.export import load

    return load(Path(folder), smaller=compact).eval()


def _not_made(session: Session, trial: Trial, key: str) -> PrunectlError:
    from prunectl.plan.steps import Key
    from prunectl.results.artefacts import Artefacts

    status, reason = Artefacts(session.plan, session.store).why_missing(Key(key))
    return PrunectlError(
        f"this trial failed: {reason}" if status == "failed" else "this trial has not been made yet",
        hint="make it: " + shlex.join(["prunectl", "run", str(session.path), *_asking_for(session, trial).options()]),
    )


def _asking_for(session: Session, trial: Trial) -> Selection:
    """What the session asked for, and of its trials this one alone."""
    from prunectl.plan.only import narrowed, only

    asked = session.selection
    if not (exact := narrowed(trial, session.plan.trials)):
        return asked
    held = [selector for selector in asked.only if trial in only(session.plan, [selector]).trials]
    return replace(asked, only=(",".join([*held[:1], exact]),))


def chosen(session: Session, only: Sequence[str] = ()) -> Trial:
    """The one trial that is left. Raises PrunectlError, listing how they differ, if there are several networks."""
    from prunectl.plan.only import narrowed

    networks = {(trial.state, trial.mask): trial for trial in reversed(session.plan.trials)}
    first = session.plan.trials[0]
    if len(networks) == 1:
        return first
    rows = [columns(trial) for trial in reversed(networks.values())]
    values = {name: list(dict.fromkeys(row[name] for row in rows)) for name in rows[0]}
    differing = {name: several for name, several in values.items() if len(several) > 1}
    listed = "; ".join(
        f"{name} is {', '.join(map(_shown, several[:MOST_VALUES]))}{', ...' if len(several) > MOST_VALUES else ''}"
        for name, several in differing.items()
    )
    suggested = next((trial for trial in session.plan.trials if trial.mask is not None), first)
    before = f"{only[0]}," if len(only) == 1 else ""
    raise PrunectlError(
        f"one network is exported, and {len(networks)} are left: {listed}",
        hint=f"choose one: --only '{before}{narrowed(suggested, list(networks.values()))}'",
    )


def _shown(value: Any) -> str:
    return "not given" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)


def columns(trial: Trial) -> dict[str, Any]:
    """The columns of a trial that `--only` selects by."""
    return {**trial.arm.columns(), "sparsity": trial.sparsity, "seed": trial.seed}
