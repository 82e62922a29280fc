"""Ablations of a pruning decision (Frankle et al. 2021, Section 5).

`shuffle` is here. `invert` is a reversed ranking (`mask.prune(..., invert=True)`), never 1/score. `reinit` keeps the
mask and draws the weights anew (an initialization with another purpose).
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from prunectl.pruning.mask import Masks


def shuffle(masks: Mapping[str, Tensor], generator: torch.Generator) -> Masks:
    """Each layer's mask permuted at random: the count of every layer stays, the places change."""
    return {
        name: mask.flatten()[torch.randperm(mask.numel(), generator=generator)].view(mask.shape)
        for name, mask in masks.items()
    }
