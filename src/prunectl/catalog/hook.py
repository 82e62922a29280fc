"""What the training loop shows to its hooks, and what a hook may do: look on, change masks, stop the training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn


@dataclass(frozen=True, kw_only=True, slots=True)
class Point:
    """One point of a training curve, at the end of an epoch or of the training."""

    step: int
    epoch: float
    lr: float
    train_loss: float
    test_loss: float
    top1: float
    train_top1: float | None = None
    """Over the training images of the epoch as they were seen: augmented, by the weights of that moment, in training
    mode. None in states of versions that did not count it.
    """


@dataclass(frozen=True, kw_only=True, slots=True)
class Means:
    """Means over training images as they were seen, of the loss that was minimized and of top-1 accuracy."""

    loss: float
    top1: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """What a training shows of itself while it goes on, for people: it is part of no result."""

    epoch: float
    """Epochs done, and the fraction of the one that goes on."""
    epochs: float
    """Those of the whole training, `epoch` at its end."""
    loss: float | None
    """The training loss over the images seen since the last point of the curve, else at that point."""
    top1: float | None
    """On the test images, at the last point of the curve."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Remaining:
    """How many prunable weights are kept after a change of masks, and how many steps were done by then."""

    step: int
    kept: int


class Trainee(Protocol):
    """A network in the course of training, as a hook sees it."""

    network: nn.Module
    optimizer: torch.optim.Optimizer
    step: int
    """How many optimizer steps are done."""
    curve: list[Point]
    remaining: list[Remaining]
    """One for each step at which masks were changed."""

    @property
    def masks(self) -> Mapping[str, Tensor]:
        """The masks in force, bool; True keeps. Weights without a mask are dense."""
        ...

    def remask(self, masks: Mapping[str, Tensor], *, grows: bool = False) -> None:
        """Put new masks in force: what is outside them is zero at once, and so is what the optimizer keeps of it.

        Raises ValueError if a weight would come back, without `grows`.
        """
        ...

    def take_means(self) -> Means:
        """What training showed over the images since it was last taken, or since the training began."""
        ...

    def loss_so_far(self) -> float | None:
        """The mean training loss over the images since means were last taken; None if there were none."""
        ...

    def dump(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Everything that the training needs to go on, hooks included, as tensors and plain numbers."""
        ...


class Hook:
    """Called by the training loop; every method does nothing unless a hook overrides it.

    The order of a training's hooks is: those that change masks, those that measure, last the one that saves and
    stops, so that a snapshot holds everything of its step. State that a training must go on with is in `dump`;
    wall time is not, and neither is the state of the global random generators: these are seeded in every step.
    Tensors of the network and the optimizer change in place and are not replaced: on a GPU, steps are replayed at the
    addresses that they were recorded with.
    """

    name: str = ""
    """Under which its state is saved; unique among the hooks of a training that have state."""

    def begin(self, trainee: Trainee) -> None:
        """Before the first step of a training that begins, never of one that is resumed."""

    def wants_gradients(self, step: int) -> bool:
        """Whether `gradients` is called in the step that follows `step` finished ones. Depends on the step alone."""
        return False

    def gradients(self, trainee: Trainee) -> bool:
        """After the backward pass, before gradients are masked. True: the optimizer makes no step of them."""
        return False

    def after(self, trainee: Trainee) -> None:
        """After every step."""

    def dump(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """What the hook needs to go on, as tensors and plain numbers."""
        return {}, {}

    def load(self, tensors: Mapping[str, Tensor], numbers: Mapping[str, Any]) -> None:
        """The inverse of `dump`."""


class Pruning(Hook):
    """A hook that changes the masks of a training; rounds build it. A training has at most one.

    After each change the number of weights kept is exactly what the rounds define, and what is outside the masks is
    zero (`Trainee.remask`). Whether weights may grow back is declared by the rounds (`Rounds.grows`).
    """

    name = "pruning"

    def __init__(self) -> None:
        self.tied = self.tied_pruned = 0
        """Scores that were tied at the cuts, and how many of these were pruned, over all changes so far."""

    def dump(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """The ties: everything else follows from the step, the masks and the weights."""
        return {}, {"tied": self.tied, "tied_pruned": self.tied_pruned}

    def load(self, tensors: Mapping[str, Tensor], numbers: Mapping[str, Any]) -> None:
        """The inverse of `dump`."""
        self.tied, self.tied_pruned = numbers["tied"], numbers["tied_pruned"]
