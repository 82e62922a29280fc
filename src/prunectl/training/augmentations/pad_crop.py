"""Shifts: padding and cutting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from prunectl.catalog.augmentation import Augmentation
from prunectl.training.augmentations.memory import in_memory_order

if TYPE_CHECKING:
    from torch import Generator, Tensor


class PadCrop(Augmentation):
    """Pad every side by `pad` pixels and cut the old size out anywhere: all shifts of −pad..pad equally likely.

    "zeros" pads black, as torchvision's RandomCrop(padding=4) does; "reflect" mirrors at the edge, which it does not
    repeat, as numpy.pad does.
    """

    name = "pad-crop"
    summary = "pad by `pad` pixels (zeros or reflect), cut out at a random place"

    pad: Annotated[int, Field(ge=1)] = 4
    mode: Literal["zeros", "reflect"] = "zeros"

    def refusal(self, shape: tuple[int, int, int]) -> str | None:
        """Reflection has no more than side − 1 pixels to mirror."""
        if self.mode == "zeros" or self.pad < min(shape[1:]):
            return None
        return f"pad = {self.pad} cannot be reflected in images of {shape[1]}x{shape[2]} pixels"

    def draw(self, count: int, generator: Generator) -> Tensor:
        """Int64 (2, N), in 0..2·pad: all vertical offsets, then all horizontal ones."""
        import torch

        return torch.randint(2 * self.pad + 1, (2, count), generator=generator)

    def apply(self, images_NCHW: Tensor, drawn: Tensor) -> Tensor:
        """The window at its offsets of each padded image."""
        padded = _zeros(images_NCHW, self.pad) if self.mode == "zeros" else _reflect(images_NCHW, self.pad)
        return _crop(padded, drawn, images_NCHW.shape[2], images_NCHW.shape[3])


def _zeros(images_NCHW: Tensor, pad: int) -> Tensor:
    from torch.nn.functional import pad as pad_with

    return pad_with(images_NCHW, (pad, pad, pad, pad))


def _reflect(images_NCHW: Tensor, pad: int) -> Tensor:
    # torch's own reflection has no uint8
    import torch

    padded = images_NCHW
    for axis in (2, 3):
        size = padded.shape[axis]
        if pad >= size:
            raise ValueError(f"a reflection by {pad} needs more than {pad} pixels, not {size}")
        before, after = padded.narrow(axis, 1, pad), padded.narrow(axis, size - 1 - pad, pad)
        padded = torch.cat([before.flip(axis), padded, after.flip(axis)], axis)
    return padded


def _crop(padded_NCHW: Tensor, offsets: Tensor, height: int, width: int) -> Tensor:
    """The window of `height` × `width` at offsets[:, n] = (row, column) of each image n."""
    import torch

    raw, channels_last = in_memory_order(padded_NCHW)
    # One row of one plane lies in one run; with channels last, there is one plane and a pixel takes C places.
    pixel = raw.shape[3] if channels_last else 1
    planes = raw.flatten(2).unsqueeze(1) if channels_last else raw
    count, depth, tall, wide = planes.shape
    # Choosing runs from a view of all of them copies whole rows: 0.10 ms for 128 images of CIFAR, where unfold and
    # indexing takes 0.34, gather 0.39.
    runs = raw.as_strided((raw.numel() - width * pixel + 1, width * pixel), (1, 1))
    image, plane, row = (torch.arange(size, device=raw.device) for size in (count, depth, height))
    corner = image * (depth * tall * wide) + offsets[0] * wide + offsets[1] * pixel
    start = corner.view(-1, 1, 1) + plane.view(-1, 1) * (tall * wide) + row * wide
    chosen = runs.index_select(0, start.flatten())
    if channels_last:
        return chosen.view(count, height, width, pixel).permute(0, 3, 1, 2)
    return chosen.view(count, depth, height, width)
