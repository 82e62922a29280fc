"""Blocks of the inverse of the empirical Fisher matrix, for optimal brain surgeon (Singh and Alistarh 2020).

F̂ = damp · I + (1/m) Σ g gᵀ over the gradients g of m single images, in blocks of consecutive weights of a layer. No
inverse is kept: for each weight its score needs a diagonal, and its update one product with a vector.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from prunectl.base.text import size
from prunectl.catalog.criterion import Subject
from prunectl.pruning.engines.curvature import image_gradients
from prunectl.pruning.engines.memory import memory_bytes

NUMBERS = 1 << 24
"""Numbers in float64 that are worked on together: an eighth of a gibibyte."""


@dataclass(frozen=True, kw_only=True)
class BlockFisher:
    """How F̂ is estimated."""

    samples: int
    block: int
    damp: float
    memory: int
    """Bytes for the gradients of the layers that are taken together; a single layer may need more."""
    chunk: int
    """Images that are in memory together."""


OfBlocks = Callable[[str, slice, Tensor], Tensor]
"""From a layer, consecutive weights of it and their inverses (blocks, block, block) to (blocks, block) numbers."""


def by_blocks(subject: Subject, fisher: BlockFisher, of_blocks: OfBlocks) -> dict[str, Tensor]:
    """What `of_blocks` gives for all weights, by name and in their shape, float64."""
    results = {}
    for names in layer_groups(subject.weights, fisher.samples, fisher.memory):
        gradients = _gradients(subject, names, fisher)
        for name in names:
            parts = [of_blocks(name, place, inverse) for place, inverse in _inverses(gradients.pop(name), fisher)]
            results[name] = torch.cat([part.flatten() for part in parts]).view(subject.weights[name].shape)
    return results


def scores(subject: Subject, fisher: BlockFisher) -> dict[str, Tensor]:
    """w² / (2 [F̂⁻¹]_qq)."""

    def of_blocks(name: str, place: slice, inverse: Tensor) -> Tensor:
        diagonal = inverse.diagonal(dim1=1, dim2=2)
        weights = subject.weights[name].detach().flatten()[place].double().view_as(diagonal)
        return weights.square() / (2 * diagonal)

    return by_blocks(subject, fisher, of_blocks)


def updated(subject: Subject, masks: Mapping[str, Tensor], fisher: BlockFisher) -> dict[str, Tensor]:
    """w − Σ over the newly pruned q of w_q F̂⁻¹e_q / [F̂⁻¹]_qq."""
    lost = {name: (subject.masks[name] & ~masks[name]).flatten() for name in subject.weights}

    def of_blocks(name: str, place: slice, inverse: Tensor) -> Tensor:
        diagonal = inverse.diagonal(dim1=1, dim2=2)
        weights = subject.weights[name].detach().flatten()[place].double().view_as(diagonal)
        going = lost[name][place].to(weights.device).view_as(diagonal)
        change = inverse @ (weights / diagonal).masked_fill(~going, 0.0)[..., None]
        return weights - change[..., 0]

    results = by_blocks(subject, fisher, of_blocks)
    return {name: results[name].to(weight.dtype) for name, weight in subject.weights.items()}


def layer_groups(weights: Mapping[str, Tensor], samples: int, memory: int) -> list[list[str]]:
    """Layers whose gradients fit the memory together, in their order; a layer that is larger is alone."""
    groups: list[list[str]] = []
    left = 0
    for name, weight in weights.items():
        needed = samples * weight.numel() * weight.element_size()
        if not groups or needed > left:
            groups.append([])
            left = memory
        groups[-1].append(name)
        left -= needed
    return groups


def too_large(criterion: str, weights: Mapping[str, Tensor], samples: int, memory: int) -> Iterator[str]:
    """One sentence if the gradients of some group of layers need more memory than there is, with the estimate."""
    weight = next(iter(weights.values()))
    available = memory_bytes(weight.device)
    for names in layer_groups(weights, samples, memory):
        count = sum(weights[name].numel() for name in names)
        needed = samples * count * weight.element_size()
        if needed > available:
            layers = ", ".join(name.removesuffix(".weight") for name in names)
            yield (
                f"{criterion} needs {size(needed)} for {samples:,} gradients of the {count:,} weights of {layers}, and "
                f"{weight.device.type} memory is {size(available)}: give it fewer samples"
                + (" or less memory" if len(names) > 1 else "")
            )
            return


def _gradients(subject: Subject, names: Sequence[str], fisher: BlockFisher) -> dict[str, Tensor]:
    """(samples, n) for each layer, with zeros where weights are gone already."""
    images = torch.cat([batch for batch, _ in subject.batches])[: fisher.samples]
    labels = torch.cat([targets for _, targets in subject.batches])[: fisher.samples]
    stored = {name: subject.weights[name].new_empty(len(images), subject.weights[name].numel()) for name in names}
    start = 0
    for gradients in image_gradients(subject, names, images, labels, fisher.chunk):
        count = 0
        for name, gradient in gradients.items():
            count = len(gradient)
            alive = subject.masks[name].to(gradient.device)
            stored[name][start : start + count] = gradient.masked_fill_(~alive, 0.0).flatten(1)
        start += count
    return {name: gradients.detach() for name, gradients in stored.items()}


def _inverses(gradients: Tensor, fisher: BlockFisher) -> Iterator[tuple[slice, Tensor]]:
    """Runs of consecutive weights with the inverses of their blocks (blocks, block, block), float64.

    The last block of a layer may be smaller than the others.
    """
    n, whole = gradients.shape[1], gradients.shape[1] // fisher.block * fisher.block
    several = max(1, NUMBERS // (fisher.block * max(fisher.block, len(gradients)))) * fisher.block
    runs = [(slice(start, min(start + several, whole)), fisher.block) for start in range(0, whole, several)]
    if whole < n:
        runs.append((slice(whole, n), n - whole))
    for place, block in runs:
        columns = gradients[:, place].double().view(len(gradients), -1, block).transpose(0, 1)
        matrix = columns.transpose(1, 2) @ columns / len(gradients)
        matrix.diagonal(dim1=1, dim2=2).add_(fisher.damp)
        yield place, torch.cholesky_inverse(torch.linalg.cholesky(matrix))
