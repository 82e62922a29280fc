"""`prunectl doctor` and `prunectl new`: what this machine can do, and a study to begin with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from prunectl.base.errors import PrunectlError
from prunectl.cli import options
from prunectl.cli.console import answer, answer_json, say

if TYPE_CHECKING:
    from prunectl.catalog.dataset import Dataset

STARTER = """\
# Every key is explained in docs/study.md; `prunectl schema` prints the JSON Schema for your editor.
name = "{name}"
title = "{name}"

[data]
name = "digits"                            # prunectl list datasets

[model]
name = "tiny-cnn"                          # prunectl list models

[train]
epochs = 12
batch_size = 64
lr = 0.1
schedule = "cosine"                        # prunectl list schedules

[sweep]
sparsities = [0.0, 0.5, 0.9]
seeds = 3

[[prune]]                                  # every value may be a list
criterion = ["random", "magnitude"]        # prunectl list criteria
at = "end"
retrain = "lr-rewind"

[[claim]]
text = "Magnitude is better than chance"
better = {{ criterion = "magnitude" }}
than = {{ criterion = "random" }}
"""


def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The study's name: a-z, 0-9 and hyphens.")],
) -> None:
    """Write NAME.toml, a small study that runs as it is, to begin with."""
    import re

    if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", name):
        raise PrunectlError(f"{name!r} is no name of a study", hint="use a-z, 0-9 and hyphens, e.g. my-study")
    path = Path(f"{name}.toml")
    try:
        with path.open("x") as file:
            file.write(STARTER.format(name=name))
    except FileExistsError:
        raise PrunectlError(f"{path} is there already", hint="choose another name") from None
    except OSError as error:
        raise PrunectlError(f"{path} cannot be written: {error.strerror}") from error
    say(f"written: {path}; run it with `prunectl run {path}`")


def doctor(store: options.Store = None, data: options.Data = None, json_: options.Json = False) -> None:
    """Say what this machine can do: versions, devices, where the store and the data sets are, what is missing."""
    told = findings(store, data)
    if json_:
        answer_json(told)
        return
    width = max(map(len, told))
    for name, value in told.items():
        answer(f"{name:<{width}}  {value}")


def looked(dataset: Dataset, root: Path) -> str:
    """That a data set is there; DataError if it is not, or not what it should be."""
    from prunectl.datasets.content import content_of

    if dataset.in_files:
        content = content_of(dataset, root)
        sizes = f"{content.train_size:,} + {content.test_size:,} pictures"
        return f"there: {sizes} of {content.classes} classes (not opened)"
    from prunectl.datasets.load import load

    load(dataset, root)
    return "there, and what it should be"


def findings(store: Path | None, data: Path | None) -> dict[str, Any]:
    """What was found, by name."""
    import os
    import platform
    import shutil
    from importlib.metadata import version

    import torch

    from prunectl import __version__
    from prunectl.base.errors import DataError
    from prunectl.catalog import tables
    from prunectl.cli.console import size
    from prunectl.cli.session import data_root, open_store
    from prunectl.execute.energy import counters

    room, root = open_store(store), data_root(None, Path(), data)
    found: dict[str, Any] = {
        "prunectl": __version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        **{name: version(name) for name in ("polars", "altair", "pydantic")},
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "CUDA devices": ", ".join(torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())) or "none",
        "energy counters": counters(),
        "store": f"{room.root} ({size(shutil.disk_usage(room.root).free)} free)",
        "data": str(root),
    }
    for name in tables.names("datasets"):
        if name == "image-folder":
            continue  # it has no place of its own
        kind: Any = tables.entry_type("datasets", name)
        try:
            found[f"data set {name}"] = looked(kind(), root)
        except DataError as error:
            found[f"data set {name}"] = error.message.partition(" (looked for")[0]
    return found
