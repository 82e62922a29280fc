"""Weights that fit a network, but for a head of another number of classes."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from prunectl.base.text import visible


def other_head(network: nn.Module, tensors: Mapping[str, Tensor], classes: int) -> dict[str, int]:
    """The parameters of the head that tensors hold for another number of classes, each with that number.

    The head is the last layer of a network with as many outputs as there are classes. Only that number may differ.
    """
    wanted = network.state_dict()
    heads = [
        name
        for name, module in network.named_modules()
        if isinstance(module, nn.Linear | nn.Conv2d) and module.weight.shape[0] == classes
    ]
    names = [f"{head}.{part}" for head in heads[-1:] for part in ("weight", "bias")]
    return {
        name: tensors[name].shape[0]
        for name in names
        if name in tensors
        and name in wanted
        and tensors[name].dim() == wanted[name].dim()
        and tensors[name].shape[0] != wanted[name].shape[0]
        and tensors[name].shape[1:] == wanted[name].shape[1:]
    }


def load_fitting(network: nn.Module, tensors: Mapping[str, Tensor], classes: int) -> None:
    """Load tensors into a network, in place; its own head stays where theirs has another number of classes.

    Raises RuntimeError, with names and shapes, for tensors that do not fit otherwise.
    """
    head = other_head(network, tensors, classes)
    own = {name: kept for name, kept in network.state_dict().items() if name in head}
    network.load_state_dict({**tensors, **own})


def note_on_head(head: Mapping[str, int], file: str, classes: int) -> str | None:
    """What to report about a head that is drawn again, or None."""
    if not head:
        return None
    name, theirs = next(iter(head.items()))
    return (
        f"note: {visible(file)} has a head for {theirs:,} classes ({visible(name.rpartition('.')[0])}), and the data "
        f"have {classes:,}: the head is drawn again, everything else is loaded"
    )
