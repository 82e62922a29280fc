"""Images in the order in which they lie in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def in_memory_order(images_NCHW: Tensor) -> tuple[Tensor, bool]:
    """The images as they lie in memory, contiguous: (N, C, H, W), or (N, H, W, C) and True."""
    if images_NCHW.is_contiguous():
        return images_NCHW, False
    return images_NCHW.permute(0, 2, 3, 1).contiguous(), True
