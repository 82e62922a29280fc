"""Sharing out a number of kept weights among layers that can neither keep more than they have nor less than they must.

Pure numbers, no torch.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from prunectl.base.errors import MethodError
from prunectl.catalog.scope import Groups, Shapes, removed


def spread(
    shares: Mapping[str, float],
    shapes: Shapes,
    sparsity: float,
    gone: Mapping[str, int],
    *,
    least: Mapping[str, int] | None = None,
) -> Groups:
    """A group per layer: the weights that are kept are shared out in proportion to `shares`.

    A layer keeps at most what it has left and at least `least`; where its share lies beyond, it stays at the
    bound and the others are solved for again, until all fit. Then whole numbers: exactly round(sparsity · n) go.
    """
    sizes = {name: math.prod(shapes[name]) for name in shares}
    left = {name: sizes[name] - gone.get(name, 0) for name in shares}
    floor = {name: min((least or {}).get(name, 0), left[name]) for name in shares}
    target = removed(shapes, sparsity)
    if not sum(sizes.values()) - sum(left.values()) <= target <= sum(sizes.values()) - sum(floor.values()):
        raise MethodError(
            f"this scope leaves between {sum(floor.values()):,} and {sum(left.values()):,} of "
            f"{sum(sizes.values()):,} weights here; a sparsity of {sparsity:.6g} would leave "
            f"{sum(sizes.values()) - target:,}"
        )
    kept = fill(list(shares.values()), (1 - sparsity) * sum(sizes.values()), list(floor.values()), list(left.values()))
    counts = apportion(
        [size - keep for size, keep in zip(sizes.values(), kept, strict=True)],
        target,
        low=[sizes[name] - left[name] for name in shares],
        high=[sizes[name] - floor[name] for name in shares],
    )
    return [((name,), count) for name, count in zip(shares, counts, strict=True)]


def fill(shares: Sequence[float], total: float, low: Sequence[float], high: Sequence[float]) -> list[float]:
    """x_i = min(max(λ · share_i, low_i), high_i) with the λ at which they add up to `total`, as near as bounds allow.

    The sum grows with λ and is linear between the points where a bound begins or ends to hold.
    """

    def at(level: float) -> list[float]:
        return [min(max(level * share, lo), hi) for share, lo, hi in zip(shares, low, high, strict=True)]

    points = sorted({bound / share for share, lo, hi in zip(shares, low, high, strict=True) for bound in (lo, hi)})
    above = next((i for i, point in enumerate(points) if math.fsum(at(point)) >= total), len(points) - 1)
    if above == 0:
        return at(points[0])
    below = points[above - 1]
    rising, fixed = 0.0, 0.0
    for share, lo, hi, value in zip(shares, low, high, at((below + points[above]) / 2), strict=True):
        if lo < value < hi:
            rising += share
        else:
            fixed += value
    return at(min((total - fixed) / rising, points[above]) if rising else points[above])


def apportion(quotas: Sequence[float], total: int, low: Sequence[int], high: Sequence[int]) -> list[int]:
    """Whole numbers near the quotas, within [low, high], that add up to `total` (largest remainders first).

    Raises ValueError if the bounds leave no such numbers.
    """
    if not sum(low) <= total <= sum(high):
        raise ValueError(f"{total} cannot be spread within {sum(low)} and {sum(high)}")
    counts = [min(max(math.floor(quota), lo), hi) for quota, lo, hi in zip(quotas, low, high, strict=True)]
    while (short := total - sum(counts)) != 0:
        sign = 1 if short > 0 else -1
        bound = high if short > 0 else low
        open_ = [i for i in range(len(counts)) if counts[i] != bound[i]]
        open_.sort(key=lambda i: sign * (counts[i] - quotas[i]))  # the furthest from its quota first; stable
        for i in open_[: abs(short)]:
            counts[i] += sign
    return counts
