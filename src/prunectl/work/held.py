"""Data sets that this process has in memory: read, verified and laid out once, not once for each step.

Nothing changes them: a step gets views. What a third party's code did to them would reach no other step, since the
worker that ran it does nothing else.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from prunectl.datasets.load import Tensors, limited
from prunectl.plan.steps import Data
from prunectl.work import originals
from prunectl.work.recent import Recent

MOST = 4
"""Data sets that are kept: what a study with limits and validation images trains, scores, tests and validates on."""

MOST_COPIES = 12
"""Copies that are kept of their tensors, four for each of them: on a device, and there in another layout."""

_READ: Recent[tuple[Data, Path], Tensors] = Recent(MOST)
_LAID_OUT: Recent[tuple[int, torch.device, torch.memory_format], tuple[Tensor, Tensor]] = Recent(MOST_COPIES)


def read(data: Data, root: Path) -> Tensors:
    """A data set of arrays: images uint8 (N, C, H, W) on the CPU, verified and limited. Raises DataError."""

    def make() -> Tensors:
        whole = originals.arrays_of(data, root)
        return limited(data.dataset, whole, data.train_limit, data.test_limit, data.validation or 0)

    return _READ.get_or_make((data, root), make)


def on(device: torch.device, tensor: Tensor) -> Tensor:
    """The same tensor on a device; the last few are kept there, so that a GPU is not sent them for every step."""
    return tensor if tensor.device == device else laid_out(tensor, device, torch.preserve_format)


def laid_out(images: Tensor, device: torch.device, layout: torch.memory_format) -> Tensor:
    """The same images on a device and in a layout; the last few are kept."""
    key = (id(images), device, layout)
    # `images` is kept with its copy, so that its id belongs to nothing else
    _, copy = _LAID_OUT.get_or_make(key, lambda: (images, _sent(images, device, layout)))
    return copy


def release(device: torch.device) -> bool:
    """Forget the copy on a GPU that was used least recently, so that its memory is free. False if there is none.

    A tensor that a step still uses stays until the step ends.
    """
    for key in _LAID_OUT:
        if key[1] == device and device.type == "cuda":
            del _LAID_OUT[key]
            torch.cuda.empty_cache()
            return True
    return False


def _sent(images: Tensor, device: torch.device, layout: torch.memory_format) -> Tensor:
    """A copy on a device; when its memory runs short, other copies make room for it."""
    while True:
        try:
            return images.to(device, memory_format=layout)
        except torch.OutOfMemoryError:
            if not release(device):
                raise
