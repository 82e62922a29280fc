"""Export a pruned network: its weights, its mask, and what is needed to build it again, in plain files."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors.torch import save
from torch import nn

from prunectl.base import ctrl_c
from prunectl.base.errors import MethodError, PrunectlError, writing
from prunectl.base.errors import described as in_words
from prunectl.base.onnx_extra import INSTALL, missing
from prunectl.base.version import __version__
from prunectl.catalog.code import code_of
from prunectl.catalog.entry import CODE
from prunectl.catalog.lookup import entry_type
from prunectl.catalog.masks import Masks
from prunectl.catalog.model import Model
from prunectl.catalog.referenced import MADE, Made, entry_of
from prunectl.catalog.source_file import SourceFile
from prunectl.plan.steps import Network
from prunectl.pruning import mask as masking
from prunectl.pruning.denominator import number_of_parameters
from prunectl.pruning.engines.compact import IMAGES, TOLERANCE, Compacted, Widths, compact, difference, resized
from prunectl.store.atomic import make_directory, sha256
from prunectl.store.output import write_output
from prunectl.work.masks import mask_bytes, read_masks
from prunectl.work.networks import built, restored
from prunectl.work.onnx_file import INPUT, OPSET, OUTPUT, Exported, exported
from prunectl.work.onnx_file import TOLERANCE as TOLERANCE_ONNX
from prunectl.work.tensors import read_json, read_tensors

FORMAT = 1
Format = Literal["safetensors", "onnx"]
WEIGHTS, MASK, COMPACT, ABOUT = "model.safetensors", "mask.safetensors", "compact.safetensors", "network.json"
ONNX, COMPACT_ONNX = "model.onnx", "compact.onnx"
SOURCE = "network.py"
"""The code of a network that a study names by its file."""
WRITTEN = (WEIGHTS, MASK, COMPACT, ONNX, COMPACT_ONNX, SOURCE)
"""Every file besides the description that an export may have."""

ELSEWHERE = "choose another place with --output"


def export(
    network: Network,
    state: Path,
    mask: Path | None,
    out: Path,
    *,
    seed: int,
    about: Mapping[str, Any],
    smaller: bool,
    format: Format = "safetensors",
) -> dict[str, Any]:
    """Write a masked network to the directory `out`, and with `smaller` the compact one next to it.

    `model.safetensors` holds the parameters and statistics once, zeros where they are pruned: as large as the dense
    network. `mask.safetensors` holds the mask as packed bits. `network.json`, written last, is what is returned:
    `about`, the catalogue entry, counts, digests. The files are read back, and must compute the same.
    `network.py` is the code of a network that a study names by its file: all of it, byte for byte.
    With format "onnx" there is `model.onnx` instead of these, and `compact.onnx`: ONNX Runtime must compute what
    PyTorch does, before anything is written.
    """
    masks = read_masks(mask) or {}
    masked = restored(network, seed, state, torch.device("cpu"))
    masking.apply(masks, masked)
    small = _compacted(masked, masks, network.shape) if smaller else None
    networks = [masked, *([] if small is None else [small.network])]
    document: dict[str, Any] = {
        "format": FORMAT,
        "prunectl": __version__,
        **about,
        "network": _identity(network, seed),
        "parameters": number_of_parameters(masked),
        "nonzero": sum(int((parameter != 0).sum()) for parameter in masked.parameters()),
        "masks": {name: list(kept.shape) for name, kept in masks.items()},
        "compact": None if small is None else _described(small),
    }
    if format == "onnx":
        models = [_onnx(each, network.shape) for each in networks]
        document["onnx"] = onnx_described(models)
        files = dict(zip((ONNX, COMPACT_ONNX), [model.content for model in models], strict=False))
    else:
        files = dict(zip((WEIGHTS, COMPACT), [save(_tensors(each)) for each in networks], strict=False))
        files |= {MASK: mask_bytes(masks)} if masks else {}
        made = MADE.get(type(network.model))
        files |= {SOURCE: made.file.source} if made is not None else {}
    _write(out, files, document)
    if format == "safetensors":
        _read_back(out, masked, network.shape, smaller=smaller)
    return dict(read_json(out / ABOUT))


def _identity(network: Network, seed: int) -> dict[str, Any]:
    """What is needed to build a network again."""
    made = MADE.get(type(network.model))
    return {
        "model": network.model.preimage(),
        "source": None if made is None else {"file": made.file.written, "attribute": made.attribute},
        "shape": network.shape,
        "classes": network.classes,
        "seed": seed,
    }


def _compacted(masked: nn.Module, masks: Masks, shape: tuple[int, int, int]) -> Compacted:
    try:
        return compact(masked, masks, shape)
    except MethodError as error:
        raise PrunectlError(f"no compact network: {error}", hint="export it without --compact") from error


def _write(out: Path, files: Mapping[str, bytes], document: dict[str, Any]) -> None:
    """The files of an export in place of those of an earlier one, the description last."""
    with writing(out, hint=ELSEWHERE):
        make_directory(out)
        for name in (ABOUT, *WRITTEN):
            (out / name).unlink(missing_ok=True)
        for name, content in files.items():
            write_output(out / name, content, hint=ELSEWHERE)
        document["files"] = {
            name: {"size_bytes": (out / name).stat().st_size, "sha256": sha256(out / name)}
            for name in WRITTEN
            if name in files
        }
        write_output(out / ABOUT, (json.dumps(document, indent=1, allow_nan=False) + "\n").encode(), hint=ELSEWHERE)


def _onnx(network: nn.Module, shape: tuple[int, int, int]) -> Exported:
    try:
        return exported(network, shape)
    except MethodError as error:
        hint = f"{INSTALL}, or leave out --format onnx" if missing() else "export it without --format onnx"
        raise PrunectlError(f"no ONNX file: {error}", hint=hint) from error


def onnx_described(models: Sequence[Exported]) -> dict[str, Any]:
    """What an ONNX file takes and gives, and how near ONNX Runtime came to PyTorch."""
    return {
        "opset": OPSET,
        "input": INPUT,
        "output": OUTPUT,
        "batch": "any",
        "difference": max(model.difference for model in models),
        "tolerance": TOLERANCE_ONNX,
    }


def load(folder: Path, *, smaller: bool = False) -> nn.Module:
    """The network of an exported directory, or the compact one, on the CPU. Needs the catalogue, not the store.

    Runs the directory's `network.py`, if it has one, which must be the one that was exported.
    """
    document = read_json(folder / ABOUT)
    if document.get("onnx"):
        raise PrunectlError(f"{folder} holds ONNX files", hint="load them in ONNX Runtime, or export as safetensors")
    if document["format"] != FORMAT:
        raise PrunectlError(f"{folder} was written in another format", hint=f"use prunectl {document['prunectl']}")
    described = document["network"]
    chosen = dict(described["model"])
    name = chosen.pop("name")
    kind = entry_type("models", name, Model) if described.get("source") is None else _kind_in(folder, document)
    if chosen.pop("version") != kind.version:
        raise PrunectlError(f"{kind.name} has changed since", hint=f"use prunectl {document['prunectl']}")
    if chosen.pop(CODE, None) != code_of(kind):
        warnings.warn(f"the code of the model {kind.name} has changed since {folder} was written", stacklevel=2)
    model = kind.model_validate_json(json.dumps(chosen))
    seed = described.get("seed", 0)  # a network whose building is random could not be exported before there was one
    network = built(model, tuple(described["shape"]), described["classes"], seed)
    if smaller:
        if document["compact"] is None:
            raise PrunectlError(f"{folder} holds no compact network", hint="export it with --compact")
        network = resized(network, _widths(document["compact"]))
    network.load_state_dict(read_tensors(folder / (COMPACT if smaller else WEIGHTS)))
    return network


def _kind_in(folder: Path, document: Mapping[str, Any]) -> type[Model]:
    """The entry class of the code in an export. Raises PrunectlError, and runs nothing, if it is not what it was."""
    described = document["network"]["source"]
    again = "export the network again"
    try:
        source = (folder / SOURCE).read_bytes()
    except OSError as error:
        raise PrunectlError(f"{folder / SOURCE} cannot be read: {error.strerror}", hint=again) from error
    if hashlib.sha256(source).hexdigest() != document["files"][SOURCE]["sha256"]:
        raise PrunectlError(f"{folder / SOURCE} is not the code that was exported", hint=again)
    file = SourceFile(written=described["file"], path=str(folder / SOURCE), source=source)
    try:
        kind = entry_of(Made(file=file, attribute=described["attribute"], kind=Model))
    except BaseException as error:  # whatever the file raises, such as for a package that is missing here
        ctrl_c.pass_on(error)
        raise PrunectlError(f"{folder / SOURCE} cannot be imported: {in_words(error)}") from error
    assert issubclass(kind, Model), "it was exported as one"
    return kind


def _tensors(network: nn.Module) -> dict[str, torch.Tensor]:
    """Parameters and statistics, each by all of its names; a file holds no two tensors of one memory."""
    return {
        name: tensor.detach().clone(memory_format=torch.contiguous_format)
        for name, tensor in network.state_dict().items()
    }


def _described(small: Compacted) -> dict[str, Any]:
    """The compact network in plain numbers: `layers` are (outputs, inputs), `pads` channels of zeros."""
    kept, dense = small.channels
    return {
        "parameters": number_of_parameters(small.network),
        "channels": kept,
        "channels_dense": dense,
        "difference": small.difference,
        "images": IMAGES,
        **asdict(small.widths),
    }


def _widths(described: Mapping[str, Any]) -> Widths:
    """The inverse, from JSON."""
    return Widths(
        layers={name: (outputs, inputs) for name, (outputs, inputs) in described["layers"].items()},
        pads={int(at): (before, after) for at, (before, after) in described["pads"].items()},
    )


def _read_back(out: Path, masked: nn.Module, shape: tuple[int, int, int], *, smaller: bool) -> None:
    for compacted in (False, True)[: 1 + smaller]:
        worst, largest = difference(masked, load(out, smaller=compacted), shape)
        if not worst <= TOLERANCE * max(1.0, largest):
            raise PrunectlError(
                f"{out}: what was written gives outputs that differ by {worst:.2g}",
                hint="check that the disk is not full",
            )
