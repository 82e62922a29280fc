"""What a sparsity is a fraction of: the prunable weights, or all parameters (Blalock et al. 2020, ShrinkBench)."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from prunectl.base.errors import MethodError
from prunectl.catalog.values import Denominator


def of_prunable(sparsity: float, of: Denominator, network: nn.Module, prunable: Mapping[str, Tensor]) -> float:
    """A sparsity as the fraction of the prunable weights, 0 to below 1, that is gone.

    Of all N parameters it is round(sparsity · N) that go, and only prunable ones. Raises MethodError, with the highest
    sparsity that can be reached, where that would leave none of them.
    """
    if of == "prunable":
        return sparsity
    total = number_of_parameters(network)
    count = sum(weight.numel() for weight in prunable.values())
    gone = round(sparsity * total)
    if gone >= count:
        raise MethodError(unreachable(sparsity, total=total, prunable=count))
    return gone / count


def number_of_parameters(network: nn.Module) -> int:
    """All of them, whether they may be pruned or not; shared ones count once."""
    return sum(parameter.numel() for parameter in network.parameters())


def unreachable(sparsity: float, *, total: int, prunable: int) -> str:
    """Why a sparsity of all parameters cannot be reached, and the highest that can."""
    most = (prunable - 1) / total
    return (
        f"a sparsity of {sparsity:.6g} (compression {1 / (1 - sparsity):.4g}) of all {total:,} parameters would leave "
        f"none of the {prunable:,} weights that may be pruned; the highest that can be reached is {floored(most)} "
        f"(compression {floored(1 / (1 - most))})"
    )


def floored(value: float) -> str:
    """Rounded down to four decimals, so that what is shown can be asked for."""
    return f"{int(value * 10_000) / 10_000:.10g}"
