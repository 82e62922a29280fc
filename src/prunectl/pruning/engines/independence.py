"""Whether the images of a batch change each other's outputs, as BatchNorm without running statistics makes them."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn

from prunectl.base.batch_norm import batch_norms
from prunectl.base.errors import MethodError
from prunectl.base.rng import generator
from prunectl.pruning.engines.forward_hooks import hooked

IMAGES = 4
"""In a batch: the first stays, the others are replaced."""

TOLERANCE = 1e-4
"""The relative difference between two outputs that computing in another order may leave."""

REMEDY = "give the layer running statistics (track_running_stats=True), or choose a criterion that scores whole batches"


def refuse_dependence(criterion: str, network: nn.Module, shape: tuple[int, int, int]) -> None:
    """Raise MethodError for a network in which no image has derivatives of its own, naming the layer.

    There the scores of a criterion that looks at single images would depend on which images are in memory together.
    """
    layer = dependent(network, shape)
    if layer is not None:
        raise MethodError(
            f"{criterion} looks at single images, and in evaluation {layer} makes the images of a batch depend on "
            "each other"
        )


def dependent(network: nn.Module, shape: tuple[int, int, int]) -> str | None:
    """The first layer, with its type, whose output for an image changes with the rest of the batch in evaluation."""
    twin = copy.deepcopy(network).eval()
    for norm in batch_norms(twin):
        norm.eval()
    parameter = next(twin.parameters())
    draws = torch.randn((2 * IMAGES, *shape), generator=generator(0, "independence"))
    first, others = draws.to(parameter.device, parameter.dtype).chunk(2)
    before, after = _outputs(twin, first), _outputs(twin, torch.cat([first[:1], 3 * others[1:] + 1]))
    names = {module: name for name, module in twin.named_modules()}
    for (module, output), (_, changed) in zip(before, after, strict=False):
        if not _alike(output, changed):
            kind = type(module).__name__
            return f"{names[module]} ({kind})" if names[module] else f"the network ({kind})"
    return None


def _outputs(network: nn.Module, images: Tensor) -> list[tuple[nn.Module, Tensor]]:
    """What each module gave for the first image, in the order in which they finished."""
    noted: list[tuple[nn.Module, Tensor]] = []

    def note(module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        if isinstance(output, Tensor) and output.dim() and len(output) % len(images) == 0:
            noted.append((module, output[: len(output) // len(images)].clone()))

    with torch.no_grad(), torch.random.fork_rng(devices=[]), hooked(dict.fromkeys(network.modules(), note)):
        torch.manual_seed(0)  # a network that draws, draws alike
        network(images)
    return noted


def _alike(first: Tensor, other: Tensor) -> bool:
    if first.shape != other.shape:
        return False
    if not first.is_floating_point():
        return torch.equal(first, other)
    scale = float(first.abs().max()) if first.numel() else 0.0
    return torch.allclose(first, other, rtol=TOLERANCE, atol=TOLERANCE * min(scale, 1.0), equal_nan=True)
