"""What every network declares without torch, and how it is built."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from prunectl.catalog.entry import Entry
from prunectl.catalog.required import required

if TYPE_CHECKING:
    from torch import nn


class Model(Entry):
    """A network for image classification. Its parameters are the options in which papers differ."""

    smallest: ClassVar[int] = 1
    """The least height and width of an image that the network can take."""

    @classmethod
    def dispensable(cls) -> frozenset[str]:
        """`_network`, where `build` is overridden."""
        return frozenset() if cls.build is Model.build else frozenset({"_network"})

    def refusal(self, shape: tuple[int, int, int]) -> str | None:
        """Why the network cannot take images of `shape` (C, H, W), or None if it can. Needs no torch."""
        if min(shape[1:]) >= self.smallest:
            return None
        return f"{self.name} needs images of at least {self.smallest}x{self.smallest} pixels, not {shape[1]}x{shape[2]}"

    def build(self, shape: tuple[int, int, int], classes: int) -> nn.Module:
        """The network for images of `shape` (C, H, W), giving `classes` logits; its weights are drawn elsewhere.

        Activations and pooling are modules, not functions, and none works in place: measures of connectivity
        replace them by type. The layer that gives the logits is called `head`, so that a study can exclude it.
        Raises ValueError where `refusal` gives a reason.
        """
        reason = self.refusal(shape)
        if reason:
            raise ValueError(reason)
        return self._network(shape, classes)

    @required
    def _network(self, shape: tuple[int, int, int], classes: int) -> nn.Module:
        raise NotImplementedError
