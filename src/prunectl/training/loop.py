"""The training loop, for baselines and for every retraining.

Contract: from the same start the same bits follow, wherever the training was stopped and resumed, for one device, one
version of torch and one number of threads. Pruned weights, and what the optimizer keeps of them, are exactly zero
after every step: their gradients are, before the optimizer sees them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional

from prunectl.base.batch_norm import batch_norms
from prunectl.base.rng import generator, preserved, seed_globals
from prunectl.catalog.augmentation import Augmentation
from prunectl.catalog.recipe import Recipe, learning_rate
from prunectl.training.device import sent, set_rate
from prunectl.training.graphed import Batch, Learn, steps_of
from prunectl.training.lone_image import refuse_lone_image
from prunectl.training.precision import forward, passes
from prunectl.training.source import RandomWindow
from prunectl.training.trainee import Trainee

Masked = Sequence[tuple[Tensor, Tensor]]
"""Weights, and what their gradients are multiplied by."""


def advance(trainee: Trainee, to_step: int) -> None:
    """Train on to `to_step`; the hooks of the trainee are called in every step.

    The order of the images is a permutation per epoch, the augmentation a draw per step, both from the seed alone.
    The global generators are seeded in every step, for layers like dropout and code of third parties; afterwards they
    are as before.
    Raises MethodError for a batch of one image that is too small for BatchNorm, and whatever a hook raises.
    """
    with preserved():
        refuse_lone_image(trainee, to_step)
        _begin(trainee)
        _advance(trainee, to_step)


def _advance(trainee: Trainee, to_step: int) -> None:
    material, recipe, seed = trainee.training.material, trainee.training.recipe, trainee.training.seed
    labels, per_epoch = material.train.labels, recipe.steps_per_epoch
    trainee.network.train()
    masked = [(trainee.network.get_parameter(name), factor) for name, factor in trainee.factors.items()]
    with steps_of(trainee, partial(_learn, trainee, masked)) as learn:
        while trainee.step < to_step:
            epoch, first = divmod(trainee.step, per_epoch)
            last = min(per_epoch, to_step - epoch * per_epoch)
            order = sent(torch.randperm(len(labels), generator=generator(seed, "order", epoch)), labels.device)
            chosen = torch.split(order, recipe.batch_size)[first:last]
            batches = material.train.batches(chosen, _window(recipe, seed, epoch))
            for picked, images in zip(chosen, batches, strict=True):
                _step(trainee, images, labels[picked], masked, learn)
                for hook in trainee.hooks:
                    hook.after(trainee)


def _begin(trainee: Trainee) -> None:
    if not trainee.begun:
        seed_globals(trainee.training.seed, "begin", trainee.step)
        for hook in trainee.hooks:
            hook.begin(trainee)
    trainee.begun = True


def cuts_on_reading(recipe: Recipe) -> Augmentation | None:
    """The augmentation that cuts images as they are read, if there is one: it comes first."""
    first = recipe.augment[0] if recipe.augment else None
    return first if first is not None and first.on_reading else None


def _window(recipe: Recipe, seed: int, epoch: int) -> RandomWindow | None:
    cutting = cuts_on_reading(recipe)
    return None if cutting is None else RandomWindow(augmentation=cutting, seed=seed, epoch=epoch)


def _batch(trainee: Trainee, images: Tensor, labels: Tensor) -> Batch:
    """A batch of pixels (N, C, H, W) with labels (N,), and what is drawn for it."""
    recipe, seed = trainee.training.recipe, trainee.training.seed
    drawn = (
        augmentation.draw(len(labels), generator(seed, "augment", trainee.step, number))
        for number, augmentation in enumerate(recipe.augment)
    )
    return Batch(images=images, labels=labels, drawn=tuple(sent(tensor, labels.device) for tensor in drawn))


def _step(trainee: Trainee, images: Tensor, labels: Tensor, masked: Masked, learn: Learn) -> None:
    """One step of the optimizer. Nothing in it waits for a GPU."""
    training = trainee.training
    seed_globals(training.seed, "step", trainee.step)
    batch = _batch(trainee, images, labels)
    set_rate(trainee.optimizer, learning_rate(training.recipe, trainee.step))
    trainee.seen += len(labels)
    wanting = [hook for hook in trainee.hooks if hook.wants_gradients(trainee.step)]
    if wanting:
        _backward(trainee, batch)
        # Every hook that asked for the gradients sees them, even after another has claimed the step.
        claimed = [hook.gradients(trainee) for hook in wanting]
        if not any(claimed):
            _update(trainee, masked)
    else:
        learn(batch)
    trainee.step += 1


def _learn(trainee: Trainee, masked: Masked, batch: Batch) -> None:
    """What a GPU records and replays: only `batch`, and tensors that change in place, may differ between steps."""
    _backward(trainee, batch)
    _update(trainee, masked)


def _backward(trainee: Trainee, batch: Batch) -> None:
    """The gradients of a batch, and its loss."""
    precision = trainee.training.recipe.precision
    _drop_gradients(trainee.optimizer)
    inputs = _inputs(trainee, batch)
    with passes(precision):
        with forward(precision, inputs.device):
            logits = trainee.network(inputs)
        smoothing = trainee.training.recipe.label_smoothing
        loss = functional.cross_entropy(logits.float(), batch.labels, label_smoothing=smoothing)
        loss.backward()  # type: ignore[no-untyped-call]  # missing in the stubs of torch
    if trainee.training.recipe.bn_l1:
        _penalize_scales(trainee.network, trainee.training.recipe.bn_l1)
    trainee.loss_sum += loss.detach() * len(batch.labels)
    trainee.right += (logits.detach().argmax(1) == batch.labels).sum()


def _drop_gradients(optimizer: torch.optim.Optimizer) -> None:
    """What `zero_grad` does in this version of torch, in a tenth of its time."""
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            parameter.grad = None


def _update(trainee: Trainee, masked: Masked) -> None:
    for weight, factor in masked:
        if weight.grad is not None:  # a frozen layer has none, nor one that is passed over in a step
            weight.grad.mul_(factor)
    if (longest := trainee.training.recipe.clip_norm) is not None:  # after the masks: pruned weights add nothing to it
        nn.utils.clip_grad_norm_(trainee.network.parameters(), longest)
    trainee.optimizer.step()


@torch.no_grad()
def _penalize_scales(network: nn.Module, bn_l1: float) -> None:
    """Add bn_l1 · sign(γ) to the gradient of each BatchNorm scale γ (Liu et al. 2017, eq. 1)."""
    for norm in batch_norms(network):
        if norm.affine and norm.weight.grad is not None:
            norm.weight.grad.add_(norm.weight.sign(), alpha=bn_l1)


def _inputs(trainee: Trainee, batch: Batch) -> Tensor:
    """Augmented and normalised images (N, C, H, W), float32, in the layout of the network."""
    training, images = trainee.training, batch.images
    for augmentation, drawn in zip(training.recipe.augment, batch.drawn, strict=True):
        images = augmentation.apply(images, drawn)
    return training.material.normalize(images).contiguous(memory_format=trainee.layout)
