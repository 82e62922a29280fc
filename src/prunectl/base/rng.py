"""Stateless randomness: every draw comes from a new generator, seeded by what the draw is for.

So the data order of epoch 57 does not depend on the epochs before it, and adding a trial to a study changes no other.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def seed_of(seed: int, purpose: str, *counters: int) -> int:
    """A 63-bit seed for one purpose ('init', 'order', 'augment', ...) at one place (epoch, step)."""
    text = ":".join([str(seed), purpose, *map(str, counters)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def generator(seed: int, purpose: str, *counters: int) -> torch.Generator:
    """A CPU generator for one purpose. Draws are made on the CPU everywhere, so that devices agree on them."""
    import torch

    return torch.Generator().manual_seed(seed_of(seed, purpose, *counters))
