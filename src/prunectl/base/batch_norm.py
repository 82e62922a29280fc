"""BatchNorm layers of a network: which they are, and their running statistics. torch is imported when called."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, TypeGuard

if TYPE_CHECKING:
    from torch import Tensor, nn

    BatchNorm = nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d


def is_batch_norm(module: nn.Module) -> TypeGuard[BatchNorm]:
    """Whether a module is a BatchNorm layer of one, two or three dimensions."""
    from torch import nn

    return isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d)


def batch_norms(network: nn.Module) -> list[BatchNorm]:
    """The BatchNorm layers of a network, in its order."""
    return [module for module in network.modules() if is_batch_norm(module)]


def neutralize(network: nn.Module) -> None:
    """Set mean 0 and variance 1 in every BatchNorm, in place: it then only scales and shifts by its parameters."""
    for norm in batch_norms(network):
        if norm.running_mean is not None and norm.running_var is not None:
            norm.running_mean.zero_()
            norm.running_var.fill_(1.0)


def is_fresh(norm: BatchNorm) -> bool:
    """Whether a BatchNorm has running statistics, and they are those it was built with."""
    mean, variance = norm.running_mean, norm.running_var
    if mean is None or variance is None or norm.num_batches_tracked is None:
        return False
    return not norm.num_batches_tracked and not mean.any() and bool((variance == 1).all())


def measure_fresh(network: nn.Module, batches: Sequence[Tensor]) -> None:
    """Give every BatchNorm that has never seen a batch the average statistics of these, in place.

    Before that its running mean and variance are 0 and 1, which describe no data: in evaluation, each residual block
    would double the signal, and the prediction of a deep network would be 0 and 1 exactly.
    """
    if norms := [norm for norm in batch_norms(network) if is_fresh(norm)]:
        measure(network, norms, batches)


def measure(network: nn.Module, norms: Sequence[BatchNorm], batches: Iterable[Tensor]) -> None:
    """Set the running mean and variance of these layers to the average over batches of images, in place.

    Each batch (N, C, H, W) counts as often as it has images. No weight changes, and all other modules keep their
    mode; the layers measured are in evaluation afterwards.
    """
    import torch

    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.train()
    seen = 0
    with torch.no_grad():
        for images in batches:
            seen += len(images)
            for norm in norms:
                norm.momentum = len(images) / seen  # an average over the images so far
            network(images)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.eval().momentum = momentum
