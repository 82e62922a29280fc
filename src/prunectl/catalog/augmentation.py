"""What every augmentation declares: random changes of training images that keep their labels."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from prunectl.catalog.entry import Entry
from prunectl.catalog.required import required

if TYPE_CHECKING:
    from torch import Generator, Tensor


Window = Callable[[int, int, int], tuple[int, int, int, int]]
"""(number of a picture, width, height) → (top, left, height, width) of the window that is cut out of it."""


class Augmentation(Entry):
    """A random change of training images that keeps their labels."""

    on_reading: ClassVar[bool] = False
    """Whether it cuts images out of pictures of any size as they are read from files, instead of the fixed cut."""

    @classmethod
    def dispensable(cls) -> frozenset[str]:
        """`cut`, unless `on_reading` is true; then `apply`: one of the two does the work."""
        return frozenset({"apply"}) if cls.on_reading else frozenset({"cut"})

    def refusal(self, shape: tuple[int, int, int]) -> str | None:
        """Why it cannot be applied to images of `shape` (C, H, W), or None if it can. Needs no torch."""
        return None

    def draw(self, count: int, generator: Generator) -> Tensor:
        """What is random about `count` images: one tensor, on the CPU. Nothing for an augmentation that only cuts."""
        import torch

        return torch.empty(0)

    @required
    def apply(self, images_NCHW: Tensor, drawn: Tensor) -> Tensor:
        """New images of the same shape, type, device and memory format; those passed in stay as they were.

        `drawn` is what `draw` gave, on the device of the images. Which operations are called depends on shapes alone,
        and none of them waits for the device: on a GPU they are recorded once, and replayed with other images and
        draws. Only an augmentation that cuts may leave this out: then a batch stays as it is.
        """
        return images_NCHW

    @required
    def cut(self, width: int, height: int, generator: Generator) -> tuple[int, int, int, int]:
        """The (top, left, height, width) that is cut out of one picture; only where `on_reading` is true."""
        raise NotImplementedError
