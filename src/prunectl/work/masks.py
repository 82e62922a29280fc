"""Mask artefacts: packed bits with their shapes, and what they leave of each layer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor, nn

from prunectl.base.keys import canonical
from prunectl.base.operations import UncountedError
from prunectl.catalog.masks import Masks, Pruned
from prunectl.plan.steps import Network
from prunectl.pruning.denominator import number_of_parameters
from prunectl.pruning.engines.paths import effective
from prunectl.pruning.mask import of_weights, pack, unpack
from prunectl.store import layout
from prunectl.work.networks import empty
from prunectl.work.tensors import read_json, write_json

SHAPES = "shapes"
"""The one key of metadata in a file of masks. The order of several would differ from run to run."""


def write_masks(out: Path, pruned: Pruned, network: Network, seed: int, **info: Any) -> None:
    """A mask artefact: packed bits, and what they leave of each layer, counted here once for all that follows.

    `n_params` and `n_nonzero` count all parameters: those without a mask, and the entries of channels, too.
    """
    (out / layout.MASK).write_bytes(mask_bytes(pruned.masks))
    built = empty(network, seed)
    n_params = number_of_parameters(built)
    left = described(pruned.masks, built, network.shape) | {
        "n_params": n_params,
        "n_nonzero": n_params - sum(int((~mask).sum()) for mask in pruned.masks.values()),
        "tied": pruned.tied,
        "tied_pruned": pruned.tied_pruned,
    }
    write_json(out / layout.INFO, left | info)


def mask_bytes(masks: Masks) -> bytes:
    """Masks as a safetensors file that can be read alone: packed bits, and the shapes in its metadata."""
    shapes = {name: list(mask.shape) for name, mask in masks.items()}
    return save(pack(masks), metadata={SHAPES: canonical(shapes)})


def load_masks(path: Path) -> Masks:
    """The inverse of `mask_bytes`, from a file. The order is that of the network's layers."""
    with safe_open(path, "pt") as file:
        shapes = json.loads(file.metadata()[SHAPES])
        return unpack({name: file.get_tensor(name) for name in shapes}, shapes)


def described(masks: Masks, network: nn.Module, shape: tuple[int, int, int]) -> dict[str, Any]:
    """`layers`: the shape of each, how many weights are kept, how many of those lie on a path through the network.

    `uncounted`: why that is null, by column of the table, where the network has an operation that is not known.
    """
    masks = of_weights(masks)
    on_path: dict[str, Tensor] = {}
    uncounted = {}
    try:
        on_path = effective(network, masks, shape)
    except UncountedError as error:
        uncounted["n_effective"] = str(error)
    layers = [
        {
            "name": name,
            "shape": list(mask.shape),
            "n": mask.numel(),
            "kept": int(mask.sum()),
            "effective": int(on_path[name].sum()) if on_path else None,
        }
        for name, mask in masks.items()
    ]
    return {"layers": layers, "uncounted": uncounted}


def read_masks(artefact: Path | None) -> Masks | None:
    """The masks of a mask artefact; None is the dense network."""
    return None if artefact is None else load_masks(artefact / layout.MASK)


def read_described(artefact: Path) -> dict[str, Any] | None:
    """What the masks of an artefact leave of each layer, as `described` has counted it.

    None if an earlier prunectl has, which counted some networks wrongly.
    """
    info: dict[str, Any] = read_json(artefact / layout.INFO)
    return info if "uncounted" in info else None
