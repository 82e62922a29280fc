"""Train a network, with snapshots on the way: a killed training goes on from the last one, bit for bit."""

from __future__ import annotations

import logging
import os
import stat
import time
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from prunectl.base.errors import MethodError, PrunectlError
from prunectl.base.operations import UncountedError
from prunectl.catalog.hook import Hook, Pruning, Shown, Trainee
from prunectl.catalog.recipe import stretched
from prunectl.catalog.structure import Masks
from prunectl.models.flops import flops_of
from prunectl.plan.steps import Key, Train, key_of
from prunectl.pruning import mask as masking
from prunectl.store import layout
from prunectl.store.atomic import make_directory, read_document, remove_tree, sha256, sync, write_whole
from prunectl.store.sealed import seal, unseal
from prunectl.training import precision
from prunectl.training import trainee as trainees
from prunectl.training.hooks import Evaluation
from prunectl.training.loop import advance
from prunectl.training.pixels import memory_format
from prunectl.training.state import load_optimizer
from prunectl.training.trainee import Training, begin
from prunectl.work.context import Context, Inputs, Stopped
from prunectl.work.during import PrunedTraining
from prunectl.work.masks import read_masks
from prunectl.work.material import material_of
from prunectl.work.networks import empty, restored
from prunectl.work.tensors import read_json, read_tensors, write_json, write_tensors

PROGRESS_S = 0.5
CAP = "give the budget a cap: { flops = true, cap = 10 }"

_log = logging.getLogger("prunectl")


def perform(step: Train, inputs: Inputs, out: Path, context: Context) -> None:
    """Leaves the state after `to_step` and the curve up to it, and the masks if it has pruned on the way.

    Raises Stopped if asked to stop, and PrunectlError on a device that cannot train in the precision of the recipe:
    another device can.
    """
    if (reason := precision.refusal(step.recipe.precision, context.device)) is not None:
        raise PrunectlError(reason, hint=precision.REMEDY)
    key = key_of(step)
    masks = read_masks(inputs.get("mask")) or {}
    step = _stretched(step, masks)
    pruned = None if step.during is None else PrunedTraining(step=step, during=step.during, context=context)
    hook: Pruning | None = None
    training: Training | None = None
    while True:  # twice, if a snapshot turns out to be of no use
        network = restored(step.network, step.seed, inputs["start"], context.device)
        if pruned is not None:
            masks, hook = pruned.begin(network)
        masking.apply(masks, network)
        if training is None:
            material = material_of(step.data, step.recipe, context, memory_format(network))
            training = Training(material=material, recipe=step.recipe, seed=step.seed)
        point = _latest(step, key, inputs, context)
        past = Past() if point is None else point.past
        changing = [] if hook is None else [hook]
        hooks = [*changing, Evaluation(training, step.evaluate), Saving(step, key, context, past)]
        trainee = begin(network, training, masks=masks, hooks=hooks, step=step.first_step)
        if point is not None:
            if _resumed(trainee, point, context):
                break
        else:
            if step.optimizer == "kept":
                load_optimizer(network, trainee.optimizer, read_tensors(inputs["start"] / layout.STATE), masks)
            break
    context.credit(past.spent_s)
    if past.resume is not None:
        context.resumed(past.resume)
    advance(trainee, step.to_step)
    tensors, numbers = trainee.dump()
    write_tensors(out / layout.STATE, tensors)
    write_json(out / layout.PROGRESS, numbers)
    if pruned is not None and hook is not None:
        pruned.write(out, trainee, hook)


class Past(NamedTuple):
    """The time and the checkpoint that earlier attempts at a training contributed."""

    spent_s: float = 0.0  # by all earlier attempts at this step
    resume: str | None = ""  # the key of the earlier state that the first of them resumed from; None: not known


class Point(NamedTuple):
    """Where a training can be resumed: tensors and numbers as of `dump`."""

    past: Past
    tensors: dict[str, Tensor]
    numbers: dict[str, Any]
    snapshot: bool = False


def _resumed(trainee: trainees.Trainee, point: Point, context: Context) -> bool:
    """Bring a training to a point. If a snapshot does not fit it is discarded, and the training has to begin again."""
    try:
        trainee.resume(point.tensors, point.numbers)
    except (MemoryError, torch.OutOfMemoryError):
        raise
    except Exception as error:
        if not point.snapshot:
            raise  # a verified artefact that does not fit is a bug
        _discard(context.snapshots, error)
        return False
    return True


def shown(trainee: Trainee, step: Train) -> Shown:
    """What is shown of a training that goes on."""
    last = trainee.curve[-1] if trainee.curve else None
    loss = trainee.loss_so_far()
    return Shown(
        epoch=trainee.step / step.recipe.steps_per_epoch,
        epochs=step.to_step / step.recipe.steps_per_epoch,
        loss=last.train_loss if loss is None and last is not None else loss,
        top1=None if last is None else last.top1,
    )


def _stretched(step: Train, masks: Masks) -> Train:
    """A training that its mask makes longer, with its length. Raises MethodError where that is not known."""
    if step.stretch is None:
        return step
    try:
        weights = masking.of_weights(masks)
        flops = flops_of(empty(step.network, step.seed), step.network.shape, weights)
        left = Fraction(flops.pruned(weights))
    except UncountedError as error:
        raise MethodError(f"how long to train is not known: the FLOPs cannot be counted ({error})") from error
    if left == 0 and step.stretch.cap is None:
        raise MethodError(f"how long to train is not defined: the mask leaves no FLOPs; {CAP}")
    saving = flops.dense / left if left else Fraction(step.stretch.cap or 1)
    steps = step.stretch.length(step.recipe, saving)
    return replace(step, recipe=stretched(step.recipe, steps), to_step=steps, stretch=None)


def _latest(step: Train, key: Key, inputs: Inputs, context: Context) -> Point | None:
    """The latest point to resume from: a snapshot of this step, or an earlier state of the same training."""
    points: list[Point] = []
    if (snapshot := _snapshot(key, context.snapshots)) is not None:
        points.append(snapshot)
    if "resume" in inputs:
        earlier = inputs["resume"]
        past = Past(resume=earlier.name)
        points.append(Point(past, read_tensors(earlier / layout.STATE), read_json(earlier / layout.PROGRESS)))
    usable = [point for point in points if step.first_step < point.numbers["step"] <= step.to_step]
    return max(usable, key=lambda point: int(point.numbers["step"]), default=None)


class Saving(Hook):
    """Reports progress, takes snapshots and stops the training; cheap, until it is time for one of them."""

    def __init__(self, step: Train, key: Key, context: Context, past: Past) -> None:
        self.step, self.key, self.context, self.past = step, key, context, past
        self.begun = self.reported = self.saved = time.monotonic()

    def after(self, trainee: Trainee) -> None:
        """The last of the hooks, so that a snapshot holds everything of its step. Raises Stopped."""
        if self.context.stopping():
            self._save(trainee, time.monotonic())
            raise Stopped
        now = time.monotonic()
        if now - self.reported > PROGRESS_S:
            self.reported = now
            self.context.show(shown(trainee, self.step))
            self.context.progress(trainee.step - self.step.first_step, self.step.to_step - self.step.first_step)
        if now - self.saved > self.context.snapshot_s and trainee.step < self.step.to_step:
            self._save(trainee, now)
            self.saved = time.monotonic()

    def _save(self, trainee: Trainee, now: float) -> None:
        spent_s = self.past.spent_s + now - self.begun
        save_snapshot(self.context.snapshots, self.key, trainee, self.past._replace(spent_s=spent_s))


def save_snapshot(folder: Path, key: str, trainee: Trainee, past: Past) -> None:
    """Write a new snapshot next to the old one, then point to it: at any moment there is a whole one, or none.

    Its head has a digest of itself, of the tensors, and the key of its step.
    """
    make_directory(folder)
    tensors, numbers = trainee.dump()
    file = folder / _file_name(trainee.step)
    write_tensors(file, tensors)
    file.chmod(stat.S_IMODE(folder.stat().st_mode) & 0o666)  # safetensors leaves it to its owner alone
    sync(file)
    head = {"key": key, "file": file.name, "sha256": sha256(file), "numbers": numbers, **past._asdict()}
    write_whole(folder / layout.PROGRESS, seal(head))
    for old in folder.glob("*.safetensors"):
        if old.name != file.name:
            old.unlink()


def _file_name(step: int) -> str:
    return f"{step:d}.safetensors"


def _snapshot(key: Key, folder: Path) -> Point | None:
    """The snapshot, if there is a whole one of this step; any other is discarded, and the training begins again."""
    if not os.path.lexists(folder / layout.PROGRESS):
        return None
    try:
        return _point(key, folder, _head(folder))
    except MemoryError:
        raise
    except Exception as error:  # whatever a damaged file does to those who read it
        _discard(folder, error)
        return None


def _head(folder: Path) -> dict[str, Any]:
    try:
        return unseal(read_document(folder / layout.PROGRESS))
    except ValueError as error:
        raise ValueError(f"its head {error}") from error


def _point(key: Key, folder: Path, head: Mapping[str, Any]) -> Point:
    """The snapshot that a head describes. Raises an exception of any kind if it is not as written."""
    if head["key"] != key:
        raise ValueError("it is of another training")
    file = folder / head["file"]
    if sha256(file) != head["sha256"]:
        raise ValueError("its tensors were changed")
    if file.name != _file_name(head["numbers"]["step"]):
        raise ValueError("it is of another moment")
    return Point(Past(head["spent_s"], head["resume"]), read_tensors(file), head["numbers"], snapshot=True)


def _discard(folder: Path, error: Exception) -> None:
    why = " ".join(str(error).split())[:200] or type(error).__name__
    _log.warning("the snapshot in %s cannot be used (%s); the training begins again", folder, why)
    remove_tree(folder)
