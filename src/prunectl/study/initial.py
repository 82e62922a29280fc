"""Where networks begin: weights that are drawn, or loaded from a file."""

from __future__ import annotations

from collections.abc import Iterator

from prunectl.base.errors import Path, Problem
from prunectl.catalog.values import LoadedWeights
from prunectl.study.schema import ModelSection, PruneSection, Study

PRETRAINED = "pretrained"
"""Asks for the weights that a network's library has for it."""
OWN = "own"
"""Asks for the weights that a network's own code draws."""


def loads(init: str | LoadedWeights) -> bool:
    """Whether weights are loaded, and not drawn."""
    return isinstance(init, LoadedWeights) or init == PRETRAINED


def file_of(init: str | LoadedWeights) -> str:
    """What weights are loaded from, as messages and plans call it: a file, or "pretrained"."""
    return init.weights if isinstance(init, LoadedWeights) else init


def weights_files(study: Study) -> Iterator[tuple[Path, str]]:
    """Every file of weights that a study loads, or "pretrained", with the place where it asks for it."""
    if loads(study.model.init):
        yield ("model", "init", *_key(study.model.init)), file_of(study.model.init)
    for table, section in enumerate(study.prune):
        several = len(section.init or ()) > 1
        for place, init in enumerate(section.init or ()):
            if loads(init):
                key: Path = ("prune", table, "init", place) if several else ("prune", table, "init")
                yield (*key, *_key(init)), file_of(init)


def _key(init: str | LoadedWeights) -> Path:
    return ("weights",) if isinstance(init, LoadedWeights) else ()


def pretrained(model: ModelSection, sections: tuple[PruneSection | None, ...]) -> Iterator[Problem]:
    """Pretrained weights are those of a library that has some."""
    if model.model.has_pretrained:
        return
    asked = [(("prune", table, "init"), section.init or ()) for table, section in enumerate(sections) if section]
    for path, inits in [(("model", "init"), (model.init,)), *asked]:
        if PRETRAINED in inits:
            message = f"{model.model.name} has no pretrained weights; networks of torchvision: and timm: have"
            yield Problem(path=path, message=message, hint='load those of a file: init = { weights = "FILE" }')


def redrawn(section: PruneSection, model: ModelSection | None) -> Iterator[Problem]:
    """Weights that were loaded cannot be drawn again: they have no distribution that they were drawn from."""
    inits = section.init or ((model.init,) if model is not None else ())
    loaded = next((init for init in inits if loads(init)), None)
    for place, ablation in enumerate(section.ablation):
        if loaded is not None and ablation.changes == "weights":
            message = f"{ablation.name} draws weights again as they were drawn, and those of {file_of(loaded)} were not"
            hint = f"leave {ablation.name} out, or give it a [[prune]] table of its own with an init that draws"
            yield Problem(path=("ablation", place), message=message, hint=hint)


def bn_init(model: ModelSection, sections: tuple[PruneSection | None, ...]) -> Iterator[Problem]:
    """How BatchNorm is drawn is asked only where weights are drawn by one of prunectl's rules."""
    inits = [init for section in sections for init in (section and section.init) or (model.init,)]
    if "bn_init" in model.model_fields_set and all(loads(init) or init == OWN for init in inits):
        how = "loaded with the other weights" if all(map(loads, inits)) else "drawn by the network's own code"
        message = f"has no effect: the scales of BatchNorm are {how}"
        yield Problem(path=("model", "bn_init"), message=message, hint="leave it out")
