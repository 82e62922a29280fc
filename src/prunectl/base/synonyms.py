"""Words of the field for what has another name here: messages point from the one to the other."""

from __future__ import annotations

from collections.abc import Collection, Mapping

SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "glorot": ("xavier-normal",),
    "glorot-normal": ("xavier-normal",),
    "glorot-uniform": ("xavier-uniform",),
    "xavier": ("xavier-normal",),
    "he": ("kaiming-normal",),
    "he-normal": ("kaiming-normal",),
    "he-uniform": ("kaiming-uniform",),
    "kaiming": ("kaiming-normal",),
    "multistep": ("step",),
    "multi-step": ("step",),
    "steplr": ("step",),
    "cosine-annealing": ("cosine",),
    "one-cycle": ("cyclic",),
    "crop": ("pad-crop",),
    "random-crop": ("pad-crop",),
    "hflip": ("flip",),
    "horizontal-flip": ("flip",),
    "iteration": ("step", "steps"),
    "iterations": ("steps", "step"),
    "learning-rate": ("lr",),
    "l1": ("l1-norm",),
    "l2": ("l2-norm",),
    "slimming": ("bn-scale",),
    "network-slimming": ("bn-scale",),
    "hessian": ("obd",),
    "unstructured": ("weights",),
    "structured": ("channels",),
    "filters": ("channels",),
    "gmp": ("gradual",),
    "fine-tuning": ("finetune",),
    "weight-rewinding": ("weight-rewind",),
    "learning-rate-rewinding": ("lr-rewind",),
}
"""Names here for a word, in lower case: the first that is allowed in its place is meant."""

_TICKET = (
    'is a recipe: criterion = "magnitude", at = "end", rounds = "iterative" and retrain = "weight-rewind"; '
    "prunectl new my --from lottery-lenet300 writes a study that has it"
)
RECIPES: Mapping[str, str] = {
    "imp": f"iterative magnitude pruning {_TICKET}",
    "lth": f"the lottery ticket procedure {_TICKET}",
    "lottery-ticket": f"the lottery ticket procedure {_TICKET}",
    "ltr": "lottery tickets with rewinding are a recipe: "
    'criterion = "magnitude", at = "end", rounds = "iterative" and retrain = { name = "weight-rewind", '
    "to = { epoch = 2 } }; prunectl new my --from lottery-lenet300 writes a study to change",
}
"""Words for what is several choices of a study together, in lower case, each with how it is written."""


def meant(word: str, allowed: Collection[str]) -> str | None:
    """The allowed name that a word of the field means, or None."""
    return next((name for name in SYNONYMS.get(word.lower().replace("_", "-"), ()) if name in allowed), None)
