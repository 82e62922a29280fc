"""A study to begin with."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prunectl.api.damage import warn_in_log
from prunectl.base.errors import PrunectlError, StudyError

if TYPE_CHECKING:
    from prunectl.api.damage import Warn
    from prunectl.api.session import Place
    from prunectl.base.errors import Problem

STARTER = """\
# Every key is explained in docs/study.md; `prunectl schema` prints the JSON Schema for your editor.
name = "{name}"
title = "{name}"

[data]
name = "{dataset}"                            # prunectl list datasets

[model]
name = "{model}"                          # prunectl list models

[train]
epochs = 12
batch_size = 64
lr = 0.1
schedule = "cosine"

[sweep]
sparsities = {sparsities}
seeds = 3

[[prune]]                                  # every value may be a list
criterion = {criteria}        # prunectl list criteria
at = "end"
retrain = "lr-rewind"
"""
CLAIM = """
[[claim]]
text = "{better} is better than {than}"
better = {{ criterion = "{better}" }}
than = {{ criterion = "{than}" }}
"""
NAME = re.compile(r"""name\s*=\s*("[^"\n]*"|'[^'\n]*')""")


@dataclass(frozen=True, kw_only=True)
class Choices:
    """What a new study is about."""

    dataset: str = "digits"
    model: str = "tiny-cnn"
    criteria: Sequence[str] = ("random", "magnitude")
    sparsities: Sequence[float] = (0.0, 0.5, 0.9)

    def text(self, name: str) -> str:
        """The study file. With two criteria or more it claims that the last is better than the first."""
        from prunectl.base.cells import cell

        text = STARTER.format(
            name=name,
            dataset=self.dataset,
            model=self.model,
            sparsities=cell(list(self.sparsities)),
            criteria=cell(list(self.criteria)),
        )
        if len(self.criteria) > 1:
            text += CLAIM.format(better=self.criteria[-1], than=self.criteria[0])
        return text


def new(
    name: str,
    folder: Path = Path(),
    *,
    source: Place | None = None,
    choices: Choices | None = None,
    warn: Warn = warn_in_log,
) -> Path:
    """Write NAME.toml to a folder: a small study that runs as it is, or a copy of the study `source` under this name.

    `source` is a file, or the name of a study that was installed with prunectl. Nothing is ever overwritten.
    Raises PrunectlError; a StudyError with every problem of the choices.
    """
    from prunectl.store.output import write_output

    path = place_of(name, folder)
    if source is not None:
        text = copied(name, source, folder, warn)
    else:
        text = (choices or Choices()).text(name)
        if problems := problems_of(text):
            raise StudyError(f"{path} is not written: these choices do not go together", problems)
    write_output(path, text.encode(), new=True)
    return path


def place_of(name: str, folder: Path = Path()) -> Path:
    """Where a study of that name is written. Raises PrunectlError for a name that cannot be one, or is taken."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", name):
        raise PrunectlError(f"invalid study name {name!r}", hint="use a-z, 0-9 and hyphens, e.g. my-study")
    path = folder / f"{name}.toml"
    if os.path.lexists(path):
        raise PrunectlError(f"{path} exists already", hint="choose another name")
    return path


def problems_of(text: str) -> list[Problem]:
    """What is wrong with a study."""
    import tomli

    from prunectl.study.load import validate

    return validate(tomli.loads(text))[1]


def copied(name: str, source: Place, folder: Path, warn: Warn) -> str:
    """The text of a study with another name. Raises PrunectlError if it cannot be read."""
    from prunectl.api.studies import study_file
    from prunectl.study.document import parse, read_text
    from prunectl.study.locate import offsets

    path = study_file(source)
    text = read_text(path)
    document = parse(text, path)
    written = NAME.match(text, offsets(text).get(("name",), len(text)))
    if written is None:
        raise PrunectlError(f"{path} has no name in one line, as a study has", hint='write name = "my-study" in it')
    if path.parent.resolve() != folder.resolve() and (files := list(relative(document))):
        warn(f"{', '.join(files)}: named relative to the folder of {path}; write them relative to {folder.resolve()}")
    return f'{text[: written.start()]}name = "{name}"{text[written.end() :]}'


def relative(document: dict[str, Any]) -> Iterator[str]:
    """The files and folders that a study names relative to its own place."""
    data, model = document.get("data"), document.get("model")
    root = data.get("root") if isinstance(data, dict) else None
    sections = [model, *(document["prune"] if isinstance(document.get("prune"), list) else [])]
    inits = [section.get("init") for section in sections if isinstance(section, dict)]
    weights = [init.get("weights") for init in inits if isinstance(init, dict)]
    for file in (root, *weights):
        if isinstance(file, str) and not Path(file).expanduser().is_absolute():
            yield file
