"""A criterion in a file, judged: an ordinary study that holds it against the included criteria, written and run."""

from __future__ import annotations

import ast
import os
from dataclasses import dataclass
from pathlib import Path

from prunectl.base.errors import PrunectlError
from prunectl.base.text import and_list

STUDY = """\
# {kind} of {file} against the included criteria: written by `prunectl judge`, an ordinary study from then on.
# Change what you like, and run it again with `prunectl run`; what is not changed is not computed again.

name = "{name}"
title = "{kind} judged on {data}"

[data]
name = "{data}"
{limits}
[model]
name = "{model}"

[train]
epochs = {epochs}
batch_size = {batch_size}
lr = 0.1
optimizer = {{ name = "sgd", momentum = 0.9 }}
weight_decay = 1e-4
schedule = "cosine"

[sweep]
sparsities = [0.0, {sparsities}]
seeds = {seeds}

[[prune]]                                  # what its mask is made of
criterion = "{reference}"
at = "init"
ablation = ["none", "shuffle", "reinit", "invert"]

{rest}[[claim]]
text = "Shuffling its mask within layers costs {kind} accuracy, averaged over the sparsities"
better = {{ criterion = "{reference}", at = "init", ablation = "none" }}
than = {{ criterion = "{reference}", at = "init", ablation = "shuffle" }}
over = "average"

{atlas}[report]
judged = "{reference}"
collapse = true
"""

TRAINED = """\
[[prune]]                                  # what else there is at initialization
criterion = ["random", "magnitude", "snip", "grasp", "synflow"]
at = "init"

[[prune]]                                  # the same question after training
criterion = ["{reference}", "random", "magnitude", "snip"]
at = "end"
retrain = "lr-rewind"

[[claim]]
text = "{kind} is better than random pruning, at initialization"
better = {{ criterion = "{reference}", at = "init", ablation = "none" }}
than = {{ criterion = "random", at = "init" }}

[[claim]]
text = "{kind} loses no more than half a point to SNIP, at initialization"
better = {{ criterion = "{reference}", at = "init", ablation = "none" }}
than = {{ criterion = "snip", at = "init" }}
margin = -0.005

[[claim]]
text = "{kind} loses no more than half a point to SynFlow, at initialization"
better = {{ criterion = "{reference}", at = "init", ablation = "none" }}
than = {{ criterion = "synflow", at = "init" }}
margin = -0.005

[[claim]]
text = "{kind} loses no more than half a point to magnitude, after training"
better = {{ criterion = "{reference}", at = "end" }}
than = {{ criterion = "magnitude", at = "end" }}
margin = -0.005

"""
"""The included criteria are trained with it, and claims hold it against them."""

ALONE = """\
[[prune]]                                  # the same question after training
criterion = "{reference}"
at = "end"
retrain = "lr-rewind"

"""
"""Only the criterion itself is trained: the atlas has the numbers of the included ones."""

PUBLISHED = """\
[published]
tables = ["{name}"]

"""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What a criterion is judged on, small enough for some minutes on two cores."""

    model: str
    epochs: int
    batch_size: int
    sparsities: str
    seeds: int
    limits: str = ""


SETTINGS = {
    "digits": Setting(model="tiny-cnn", epochs=8, batch_size=64, sparsities="0.8, 0.9, 0.95", seeds=5),
    "mnist": Setting(model="lenet-300-100", epochs=2, batch_size=128, sparsities="0.9, 0.98, 0.99", seeds=3),
    "cifar10": Setting(
        model="resnet-20",
        epochs=5,
        batch_size=32,
        sparsities="0.8, 0.9, 0.95",
        seeds=3,
        limits="train_limit = 3_000\ntest_limit = 2_000\n",
    ),
}
"""By data set. The first needs no download; the last takes an hour. studies/atlas/ has the same recipes."""


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """The study of a criterion."""

    path: Path
    new: bool
    """Whether it was written just now."""


def judgement(criterion: str, on: str, *, atlas: bool = False) -> Judgement:
    """Write the study of a criterion, `FILE.py` or `FILE.py:CLASS`, next to its file.

    With `atlas` nothing but the criterion is trained: its rank is that among the numbers of the shipped atlas. A study
    that exists is left as it is, if it is the same. Nothing is written for a class that is no criterion.
    Raises PrunectlError.
    """
    from prunectl.store.output import write_output

    setting, shipped = _setting(on), _atlas_of(on)
    if atlas and shipped is None:
        hint = f"leave out --atlas: the included criteria are trained, too; there are {and_list(_atlases())}"
        raise PrunectlError(f"no atlas of {on} is shipped", hint=hint)
    file, kind = _class_in(criterion)
    _check(file, kind)
    whose = file.stem if kind.lower() == file.stem.replace("_", "").lower() else f"{file.stem}-{kind}"
    name = f"judge-{whose}-{on}{'-atlas' if atlas else ''}".lower().replace("_", "-")
    named = {"kind": kind, "reference": f"file:{file.name}:{kind}"}
    text = STUDY.format(
        name=name, file=file.name, data=on, model=setting.model, epochs=setting.epochs, batch_size=setting.batch_size,
        sparsities=setting.sparsities, seeds=setting.seeds, limits=setting.limits,
        rest=(ALONE if atlas else TRAINED).format(**named),
        atlas=PUBLISHED.format(name=shipped) if shipped else "", **named,
    )  # fmt: skip
    path = file.with_name(f"{name}.toml")
    new = not os.path.lexists(path)
    if new:
        write_output(path, text.encode(), new=True)
    elif path.read_bytes() != text.encode():
        hint = f"run it as it is with `prunectl run {path}`, or delete it"
        raise PrunectlError(f"{path} exists and is not what `prunectl judge` would write", hint=hint)
    return Judgement(path=path, new=new)


def _check(file: Path, kind: str) -> None:
    """Raises PrunectlError for a file that cannot be imported, and for a class that is not there or no criterion."""
    from prunectl.catalog.criterion import Criterion
    from prunectl.catalog.lookup import entry_type
    from prunectl.catalog.referenced import paths_in

    with paths_in(file.parent):
        entry_type("criteria", f"file:{file.name}:{kind}", Criterion)


def _setting(on: str) -> Setting:
    """Raises PrunectlError, with the nearest name, for a data set that nothing is judged on."""
    from prunectl.base.errors import nearest

    if on in SETTINGS:
        return SETTINGS[on]
    close = nearest(on, SETTINGS)
    hint = f'did you mean "{close}"?' if close else f"choose one of {and_list(list(SETTINGS))}"
    raise PrunectlError(f"criteria are not judged on {on!r}", hint=hint)


def _atlases() -> list[str]:
    """The published tables that hold every included criterion."""
    from prunectl.results.published.index import ATLAS, names

    return [name for name in names() if name.startswith(ATLAS)]


def _atlas_of(on: str) -> str | None:
    """The atlas of a data set, if one is shipped."""
    from prunectl.results.published.index import ATLAS

    return name if (name := f"{ATLAS}{on}") in _atlases() else None


def _class_in(criterion: str) -> tuple[Path, str]:
    """The file, and its class: the one that is named, or the only one. Nothing of the file is run."""
    place, _, kind = criterion.partition(".py:")
    file = Path(f"{place}.py" if kind else criterion)
    if kind:
        return file, kind
    try:
        tree = ast.parse(file.read_bytes(), filename=str(file))
    except OSError as error:
        hint = "prunectl new --criterion mine.py writes one to begin with"
        raise PrunectlError(f"{file} cannot be read: {error.strerror}", hint=hint) from None
    except (SyntaxError, ValueError) as error:
        raise PrunectlError(f"{file}:{getattr(error, 'lineno', None) or 1}: {error}", hint="fix the file") from None
    kinds = [node.name for node in tree.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_")]
    if len(kinds) != 1:
        found = f"has the classes {and_list(kinds)}" if kinds else "has no class"
        raise PrunectlError(f"{file} {found}", hint=f"name the criterion's class: {file}:{(kinds or ['Mine'])[0]}")
    return file, kinds[0]
