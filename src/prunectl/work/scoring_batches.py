"""The images that criteria are given: frozen batches with equally many of each class."""

from __future__ import annotations

import hashlib

import torch
from torch import Tensor

from prunectl.base.errors import MethodError
from prunectl.base.rng import generator
from prunectl.plan.steps import Data
from prunectl.work.context import Context
from prunectl.work.material import normalize_of, part_of


def scoring_batches(
    data: Data, classes: int, per_class: int, batches: int, seed: int, context: Context, number: int = 0
) -> tuple[list[tuple[Tensor, Tensor]], str]:
    """Batches for a criterion, and the digest of the images chosen; other images for each `number`.

    Each batch has `per_class` training images of every class, no augmentation, in shuffled order; no image is in two
    batches. Raises MethodError if a class has too few.
    """
    source = part_of(data, "train", context)
    chosen = balanced(source.labels.cpu(), classes, per_class, batches, seed, number)
    digest = hashlib.sha256(torch.stack(chosen).numpy().tobytes()).hexdigest()
    normalize = normalize_of(data, context)
    places = [index.to(context.device) for index in chosen]
    found = [
        (normalize(images), source.labels[index]) for index, images in zip(places, source.batches(places), strict=True)
    ]
    return found, digest


def balanced(labels: Tensor, classes: int, per_class: int, batches: int, seed: int, number: int = 0) -> list[Tensor]:
    """Indices (classes · per_class,) for each batch: equally many of each class, shuffled, all different."""
    draws = generator(seed, "scoring-batch", *([number] if number else []))
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
