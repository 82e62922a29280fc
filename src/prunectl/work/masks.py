"""Mask artefacts: packed bits, and what they leave of each layer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from prunectl.plan.steps import Network
from prunectl.pruning.engines.paths import effective
from prunectl.pruning.mask import Masks, Pruned, pack, unpack
from prunectl.store import layout
from prunectl.work.networks import empty
from prunectl.work.tensors import read_json, read_tensors, write_json, write_tensors


def write_masks(out: Path, pruned: Pruned, network: Network, **info: Any) -> None:
    """A mask artefact: packed bits, and what they leave of each layer."""
    write_tensors(out / layout.MASK, pack(pruned.masks))
    left = {
        "layers": described(pruned.masks, network),
        "entries": {name: list(mask.shape) for name, mask in pruned.masks.items() if mask.dim() == 1},
        "tied": pruned.tied,
        "tied_pruned": pruned.tied_pruned,
    }
    write_json(out / layout.INFO, left | info)


def of_weights(masks: Masks) -> Masks:
    """The masks without those of biases and BatchNorm, which only whole channels have."""
    return {name: mask for name, mask in masks.items() if mask.dim() > 1}


def described(masks: Masks, network: Network) -> list[dict[str, Any]]:
    """Per layer: its shape, how many weights are kept, and how many of those lie on a path through the network."""
    masks = of_weights(masks)
    on_path = effective(empty(network), masks, network.shape)
    return [
        {
            "name": name,
            "shape": list(mask.shape),
            "n": mask.numel(),
            "kept": int(mask.sum()),
            "effective": int(on_path[name].sum()),
        }
        for name, mask in masks.items()
    ]


def read_masks(artefact: Path | None) -> Masks | None:
    """The masks of a mask artefact; None stands for the dense network."""
    if artefact is None:
        return None
    info = read_json(artefact / layout.INFO)
    shapes = {layer["name"]: tuple(layer["shape"]) for layer in info["layers"]}
    shapes |= {name: tuple(shape) for name, shape in info.get("entries", {}).items()}
    return unpack(read_tensors(artefact / layout.MASK), shapes)
