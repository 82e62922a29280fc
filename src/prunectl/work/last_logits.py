"""What the network that this worker trained last answered to the test images.

A training ends with a test, and a measurement of the same network is mostly the next step of the same worker. The
logits are the same to the last bit, so it takes them from here and passes the images through the network only if they
are not here: another worker trained it, or another training came between.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from prunectl.plan.steps import Data, Key


@dataclass(frozen=True, kw_only=True)
class LastTest:
    """All that the logits of a test depend on."""

    state: Key
    mask: Key | None
    data: Data
    device: torch.device


_LAST: dict[LastTest, Sequence[Tensor]] = {}


def keep(test: LastTest, logits: Sequence[Tensor]) -> None:
    """Keep the logits of a test, (n, classes) for each batch of it, in place of those kept before."""
    _LAST.clear()
    if logits:
        _LAST[test] = logits


def kept(test: LastTest) -> Sequence[Tensor] | None:
    """The logits of a test, if they are kept."""
    return _LAST.get(test)
