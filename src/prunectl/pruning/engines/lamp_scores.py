"""LAMP scores (Lee et al. 2021, eq. 4), for the criterion and for the allocation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor


def lamp_scores(weight: Tensor) -> Tensor:
    """w² / Σ v² over the |v| ≥ |w| of the same layer, in float64, shaped as the weight; 0 where w is 0.

    Weights of equal magnitude have equal scores: each of them is in the sum of the others.
    """
    squares = weight.detach().double().reshape(-1).square()
    ascending, order = squares.sort()
    above = ascending.flip(0).cumsum(0).flip(0)
    first = torch.searchsorted(ascending, ascending, side="left")  # where each run of equal squares begins
    scores = torch.where(ascending > 0, ascending / above[first], 0.0)
    return torch.empty_like(squares).index_copy_(0, order, scores).view(weight.shape)


def lowest_per_layer(scores: Sequence[Tensor], k: int) -> tuple[list[int], list[int]]:
    """Of the k lowest scores of all layers: how many of each layer lie below the k-th, and how many are equal to it."""
    layers = [layer.cpu().numpy().reshape(-1) for layer in scores]
    cut = np.partition(np.concatenate(layers), k - 1)[k - 1]
    below = [int(np.count_nonzero(layer < cut)) for layer in layers]
    return below, [int(np.count_nonzero(layer == cut)) for layer in layers]
