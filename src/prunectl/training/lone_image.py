"""Batches of a single image, which BatchNorm cannot always train on."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from prunectl.base.errors import MethodError
from prunectl.training.trainee import Trainee


def refuse_lone_image(trainee: Trainee, to_step: int) -> None:
    """Raise MethodError if a step up to `to_step` trains on one image that leaves a BatchNorm one value per channel.

    One value has no variance. Only the last batch of an epoch can be smaller than the others.
    """
    material, recipe = trainee.training.material, trainee.training.recipe
    count, per_epoch = len(material.train.labels), recipe.steps_per_epoch
    ends_an_epoch = to_step // per_epoch > trainee.step // per_epoch
    if recipe.batch_size > 1 and not (ends_an_epoch and count % recipe.batch_size == 1):
        return
    image = next(iter(material.test.batches([slice(0, 1)])))
    if 1 in values_per_channel(trainee.network, material.normalize(image)):
        raise MethodError(
            f"{count:,} training images in batches of {recipe.batch_size:,} leave one image in the last batch, and a "
            "BatchNorm of this network cannot train on a single value per channel; "
            "choose another batch_size or train_limit"
        )


@torch.no_grad()
def values_per_channel(network: nn.Module, image_1CHW: Tensor) -> set[int]:
    """How many values of one image the BatchNorms of a network see per channel. The network stays as it is."""
    seen: set[int] = set()

    def look(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        seen.add(inputs[0][0, 0].numel())

    norms = [module for module in network.modules() if isinstance(module, _BatchNorm)]
    handles = [norm.register_forward_pre_hook(look) for norm in norms]
    training = network.training
    network.eval()
    try:
        network(image_1CHW.repeat(2, 1, 1, 1))  # two, for a BatchNorm without running statistics
    finally:
        network.train(training)
        for handle in handles:
            handle.remove()
    return seen
