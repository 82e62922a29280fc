"""Where networks begin: weights that are drawn, or loaded from a file."""

from __future__ import annotations

from collections.abc import Iterator

from prunectl.base.errors import Path, Problem
from prunectl.catalog.values import LoadedWeights
from prunectl.study.schema import ModelSection, PruneSection, Study


def weights_files(study: Study) -> Iterator[tuple[Path, str]]:
    """Every file of weights that a study names, with the place where it does."""
    if isinstance(study.model.init, LoadedWeights):
        yield ("model", "init", "weights"), study.model.init.weights
    for table, section in enumerate(study.prune):
        several = len(section.init or ()) > 1
        for place, init in enumerate(section.init or ()):
            if isinstance(init, LoadedWeights):
                key: Path = ("prune", table, "init", place) if several else ("prune", table, "init")
                yield (*key, "weights"), init.weights


def redrawn(section: PruneSection, model: ModelSection | None) -> Iterator[Problem]:
    """Weights that were loaded cannot be drawn again: they have no distribution that they were drawn from."""
    inits = section.init or ((model.init,) if model is not None else ())
    loaded = next((init for init in inits if isinstance(init, LoadedWeights)), None)
    for place, ablation in enumerate(section.ablation):
        if loaded is not None and ablation.changes == "weights":
            message = f"{ablation.name} draws weights again as they were drawn, and those of {loaded.weights} were not"
            hint = f"leave {ablation.name} out, or give it a [[prune]] table of its own with an init that draws"
            yield Problem(path=("ablation", place), message=message, hint=hint)


def bn_init(model: ModelSection, sections: tuple[PruneSection | None, ...]) -> Iterator[Problem]:
    """How BatchNorm is drawn is asked only where weights are drawn."""
    inits = [init for section in sections for init in (section and section.init) or (model.init,)]
    if "bn_init" in model.model_fields_set and all(isinstance(init, LoadedWeights) for init in inits):
        message = "has no effect: the scales of BatchNorm are loaded with the other weights"
        yield Problem(path=("model", "bn_init"), message=message, hint="leave it out")
