"""A network in the course of training, with its masks, its optimizer and its hooks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from prunectl.catalog.hook import Hook, Means, Point, Remaining
from prunectl.catalog.recipe import Recipe
from prunectl.training.device import make_capturable
from prunectl.training.pixels import Normalize, memory_format
from prunectl.training.source import Source
from prunectl.training.state import (
    HOOK,
    LOSS,
    MASK,
    RIGHT,
    load_network,
    load_optimizer,
    network_tensors,
    optimizer_tensors,
    portable,
    under,
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Material:
    """What is trained and tested on, and how pixels become numbers."""

    train: Source
    test: Source
    normalize: Normalize


@dataclass(frozen=True, kw_only=True, eq=False)
class Training:
    """What does not change during a training."""

    material: Material
    recipe: Recipe
    seed: int


@dataclass(kw_only=True, eq=False)
class Trainee:
    """A network in the course of training, with all that is needed to continue from here."""

    network: nn.Module
    optimizer: torch.optim.Optimizer
    training: Training
    hooks: Sequence[Hook] = ()
    factors: dict[str, Tensor] = field(default_factory=dict)
    """Of each masked parameter what its gradient is multiplied by, 1 or 0, in its own type and layout.

    All of them exist from the start and are changed in place, because a captured CUDA graph holds their addresses.
    """
    layout: torch.memory_format = torch.contiguous_format
    step: int = 0
    begun: bool = False
    """Whether the hooks' `begin` was called, here or before a resume."""
    remasked: bool = False
    """Whether the masks are no longer those that the training began with."""
    loss_sum: Tensor = field(default_factory=lambda: torch.zeros((), dtype=torch.float64))
    right: Tensor = field(default_factory=lambda: torch.zeros((), dtype=torch.float64))
    """Images in `loss_sum` that were classified right as they were seen; NaN where that was not counted."""
    seen: int = 0  # images in `loss_sum`, since the last point of the curve
    curve: list[Point] = field(default_factory=list)
    remaining: list[Remaining] = field(default_factory=list)
    """How many weights were kept after each change of masks; of several changes in one step, after the last."""

    @property
    def masks(self) -> dict[str, Tensor]:
        """The masks in force, bool; True keeps. Weights without a mask are dense."""
        return {name: factor != 0 for name, factor in self.factors.items()}

    @torch.no_grad()
    def remask(self, masks: Mapping[str, Tensor], *, grows: bool = False) -> None:
        """Put new masks in force; a layer that is not named keeps its mask.

        What is outside the masks is exactly zero at once, in the weights and in what the optimizer keeps of them.
        Raises ValueError, before anything changes, for a layer that was not masked from the start, for a mask of
        another shape, and for a weight that would come back without `grows`.
        """
        kept = {name: self._fitting(name, mask, grows) for name, mask in masks.items()}
        parameters = dict(self.network.named_parameters())
        for name, mask in kept.items():
            self.factors[name].copy_(mask)
            parameter, gone = parameters[name], ~mask
            parameter.masked_fill_(gone, 0.0)
            for value in self.optimizer.state.get(parameter, {}).values():
                if torch.is_tensor(value) and value.shape == gone.shape:
                    value.masked_fill_(gone, 0.0)
        self.remasked = True
        self._count()

    def _count(self) -> None:
        """Note how many weights are kept; biases and BatchNorm parameters, which channels take along, apart."""
        kept = sum(int(factor.count_nonzero()) for factor in self.factors.values() if factor.dim() > 1)
        earlier = [change for change in self.remaining if change.step != self.step]
        self.remaining = [*earlier, Remaining(step=self.step, kept=kept)]

    def take_means(self) -> Means:
        """What training showed over the images since it was last taken, or since the training began."""
        loss, right = (float(total) / self.seen for total in (self.loss_sum, self.right))
        self.loss_sum.zero_()
        self.right.zero_()
        self.seen = 0
        return Means(loss=loss, top1=None if math.isnan(right) else right)

    def loss_so_far(self) -> float | None:
        """The mean training loss over the images since means were last taken; None if there were none."""
        return float(self.loss_sum) / self.seen if self.seen else None

    def dump(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """The whole training: tensors (network, optimizer, running loss) and numbers (step, curve), and both of hooks.

        Masks, and how many weights they kept, are part of it only where they changed: `begin` is given those that the
        training began with.
        """
        tensors = network_tensors(self.network) | optimizer_tensors(self.network, self.optimizer)
        tensors |= {LOSS: portable(self.loss_sum), RIGHT: portable(self.right)}
        if self.remasked:
            tensors |= {MASK + name: portable(mask) for name, mask in self.masks.items()}
        numbers: dict[str, Any] = {
            "step": self.step,
            "seen": self.seen,
            "curve": [asdict(point) for point in self.curve],
        }
        if self.remasked:
            numbers["remaining"] = [asdict(change) for change in self.remaining]
        for hook in self.hooks:
            theirs, plain = hook.dump()
            if theirs or plain:
                if not hook.name:
                    raise ValueError(f"{type(hook).__name__} has state, and no name to save it under")
                tensors |= {f"{HOOK}{hook.name}/{name}": portable(tensor) for name, tensor in theirs.items()}
                numbers.setdefault("hooks", {})[hook.name] = plain
        return tensors, numbers

    def resume(self, tensors: Mapping[str, Tensor], numbers: Mapping[str, Any]) -> None:
        """Bring a freshly begun training to where `dump` saw it, bit for bit."""
        load_network(self.network, tensors)
        load_optimizer(self.network, self.optimizer, tensors)
        self.loss_sum.copy_(tensors[LOSS])
        self.step, self.seen = numbers["step"], numbers["seen"]
        if RIGHT in tensors:
            self.right.copy_(tensors[RIGHT])
        else:  # a state of an earlier version, which did not count
            self.right.fill_(math.nan if self.seen else 0.0)
        self.curve = [Point(**point) for point in numbers["curve"]]
        self.remaining = [Remaining(**change) for change in numbers.get("remaining", ())]
        masks = under(MASK, tensors)
        for name, mask in masks.items():
            self.factors[name].copy_(mask)
        self.remasked, self.begun = bool(masks), True
        for hook in self.hooks:
            if hook.name:
                plain = numbers.get("hooks", {}).get(hook.name, {})
                hook.load(under(f"{HOOK}{hook.name}/", tensors), plain)

    def _fitting(self, name: str, mask: Tensor, grows: bool) -> Tensor:
        """A new mask on the device of its factors, if it may replace the one in force."""
        if name not in self.factors:
            raise ValueError(f"{name} has no mask to change: every layer that is pruned in training begins with one")
        factor = self.factors[name]
        if mask.shape != factor.shape:
            raise ValueError(f"a mask of shape {tuple(mask.shape)} does not fit {name}, {tuple(factor.shape)}")
        kept = mask.to(factor.device, torch.bool)
        if not grows and bool((kept & (factor == 0)).any()):
            raise ValueError(f"pruned weights of {name} would come back, and this change of masks may only prune")
        return kept


def begin(
    network: nn.Module,
    training: Training,
    *,
    masks: Mapping[str, Tensor] | None = None,
    hooks: Sequence[Hook] = (),
    step: int = 0,
) -> Trainee:
    """A network at the beginning of a training (or at `step` of it), in its layout, with a fresh optimizer.

    Weights outside the masks are zeroed. The hooks are called in their order: see `catalog/hook.py`. Raises ValueError
    for a mask that is of no parameter of the network, and for two hooks of one name.
    """
    layout = memory_format(network)
    network.to(memory_format=layout)
    parameters = dict(network.named_parameters())
    if unknown := (masks or {}).keys() - parameters.keys():
        raise ValueError(f"the network has no parameter {', '.join(sorted(unknown))} to mask")
    names = [hook.name for hook in hooks if hook.name]
    if len(set(names)) < len(names):
        raise ValueError(f"two hooks of one name: {', '.join(sorted(names))}")
    device = next(iter(parameters.values())).device
    return Trainee(
        network=network,
        optimizer=_optimizer(training.recipe, list(parameters.values()), device),
        training=training,
        hooks=tuple(hooks),
        factors={name: _factor(parameters[name], mask) for name, mask in (masks or {}).items()},
        layout=layout,
        step=step,
        loss_sum=torch.zeros((), dtype=torch.float64, device=device),
        right=torch.zeros((), dtype=torch.float64, device=device),
    )


def _optimizer(recipe: Recipe, parameters: list[nn.Parameter], device: torch.device) -> torch.optim.Optimizer:
    """A fresh optimizer of the recipe, whose steps a GPU can record if it declares that."""
    optimizer = recipe.optimizer.build(parameters, lr=recipe.lr, weight_decay=recipe.weight_decay)
    if device.type == "cuda" and recipe.optimizer.capturable:
        make_capturable(optimizer, device)
    return optimizer


@torch.no_grad()
def _factor(parameter: nn.Parameter, mask: Tensor) -> Tensor:
    """A mask as numbers in the layout of its parameter, whose pruned weights are zeroed here."""
    factor = mask.to(parameter.device, parameter.dtype)
    if parameter.dim() == 4 and not parameter.is_contiguous():
        factor = factor.contiguous(memory_format=torch.channels_last)
    parameter.masked_fill_(factor == 0, 0.0)
    # A copy, so that changes in place never reach the caller's mask.
    return factor.clone() if factor is mask else factor
