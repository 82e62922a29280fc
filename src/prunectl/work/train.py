"""Train a network, with snapshots on the way: a killed training goes on where it stood, bit for bit."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from torch import Tensor

from prunectl.plan.steps import Train
from prunectl.pruning import mask as masking
from prunectl.store import layout
from prunectl.store.files import remove_tree, sha256, sync, write_whole
from prunectl.training.loop import Trainee, advance, begin
from prunectl.training.state import dump, load_optimizer, resume
from prunectl.work.context import Context, Inputs, Stopped
from prunectl.work.files import read_json, read_tensors, write_json, write_tensors
from prunectl.work.masks import read_masks
from prunectl.work.material import material_of
from prunectl.work.networks import restored

PULSE_S = 0.5


def perform(step: Train, inputs: Inputs, out: Path, context: Context) -> None:
    """Leaves the state after `to_step` and the curve up to it. Raises Stopped if asked to stop."""
    masks = read_masks(inputs.get("mask")) or {}
    network = restored(step.network, inputs["start"], context.device)
    masking.apply(masks, network)
    trainee = begin(network, step.recipe, step.first_step)
    if step.optimizer == "kept":
        load_optimizer(trainee, read_tensors(inputs["start"] / layout.STATE), masks)
    _take_up(trainee, step, inputs, context)
    material = material_of(step.data, step.recipe, context, trainee.layout)
    if trainee.step < step.to_step:
        advance(
            trainee,
            step.to_step,
            material=material,
            recipe=step.recipe,
            masks=masks,
            seed=step.seed,
            pulse=_Pulse(step, context),
        )
    tensors, numbers = dump(trainee)
    write_tensors(out / layout.STATE, tensors)
    write_json(out / layout.PROGRESS, numbers)


def _take_up(trainee: Trainee, step: Train, inputs: Inputs, context: Context) -> None:
    """Go to the latest point there is: a snapshot of this step, or an earlier state of the same training."""
    points: list[tuple[float, dict[str, Tensor], dict[str, Any]]] = []
    if (snapshot := _snapshot(context.snapshots)) is not None:
        points.append(snapshot)
    if "resume" in inputs:
        earlier = inputs["resume"]
        points.append((0.0, read_tensors(earlier / layout.STATE), read_json(earlier / layout.PROGRESS)))
    found = [point for point in points if trainee.step < point[2]["step"] <= step.to_step]
    if found:
        spent_s, tensors, numbers = max(found, key=lambda point: int(point[2]["step"]))
        resume(trainee, tensors, numbers)
        context.credit(spent_s)


class _Pulse:
    """Called after every training step: cheap, until it is time for something."""

    def __init__(self, step: Train, context: Context) -> None:
        self.step, self.context = step, context
        self.begun = self.told = self.saved = time.monotonic()

    def __call__(self, trainee: Trainee) -> None:
        if self.context.stopping():
            save_snapshot(self.context.snapshots, trainee, time.monotonic() - self.begun)
            raise Stopped
        now = time.monotonic()
        if now - self.told > PULSE_S:
            self.told = now
            self.context.progress(trainee.step - self.step.first_step, self.step.to_step - self.step.first_step)
        if now - self.saved > self.context.snapshot_s and trainee.step < self.step.to_step:
            save_snapshot(self.context.snapshots, trainee, now - self.begun)
            self.saved = time.monotonic()


def save_snapshot(folder: Path, trainee: Trainee, spent_s: float) -> None:
    """Write a new snapshot beside the old one, then point to it: at any moment there is a whole one, or none."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors, numbers = dump(trainee)
    name = f"{trainee.step}.safetensors"
    write_tensors(folder / name, tensors)
    sync(folder / name)
    head = {"file": name, "sha256": sha256(folder / name), "numbers": numbers, "spent_s": spent_s}
    write_whole(folder / layout.PROGRESS, json.dumps(head, allow_nan=False).encode())
    for old in folder.glob("*.safetensors"):
        if old.name != name:
            old.unlink()


def _snapshot(folder: Path) -> tuple[float, dict[str, Tensor], dict[str, Any]] | None:
    """The snapshot, if there is a whole one; a damaged one is removed, and the training begins again."""
    try:
        head = read_json(folder / layout.PROGRESS)
        file = folder / head["file"]
        if sha256(file) == head["sha256"]:
            return head["spent_s"], read_tensors(file), head["numbers"]
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, SafetensorError):
        pass
    remove_tree(folder)
    return None
