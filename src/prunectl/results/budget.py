"""How long each way of retraining trains, as a share of the recipe: read off its label and the study's lengths."""

from __future__ import annotations

from prunectl.results.table import Results
from prunectl.study.labels import labelled, parts
from prunectl.study.schema import Study

UNITS = {"epoch": "epochs", "step": "steps", "epochs": "epochs", "steps": "steps"}


def budgets(results: Results) -> dict[str, tuple[str, float]]:
    """Of every label of the column `retrain` that trains: the label without its length, and its share.

    What cannot be told is left out.
    """
    per_epoch = steps_per_epoch(results)
    labels = results.trials["retrain"].drop_nulls().unique(maintain_order=True).to_list()
    found = {label: _share(label, results.study, per_epoch) for label in labels}
    return {label: (_lengthless(label), share) for label, share in found.items() if share is not None}


def _lengthless(label: str) -> str:
    kind, parameters = parts(label)
    return labelled(kind, {key: value for key, value in parameters.items() if key not in ("budget", *UNITS)})


def steps_per_epoch(results: Results) -> float | None:
    """How many training steps an epoch has; None before anything is trained."""
    timed = results.curves.filter(results.curves["epoch"] > 0)
    return timed["step"][0] / timed["epoch"][0] if timed.height else None


def _share(label: str, study: Study, per_epoch: float | None) -> float | None:
    kind, parameters = parts(label)
    if "budget" in parameters:
        number, _, unit = parameters["budget"].partition(" ")
        return _of_recipe(float(number), unit, study, per_epoch) if unit else float(number)
    if kind == "weight-rewind":
        rewound = [_of_recipe(float(number), unit, study, per_epoch) for unit, number in parameters.items()]
        return 1.0 if not rewound else None if rewound[0] is None else 1 - rewound[0]
    if kind == "finetune":
        told = [_of_recipe(float(parameters[unit]), unit, study, per_epoch) for unit in UNITS if unit in parameters]
        shares = set(told or _finetunings(study, per_epoch))
        return shares.pop() if len(shares) == 1 else None
    return 1.0 if kind == "lr-rewind" else None


def _finetunings(study: Study, per_epoch: float | None) -> list[float | None]:
    """The shares that `finetune` without a budget in its label may have: the recipe's own, or an override's."""
    found: list[float | None] = []
    for section in study.prune:
        if "finetune" in section.retrain:
            own = section.finetune
            length = (own.epochs or own.steps) if own is not None and section.budget is None else None
            unit = "epochs" if own is not None and own.epochs else "steps"
            found.append(1.0 if length is None else _of_recipe(length, unit, study, per_epoch))
    return found


def _of_recipe(number: float, unit: str, study: Study, per_epoch: float | None) -> float | None:
    """A length as a share of [train]; None where its unit is another one and nothing tells them apart."""
    train = study.train
    whole, own = (train.epochs, "epochs") if train.epochs is not None else (train.steps or 1, "steps")
    if UNITS.get(unit) == own:
        return number / whole
    if per_epoch is None or unit not in UNITS:
        return None
    return number * per_epoch / whole if own == "steps" else number / per_epoch / whole
