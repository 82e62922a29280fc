"""A step's data on its device: verified, limited, in the layout of the network."""

from __future__ import annotations

import hashlib

import torch
from torch import Tensor

from prunectl.base.errors import MethodError
from prunectl.base.rng import generator
from prunectl.datasets.dataset import Dataset, Images
from prunectl.datasets.load import load
from prunectl.plan.steps import Data
from prunectl.training.loop import Material
from prunectl.training.pixels import Normalize
from prunectl.work.context import Context


def images_of(data: Data, context: Context) -> tuple[Dataset, Images]:
    """The data set of a step, read and verified."""
    assert isinstance(data.dataset, Dataset)
    images = load(data.dataset, context.data_root, train_limit=data.train_limit, test_limit=data.test_limit)
    return data.dataset, images


def material_of(data: Data, context: Context, layout: torch.memory_format) -> Material:
    """Everything that training and evaluation look at, on the device."""
    dataset, images = images_of(data, context)
    device = context.device
    return Material(
        train_images=images.train_images.to(device).contiguous(memory_format=layout),
        train_labels=images.train_labels.to(device),
        test_images=images.test_images.to(device).contiguous(memory_format=layout),
        test_labels=images.test_labels.to(device),
        normalize=Normalize(dataset.mean, dataset.std, device),
    )


def scoring_batches(
    data: Data, per_class: int, batches: int, seed: int, context: Context
) -> tuple[list[tuple[Tensor, Tensor]], str]:
    """Frozen batches for a criterion, and the digest of the images chosen.

    Each batch has `per_class` training images of every class, no augmentation, in shuffled order; no image is in two
    batches. Raises MethodError if a class has too few.
    """
    dataset, images = images_of(data, context)
    chosen = balanced(images.train_labels, dataset.classes, per_class, batches, seed)
    digest = hashlib.sha256(torch.stack(chosen).numpy().tobytes()).hexdigest()
    normalize = Normalize(dataset.mean, dataset.std, context.device)
    found = [
        (normalize(images.train_images[index].to(context.device)), images.train_labels[index].to(context.device))
        for index in chosen
    ]
    return found, digest


def balanced(labels: Tensor, classes: int, per_class: int, batches: int, seed: int) -> list[Tensor]:
    """Indices (classes · per_class,) for each batch: equally many of each class, shuffled, all different."""
    draws = generator(seed, "scoring-batch")
    by_class = []
    for label in range(classes):
        places = torch.nonzero(labels == label).flatten()
        if len(places) < per_class * batches:
            raise MethodError(
                f"{batches} scoring batches of {per_class} images a class need {per_class * batches} of each; "
                f"class {label} has {len(places)}"
            )
        by_class.append(places[torch.randperm(len(places), generator=draws)[: per_class * batches]])
    table = torch.stack(by_class).view(classes, batches, per_class)
    return [table[:, batch].flatten()[torch.randperm(classes * per_class, generator=draws)] for batch in range(batches)]
