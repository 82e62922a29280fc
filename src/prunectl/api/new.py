"""A study to begin with."""

from __future__ import annotations

import os
import re
from pathlib import Path

from prunectl.base.errors import PrunectlError

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
schedule = "cosine"

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


def new(name: str, folder: Path = Path()) -> Path:
    """Write NAME.toml, a small study that runs as it is, to a folder. Raises PrunectlError; never overwrites."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", name):
        raise PrunectlError(f"invalid study name {name!r}", hint="use a-z, 0-9 and hyphens, e.g. my-study")
    from prunectl.store.output import write_output

    path = folder / f"{name}.toml"
    if os.path.lexists(path):
        raise PrunectlError(f"{path} exists already", hint="choose another name")
    write_output(path, STARTER.format(name=name).encode(), new=True)
    return path
