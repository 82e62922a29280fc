"""A step's data on its device: verified, limited, in the layout of the network."""

from __future__ import annotations

import torch

from prunectl.catalog.metric import Part
from prunectl.catalog.recipe import Recipe
from prunectl.datasets.locate import changed
from prunectl.datasets.on_disk import Mapped, is_mapped, mapped
from prunectl.datasets.pictures import Pictures
from prunectl.datasets.streaming import Streamed, stream, streamed
from prunectl.datasets.subset import divided
from prunectl.plan.steps import Data
from prunectl.training.loop import cuts_on_reading
from prunectl.training.pixels import Normalize
from prunectl.training.source import InMemory, Source, runs
from prunectl.training.trainee import Material
from prunectl.work import held, originals
from prunectl.work.context import Context

READ = 500
HELD_BYTES = 2 << 30
"""Images in files that take no more than this, decoded, are held in memory."""


def material_of(data: Data, recipe: Recipe, context: Context, layout: torch.memory_format) -> Material:
    """Everything that training and evaluation look at, on the device: in memory, but what is cut as it is read."""
    train = part_of(data, "train", context)
    return Material(
        train=train if cuts_on_reading(recipe) else hold(train, layout),
        test=hold(part_of(data, "test", context), layout),
        normalize=normalize_of(data, context),
    )


def normalize_of(data: Data, context: Context) -> Normalize:
    """From pixels to numbers, for this data set."""
    dataset = data.dataset
    return Normalize(dataset.mean, dataset.std, context.device)


def part_of(data: Data, part: Part, context: Context) -> Source:
    """A part of a step's data, verified and limited. Of pictures, none is read yet."""
    dataset, device = data.dataset, context.device
    if isinstance(dataset, Pictures):
        return _pictures(dataset, data, part, context)
    arrays = originals.arrays_of(data, context.data_root)
    if is_mapped(arrays):
        limit, validation = (data.test_limit if part == "test" else data.train_limit), data.validation or 0
        return mapped(arrays, part, limit=limit, validation=validation, name=dataset.name, device=device)
    images = held.read(data, context.data_root)
    pixels, labels = {
        "train": (images.train_images, images.train_labels),
        "validation": (images.validation_images, images.validation_labels),
        "test": (images.test_images, images.test_labels),
    }[part]
    return InMemory(held.on(device, pixels), held.on(device, labels))


def _pictures(dataset: Pictures, data: Data, part: Part, context: Context) -> Streamed:
    listing = dataset.listing(context.data_root)
    if listing.digest() != data.fingerprint:
        raise changed(dataset.name, context.data_root)
    if part == "test":
        return stream(dataset, listing.test, data.test_limit, device=context.device, workers=context.workers)
    if not data.validation:
        return stream(dataset, listing.train, data.train_limit, device=context.device, workers=context.workers)
    division = divided(listing.train.labels, validation=data.validation, limit=data.train_limit, name=dataset.name)
    positions = division.train if part == "train" else division.validation
    return streamed(dataset, listing.train, positions, device=context.device, workers=context.workers)


def hold(source: Source, layout: torch.memory_format) -> Source:
    """The same images in memory and in the layout, unless they are too many."""
    if isinstance(source, InMemory):
        return InMemory(held.laid_out(source.images, source.images.device, layout), source.labels)
    assert isinstance(source, Streamed | Mapped)
    if source.size_bytes > HELD_BYTES:
        return source
    images = torch.cat(list(source.batches(runs(len(source.labels), READ))))
    return InMemory(images.contiguous(memory_format=layout), source.labels)
