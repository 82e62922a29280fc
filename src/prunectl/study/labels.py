"""What the arms of a study are called in the columns of the table, and how such a label is taken apart."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from prunectl.catalog.entry import Entry
from prunectl.study.schema import (
    FinetuneSection,
    Length,
    Moment,
    PruneSection,
    TrainSection,
    When,
)

Way = When | float | Length | None
"""How one kind of retraining is done: where weights are rewound to, or a budget; None for neither."""

WHOLE = (None, 1.0)
"""The budgets that are the whole recipe."""

_SIGNS = re.compile(r"'[^']*'|\"[^\"]*\"|[(\[{,)\]}]")


@dataclass(frozen=True, kw_only=True)
class Labels:
    """The labels of a study's arms. In what its tables differ, and only in that, the labels say it."""

    train: TrainSection | None  # None: not known, so that only what tables say themselves is compared
    finetune: tuple[str, ...]  # the keys in which the fine-tuning recipes differ
    schedule: bool  # whether rates both continue and restart after pruning in mid-training

    @classmethod
    def of(cls, sections: Iterable[PruneSection], train: TrainSection | None) -> Self:
        """The labels for the arms of these tables."""
        tables = tuple(sections)
        recipes = [
            _settings(section, budget, train)
            for section in tables
            if "finetune" in section.retrain
            for budget in section.budget or (None,)
        ]
        schedules = {table.schedule for table in tables if any(isinstance(when, Moment) for when in table.at)}
        keys = dict.fromkeys(key for recipe in recipes for key in recipe)
        return cls(
            train=train,
            finetune=tuple(key for key in keys if len({recipe[key] for recipe in recipes if key in recipe}) > 1),
            schedule=len(schedules) > 1,
        )

    def at(self, when: When, section: PruneSection) -> str:
        """When an arm is pruned: 'end', 'epoch=4', 'epoch=4(schedule=restart)'."""
        asked = {"schedule": section.schedule} if self.schedule and isinstance(when, Moment) else {}
        return labelled(moment_label(when), asked)

    def retrain(self, kind: str, way: Way, section: PruneSection) -> str:
        """What follows the pruning: 'finetune', 'weight-rewind(epoch=2)', 'finetune(budget=0.25, lr=0.01)'."""
        if isinstance(way, str | Moment):
            return kind if way == "init" else f"{kind}({moment_label(way)})"
        said = {} if way in WHOLE else {"budget": budget_label(way)}
        if kind == "finetune":
            settings = _settings(section, way, self.train)
            said |= {key: _shown(settings[key]) for key in self.finetune if settings.get(key) is not None}
        return labelled(kind, said)


def _settings(section: PruneSection, budget: Way, train: TrainSection | None) -> dict[str, Any]:
    """What an arm is fine-tuned with, by key. Where a budget says how long, no other length counts."""
    recipe = section.finetune or FinetuneSection() if train is None else finetuned(train, section.finetune)
    return {key: value for key, value in recipe if budget in WHOLE or key not in ("epochs", "steps")}


def finetuned(train: TrainSection, finetune: FinetuneSection | None) -> TrainSection:
    """[train] with the overrides of fine-tuning: a small constant rate, as long as the recipe unless told."""
    given = {name: value for name, value in (finetune or FinetuneSection()) if value is not None}
    if "epochs" in given or "steps" in given:
        given |= {"epochs": given.get("epochs"), "steps": given.get("steps")}
    return train.model_copy(update=given)


def moment_label(when: When) -> str:
    """A moment as the table writes it."""
    if isinstance(when, str):
        return when
    return f"step={when.step}" if when.step is not None else f"epoch={when.epoch}"


def budget_label(budget: float | Length | None) -> str:
    """A length of retraining as the table writes it: a fraction, or a number of its unit."""
    if isinstance(budget, Length):
        return f"{budget.steps} steps" if budget.steps is not None else f"{budget.epochs} epochs"
    return f"{budget:g}"


def rounds_label(way: Any) -> str:
    """The rounds of a study or of a criterion (which may have none) as the table writes them."""
    kind = getattr(way, "kind", "one-shot")
    if kind == "iterative":
        return labelled(kind, {} if way.rate is None else {"rate": f"{way.rate:g}"})
    return kind if kind == "one-shot" else f"{kind}(count={way.count})"


def _shown(value: Any) -> str:
    """A value of a recipe as a label shows it."""
    return value.label() if isinstance(value, Entry) else str(value)


def labelled(name: str, parameters: Mapping[str, Any]) -> str:
    """'snip' and {'n': 1} as 'snip(n=1)'."""
    inner = ", ".join(f"{key}={value}" for key, value in parameters.items())
    return f"{name}({inner})" if inner else name


def parts(label: str) -> tuple[str, dict[str, str]]:
    """'snip(wrt=weight, n=1)' as ('snip', {'wrt': 'weight', 'n': '1'})."""
    name, _, inner = label.partition("(")
    found = [piece.partition("=") for piece in pieces(inner.removesuffix(")")) if "=" in piece]
    return name, {key: value for key, _, value in found}


def pieces(text: str) -> list[str]:
    """The text split at its commas outside brackets and quotes, without spaces around; empty pieces are left out."""
    found, depth, start = [], 0, 0
    for sign in _SIGNS.finditer(text):
        if sign[0] in "([{":
            depth += 1
        elif sign[0] in ")]}":
            depth -= 1
        elif sign[0] == "," and depth == 0:
            found.append(text[start : sign.start()].strip())
            start = sign.end()
    return [piece for piece in (*found, text[start:].strip()) if piece]
