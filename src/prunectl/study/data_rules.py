"""What of [data] goes together, and what networks, augmentations and claims ask of it."""

from __future__ import annotations

from collections.abc import Iterator

from prunectl.base.errors import Path, Problem
from prunectl.study.data_section import DataSection
from prunectl.study.schema import Claim, ModelSection


def subset(data: DataSection) -> Iterator[Problem]:
    """A subset is no larger than the data set, where its size is declared."""
    known = data.dataset.known()
    limits = ("train_limit", data.train_limit, known.train_size), ("test_limit", data.test_limit, known.test_size)
    for key, limit, available in limits:
        if limit is not None and available is not None and limit > available:
            message = f"{limit} is more than the {available} images that {data.dataset.name} has"
            yield Problem(path=("data", key), message=message)
    yield from _held_out(data)


def _held_out(data: DataSection) -> Iterator[Problem]:
    """Something is left to train on when the validation images are held out."""
    available = data.dataset.known().train_size
    if not data.validation or available is None or (data.train_limit or 0) > available:
        return
    left = available - data.validation
    if left < (data.train_limit or 1):
        fewer = f", fewer than train_limit = {data.train_limit:,}" if data.train_limit else ""
        message = f"of the {available:,} training images of {data.dataset.name} it leaves {max(0, left):,}{fewer}"
        hint = "validation images are held out of the training images: make one of the two smaller"
        yield Problem(path=("data", "validation"), message=message, hint=hint)


def measured(claim: Claim, data: DataSection) -> Iterator[Problem]:
    """A claim is about a metric that the study measures."""
    metric = claim.metric
    if metric.part not in data.measured:
        keys = {
            "validation": "validation = N, the number of images held out",
            "train": "top1_train = true",
        }
        hint = f"write it in [data]: {keys[metric.part]}"
        yield Problem(path=("metric",), message=f"{metric.title} is not measured by this study", hint=hint)


def shapes(data: DataSection, model: ModelSection | None) -> Iterator[Problem]:
    """The network and the augmentations can take the images; what they cannot take, they refuse with a reason."""
    yield from _on_reading(data)
    shape = data.dataset.known().shape
    if shape is None:
        return
    refusals: list[tuple[Path, str | None]] = [
        (("data", "augment", place), each.refusal(shape)) for place, each in enumerate(data.augment)
    ]
    refusals += [(("model", "name"), model.model.refusal(shape))] if model is not None else []
    for path, reason in refusals:
        if reason:
            hint = f"{data.dataset.name} has images of {shape[1]}x{shape[2]} pixels"
            yield Problem(path=path, message=reason, hint=hint)


def _on_reading(data: DataSection) -> Iterator[Problem]:
    """What cuts images as they are read needs pictures in files, and comes before what changes them afterwards."""
    for place, each in enumerate(data.augment):
        if not each.on_reading:
            continue
        path = ("data", "augment", place)
        if not data.dataset.in_files:
            message = f"{each.name} cuts pictures as they are read from files; {data.dataset.name} has none"
            yield Problem(path=path, message=message, hint="pad-crop and flip work on every data set")
        elif place > 0:
            yield Problem(path=path, message=f"{each.name} cuts pictures as they are read: it must come first")
