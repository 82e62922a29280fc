"""What every ablation declares: what is broken on purpose, to see whether it mattered."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from prunectl.catalog.entry import Entry
from prunectl.catalog.required import required
from prunectl.catalog.structure import Structure, Units

if TYPE_CHECKING:
    import torch

    from prunectl.catalog.masks import Masks


class Ablation(Entry):
    """An entry of the ablations. It is a leaf: what later levels start from is not ablated, unless it ranks."""

    changes: ClassVar[Literal["nothing", "mask", "weights", "ranking"]]
    """What it changes: the mask after pruning (see `masks`), the weights (drawn again from the same distribution),
    or the ranking (reversed: the highest scores go)."""
    noun: ClassVar[str]
    """What the report calls it: 'shuffling'."""
    verb: ClassVar[str]
    """How the report calls what was changed: 'shuffled'."""

    @classmethod
    def dispensable(cls) -> frozenset[str]:
        """`masks`, unless `changes` is "mask"."""
        return frozenset() if getattr(cls, "changes", "mask") == "mask" else frozenset({"masks"})

    def refusal(self, structure: Structure) -> str | None:
        """Why it does not go with a structure, or None if it does."""
        return None

    @required
    def masks(self, masks: Masks, units: Units, generator: torch.Generator) -> Masks:
        """The changed masks; only where `changes` is "mask"."""
        raise NotImplementedError
