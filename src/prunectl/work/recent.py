"""What this process keeps because a next step is likely to need it: the entries used last. Without torch."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Recent(OrderedDict[K, V]):
    """Values by key, from the one used least recently on; at most `most` of them are kept."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most

    def get_or_make(self, key: K, make: Callable[[], V]) -> V:
        """The value of a key, made if it is not kept. Raises what `make` raises, and keeps nothing then."""
        if key not in self:
            self[key] = make()
            while len(self) > self.most:
                self.popitem(last=False)
        self.move_to_end(key)
        return self[key]
