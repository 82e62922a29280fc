"""In how many rounds a sparsity is reached, and what each round leaves. Pure numbers, no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True, slots=True)
class Rounds:
    """`count` rounds of scoring and pruning, without training between them."""

    kind: Literal["one-shot", "exponential", "linear"] = "one-shot"
    count: int = 1


def sparsities(rounds: Rounds, target: float) -> list[float]:
    """The sparsity after each round, ascending; the last is exactly `target`.

    Exponential: density keep^(k/count) after round k (Tanaka et al. 2020, Algorithm 1). Linear: target·k/count.
    Every value is counted from the target, so that rounding does not drift.
    """
    if not 0 <= target < 1:
        raise ValueError(f"a sparsity lies in [0, 1), not {target}")
    shares = [k / rounds.count for k in range(1, rounds.count)]
    if rounds.kind == "exponential":
        return [1 - (1 - target) ** share for share in shares] + [target]
    return [target * share for share in shares] + [target]
