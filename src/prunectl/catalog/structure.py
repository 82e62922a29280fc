"""What every structure declares: what is removed, single weights or several at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, ClassVar, Protocol

from prunectl.catalog.entry import Entry
from prunectl.catalog.masks import Masks, Pruned
from prunectl.catalog.required import required
from prunectl.catalog.scope import Scope

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from prunectl.catalog.criterion import Scores


class Units(Protocol):
    """What of one network can be removed."""

    def prune(
        self,
        scores: Scores,
        scope: Scope,
        sparsity: float,
        *,
        generator: torch.Generator,
        before: Masks | None = None,
        invert: bool = False,
        weights: Mapping[str, Tensor] | None = None,
    ) -> Pruned:
        """The masks at `sparsity`, those of `before` gone among them; ties are drawn from `generator`.

        The lowest scores go, or with `invert` the highest. `weights` are given where the scope looks at them.
        Raises MethodError for scores that are not finite and for a sparsity that cannot be reached.
        """
        ...

    def shuffle(self, masks: Masks, generator: torch.Generator) -> Masks:
        """Each layer's mask permuted: what a layer keeps is as much as before, the places change."""
        ...


class Structure(Entry):
    """An entry of the structures."""

    exact: ClassVar[bool] = True
    """Whether exactly round(sparsity · n) weights can go. Else the nearest number is taken."""
    any_sparsity: ClassVar[bool] = True
    """Whether it can reach every sparsity. Else `refusal` gives its reason for each one it cannot."""
    any_mask: ClassVar[bool] = False
    """Whether every choice of weights is a mask that it could give: then masks can be permuted over the network."""

    def refusal(self, scope: Scope, sparsity: float | None = None) -> str | None:
        """Why it does not go with a scope (or, if given, with a sparsity), or None if it does."""
        return None

    def check(self, network: nn.Module, weights: Mapping[str, Tensor], shape: tuple[int, int, int]) -> Iterator[str]:
        """Why this network cannot be pruned so: one sentence for each reason, with what to write instead.

        `weights` are the prunable ones by name, `shape` (C, H, W) is that of the images. Nothing is computed with
        either, so that it can be asked before the first training.
        """
        return iter(())

    @required
    def units(self, network: nn.Module, shape: tuple[int, int, int]) -> Units:
        """What of a network can be removed; `shape` (C, H, W) is that of its images."""
        raise NotImplementedError
