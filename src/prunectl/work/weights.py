"""Weights from a file: read, checked against the network, and loaded into it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor, nn

from prunectl.base.errors import nearest
from prunectl.base.text import visible
from prunectl.models.fitting import load_fitting, other_head
from prunectl.models.weights_file import PART, WeightsError, checked, pickled, unpickled

INSIDE = ("state_dict", "model", "model_state_dict")
"""Where checkpoints have the state_dict of the network."""
SHOWN = 5
"""Most names that a message lists."""
COUNTER = "num_batches_tracked"
"""A statistic of BatchNorm that many files leave out; it begins at 0 then."""


def read_weights(path: Path, digest: str) -> dict[str, Tensor]:
    """The tensors of a file that must have this digest. Raises WeightsError.

    A file of `torch.save` is read by a reader that builds tensors and runs nothing else.
    """
    content = checked(path, digest)
    if pickled(content[:9]):
        return _unpickled(content, path)
    try:
        return load(content)
    except SafetensorError as error:
        raise WeightsError(f"{visible(str(path))} is not a safetensors file: {error}") from None


def _unpickled(content: bytes, path: Path) -> dict[str, Tensor]:
    """The tensors of a state_dict, or of one inside of a checkpoint."""
    read = unpickled(content, path)
    inner = next((read[key] for key in INSIDE if isinstance(read, dict) and isinstance(read.get(key), dict)), read)
    if not isinstance(inner, dict) or not inner or not all(isinstance(kept, Tensor) for kept in inner.values()):
        raise WeightsError(f"{visible(str(path))} holds no state_dict: names with tensors", hint=PART)
    return {str(name): kept for name, kept in inner.items()}


def load_weights(network: nn.Module, tensors: Mapping[str, Tensor], classes: int) -> None:
    """Put every parameter and statistic into a network that they fit: see `misfits`. Other types are converted.

    The head stays as it is where theirs has another number of classes.
    """
    missing = {name: kept for name, kept in network.state_dict().items() if name not in tensors}
    load_fitting(network, {**tensors, **missing}, classes)


def misfits(network: nn.Module, tensors: Mapping[str, Tensor], classes: int) -> Iterator[str]:
    """Why tensors cannot be loaded into a network: names that are missing or not expected, shapes, types, NaN.

    The head alone may have another number of classes.
    """
    head = other_head(network, tensors, classes)
    wanted = network.state_dict()
    missing = [name for name in wanted if name not in tensors and name.rpartition(".")[2] != COUNTER]
    unexpected = [name for name in tensors if name not in wanted]
    both = [name for name in wanted if name in tensors]
    if missing:
        yield f"it has no {_names(missing, unexpected)}"
    if unexpected:
        yield f"it has {_names(unexpected, missing)}, which the network has not"
    shapes = [name for name in both if tensors[name].shape != wanted[name].shape and name not in head]
    if shapes:
        first = shapes[0]
        yield f"{first} has the shape {_shape(tensors[first])}, not {_shape(wanted[first])}{_more(shapes)}"
    types = [name for name in both if tensors[name].is_floating_point() != wanted[name].is_floating_point()]
    if types:
        yield f"{types[0]} is of type {tensors[types[0]].dtype}, not {wanted[types[0]].dtype}{_more(types)}"
    infinite = [name for name in both if not bool(tensors[name].isfinite().all())]
    if infinite:
        yield f"{infinite[0]} holds numbers that are not finite{_more(infinite)}"


def _names(names: Sequence[str], others: Sequence[str]) -> str:
    """Names in a row, the first with the nearest of the others: what was probably meant."""
    close = nearest(names[0], others)
    meant = "" if close is None else f" (but {visible(close)})"
    return ", ".join([visible(names[0]) + meant, *map(visible, names[1:SHOWN])]) + (
        f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    )


def _shape(tensor: Tensor) -> str:
    return "x".join(map(str, tensor.shape)) or "of one number"


def _more(names: Sequence[str]) -> str:
    return f" (and {len(names) - 1} more)" if len(names) > 1 else ""
