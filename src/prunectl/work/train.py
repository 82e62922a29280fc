"""Train a network, with snapshots on the way: a killed training goes on from the last one, bit for bit."""

from __future__ import annotations

import time
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import torch

from prunectl.base.errors import MethodError, PrunectlError
from prunectl.base.operations import UncountedError
from prunectl.catalog.hook import Hook, Pruning, Shown, Trainee
from prunectl.catalog.masks import Masks
from prunectl.catalog.recipe import stretched
from prunectl.models.flops import flops_of
from prunectl.plan.steps import Key, Train, key_of
from prunectl.pruning import mask as masking
from prunectl.store import layout
from prunectl.training import precision
from prunectl.training import trainee as trainees
from prunectl.training.hooks import Evaluation
from prunectl.training.loop import advance
from prunectl.training.pixels import memory_format
from prunectl.training.state import load_optimizer
from prunectl.training.trainee import Training, begin
from prunectl.work import last_logits, snapshots
from prunectl.work.context import Context, Inputs, Stopped
from prunectl.work.during import PrunedTraining
from prunectl.work.last_logits import LastTest
from prunectl.work.masks import read_masks
from prunectl.work.material import material_of
from prunectl.work.networks import empty, restored
from prunectl.work.snapshots import Past, Point
from prunectl.work.tensors import read_json, read_tensors, write_json, write_tensors

PROGRESS_S = 0.5
CAP = "give the budget a cap: { flops = true, cap = 10 }"


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
    begun = _begun(step, key, masks, pruned, inputs, context)
    context.credit(begun.past.spent_s)
    if begun.past.resume is not None:
        context.resumed(begun.past.resume)
    advance(begun.trainee, step.to_step)
    tensors, numbers = begun.trainee.dump()
    write_tensors(out / layout.STATE, tensors)
    write_json(out / layout.PROGRESS, numbers)
    if begun.evaluation.tested == step.to_step and pruned is None:
        test = LastTest(state=key, mask=step.mask, data=step.data.of_tests(), device=context.device)
        last_logits.keep(test, begun.evaluation.answers)
    if pruned is not None and begun.hook is not None:
        pruned.write(out, begun.trainee, begun.hook)


class Begun(NamedTuple):
    """A training at its beginning, or at the point where an earlier attempt has left it."""

    trainee: trainees.Trainee
    hook: Pruning | None
    """What prunes on the way."""
    evaluation: Evaluation
    past: Past


def _begun(
    step: Train, key: Key, masks: Masks, pruned: PrunedTraining | None, inputs: Inputs, context: Context
) -> Begun:
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
        evaluation = Evaluation(training, step.evaluate)
        hooks = [*changing, evaluation, Saving(step, key, context, past)]
        trainee = begin(network, training, masks=masks, hooks=hooks, step=step.first_step)
        if point is None and step.optimizer == "kept":
            load_optimizer(network, trainee.optimizer, read_tensors(inputs["start"] / layout.STATE), masks)
        if point is None or _resumed(trainee, point, context):
            return Begun(trainee, hook, evaluation, past)


def _resumed(trainee: trainees.Trainee, point: Point, context: Context) -> bool:
    """Bring a training to a point. If a snapshot does not fit it is discarded, and the training has to begin again."""
    try:
        trainee.resume(point.tensors, point.numbers)
    except (MemoryError, torch.OutOfMemoryError):
        raise
    except Exception as error:
        if not point.snapshot:
            raise  # a verified artefact that does not fit is a bug
        snapshots.discard(context.snapshots, error)
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
    if (snapshot := snapshots.read(key, context.snapshots)) is not None:
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
        snapshots.save(self.context.snapshots, self.key, trainee, self.past._replace(spent_s=spent_s))
