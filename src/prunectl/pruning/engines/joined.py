"""Channels that live and die together, joined one pair at a time."""

from __future__ import annotations

from collections.abc import Sequence

Ids = list[int]
"""Channels, numbered in the order in which they were made."""


class Joined:
    """Channels, joined into sets (union-find)."""

    def __init__(self) -> None:
        self.parent: Ids = []

    def fresh(self, count: int) -> Ids:
        """New channels, each in a set of its own."""
        start = len(self.parent)
        self.parent += range(start, start + count)
        return self.parent[start:]

    def root(self, channel: int) -> int:
        """The channel that names the set."""
        while self.parent[channel] != channel:
            self.parent[channel] = channel = self.parent[self.parent[channel]]
        return channel

    def join(self, left: Sequence[int], right: Sequence[int]) -> None:
        """Make one set of every pair of channels."""
        for first, second in zip(left, right, strict=True):
            self.parent[self.root(second)] = self.root(first)
