"""`prunectl export`: take the network of one trial out of the store."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from prunectl.base.text import size
from prunectl.cli.console import answer, answer_json, say
from prunectl.cli.options import Json, Selected, StudyFile, options
from prunectl.cli.tables import checked, format_option

Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="DIR",
        help="Where the network goes [default: results/NAME/export, or where `run` writes to].",
    ),
]
Compact = Annotated[
    bool, typer.Option("--compact", help="Also write the smaller dense network, without pruned channels.")
]


FORMATS = ("safetensors", "onnx")

Format = Annotated[str, format_option(FORMATS)]


@options
def export(
    selected: Selected,
    study: StudyFile = None,
    output: Output = None,
    compact: Compact = False,
    format_: Format = "safetensors",
    json_: Json = False,
) -> None:
    """Write the network of one trial to files.

    These are the weights, the mask, and the description to rebuild the network.

    Choose the trial with --only. Outputs of the written network are compared with those of the masked one.
    """
    from prunectl.api.export import export as exported
    from prunectl.api.output import EXPORT, claim, folder_of

    checked(format_, FORMATS)
    session = selected.open(study)
    folder = output or folder_of(session, warn=say) / EXPORT
    document = exported(
        session,
        folder,
        only=selected.only or (),
        compact=compact,
        format="onnx" if format_ == "onnx" else "safetensors",
    )
    if output is None:
        claim(folder.parent, session)
    small = document["compact"]
    if small is not None and small["channels"] == small["channels_dense"]:
        say("no whole channel is pruned: the compact network is as large as the dense one")
    if json_:
        answer_json({"folder": str(folder), **document})
    else:
        show(document, folder)


def show(document: dict[str, Any], folder: Path) -> None:
    """What was written, for people."""
    lines = {"model.safetensors": f"{document['parameters']:,} parameters, {document['nonzero']:,} of them not zero"}
    lines["model.onnx"] = lines["model.safetensors"]
    lines["mask.safetensors"] = "one bit per prunable weight"
    lines["network.py"] = "the code of the network, which loading it runs"
    small = document["compact"]
    if small is not None:
        lines["compact.safetensors"] = lines["compact.onnx"] = f"{small['parameters']:,} parameters, dense"
    for name, file in document["files"].items():
        answer(f"{name:<20}  {size(file['size_bytes']):>9}  {lines[name]}")
    if onnx := document.get("onnx"):
        answer(
            f"opset {onnx['opset']}, any batch size; ONNX Runtime's outputs differ from PyTorch's by at most "
            f"{onnx['difference']:.1e} (allowed: {onnx['tolerance']:.0e})"
        )
    if small is not None:
        answer(
            f"channels: {small['channels']:,} of {small['channels_dense']:,}; outputs differ by at most "
            f"{small['difference']:.1e} on {small['images']} random images"
        )
    say(f"wrote {folder}")
