"""Train a network, with snapshots on the way: a killed training goes on where it stood, bit for bit."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any, NamedTuple

from safetensors import SafetensorError
from torch import Tensor

from prunectl.plan.steps import Train
from prunectl.pruning import mask as masking
from prunectl.store import layout
from prunectl.store.atomic import remove_tree, sha256, sync, write_whole
from prunectl.training.loop import Trainee, advance, begin
from prunectl.training.state import dump, load_optimizer, resume
from prunectl.work.context import Context, Inputs, Stopped
from prunectl.work.masks import read_masks
from prunectl.work.material import material_of
from prunectl.work.networks import restored
from prunectl.work.tensors import read_json, read_tensors, write_json, write_tensors

PULSE_S = 0.5


def perform(step: Train, inputs: Inputs, out: Path, context: Context) -> None:
    """Leaves the state after `to_step` and the curve up to it. Raises Stopped if asked to stop."""
    masks = read_masks(inputs.get("mask")) or {}
    network = restored(step.network, inputs["start"], context.device)
    masking.apply(masks, network)
    trainee = begin(network, step.recipe, step.first_step)
    if step.optimizer == "kept":
        load_optimizer(trainee, read_tensors(inputs["start"] / layout.STATE), masks)
    past = _take_up(trainee, step, inputs, context)
    material = material_of(step.data, step.recipe, context, trainee.layout)
    if trainee.step < step.to_step:
        advance(
            trainee,
            step.to_step,
            material=material,
            recipe=step.recipe,
            masks=masks,
            seed=step.seed,
            pulse=_Pulse(step, context, past),
        )
    tensors, numbers = dump(trainee)
    write_tensors(out / layout.STATE, tensors)
    write_json(out / layout.PROGRESS, numbers)


class Past(NamedTuple):
    """What lies behind a training when an attempt at it begins: nothing, unless it is taken up again."""

    spent_s: float = 0.0  # by all earlier attempts at this step
    resume: str | None = ""  # the key of the earlier state that the first of them was taken up from; None: not known


Point = tuple[Past, dict[str, Tensor], dict[str, Any]]
"""Where a training can be taken up: tensors and numbers as of `dump`."""


def _take_up(trainee: Trainee, step: Train, inputs: Inputs, context: Context) -> Past:
    """Go to the latest point there is: a snapshot of this step, or an earlier state of the same training."""
    points: list[Point] = []
    if (snapshot := _snapshot(context.snapshots)) is not None:
        points.append(snapshot)
    if "resume" in inputs:
        earlier = inputs["resume"]
        past = Past(resume=earlier.name)
        points.append((past, read_tensors(earlier / layout.STATE), read_json(earlier / layout.PROGRESS)))
    found = [point for point in points if trainee.step < point[2]["step"] <= step.to_step]
    past = Past()
    if found:
        past, tensors, numbers = max(found, key=lambda point: int(point[2]["step"]))
        resume(trainee, tensors, numbers)
    context.credit(past.spent_s)
    if past.resume is not None:
        context.resumed(past.resume)
    return past


class _Pulse:
    """Called after every training step: cheap, until it is time for something."""

    def __init__(self, step: Train, context: Context, past: Past) -> None:
        self.step, self.context, self.past = step, context, past
        self.begun = self.told = self.saved = time.monotonic()

    def __call__(self, trainee: Trainee) -> None:
        if self.context.stopping():
            self._save(trainee, time.monotonic())
            raise Stopped
        now = time.monotonic()
        if now - self.told > PULSE_S:
            self.told = now
            self.context.progress(trainee.step - self.step.first_step, self.step.to_step - self.step.first_step)
        if now - self.saved > self.context.snapshot_s and trainee.step < self.step.to_step:
            self._save(trainee, now)
            self.saved = time.monotonic()

    def _save(self, trainee: Trainee, now: float) -> None:
        spent_s = self.past.spent_s + now - self.begun
        save_snapshot(self.context.snapshots, trainee, self.past._replace(spent_s=spent_s))


def save_snapshot(folder: Path, trainee: Trainee, past: Past) -> None:
    """Write a new snapshot beside the old one, then point to it: at any moment there is a whole one, or none."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors, numbers = dump(trainee)
    name = f"{trainee.step}.safetensors"
    write_tensors(folder / name, tensors)
    sync(folder / name)
    head = {"file": name, "sha256": sha256(folder / name), "numbers": numbers, **past._asdict()}
    write_whole(folder / layout.PROGRESS, json.dumps(head, allow_nan=False).encode())
    for old in folder.glob("*.safetensors"):
        if old.name != name:
            old.unlink()


def _snapshot(folder: Path) -> Point | None:
    """The snapshot, if there is a whole one; a damaged one is removed, and the training begins again."""
    try:
        head = read_json(folder / layout.PROGRESS)
        file = folder / head["file"]
        if sha256(file) == head["sha256"]:
            return Past(head["spent_s"], head.get("resume")), read_tensors(file), head["numbers"]
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, SafetensorError):
        pass
    remove_tree(folder)
    return None
