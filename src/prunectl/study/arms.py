"""An arm: one fully chosen combination, expanded once. Its columns, its label, and whether a selector means it.

A cell of the table is written as the study file would write the choice, and can be read back. A label is for people
and is never read back: claims, checks, `--only`, charts, comparisons and exports ask the arm.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from itertools import product
from typing import Any

from prunectl.base.cells import cell, words
from prunectl.catalog.ablation import Ablation
from prunectl.catalog.criterion import Criterion
from prunectl.catalog.entry import Entry, written
from prunectl.catalog.lookup import read_entry
from prunectl.catalog.retraining import Budget, Retraining
from prunectl.catalog.rounds import Rounds
from prunectl.catalog.scope import Scope
from prunectl.catalog.structure import Structure
from prunectl.catalog.values import FlopsBudget, Length, LoadedWeights, Moment, PruningMoment
from prunectl.study.labels import PLACEHOLDERS, filled
from prunectl.study.schema import SELECTORS, PruneSection

COLUMNS = SELECTORS
"""The columns that name an arm, in the order of the table: keys of [[prune]], of selectors and of results files."""

CHOICES = ("model", "dataset", *COLUMNS)
"""The columns of a trial that somebody chose, sparsity and seed apart."""

When = str | Moment
Init = str | LoadedWeights


@dataclass(frozen=True, kw_only=True, slots=True)
class Arm:
    """One fully chosen combination. Two arms are equal exactly if their columns are."""

    criterion: Criterion
    scope: Scope
    structure: Structure
    at: When | None  # None: the rounds determine the moments, during the training
    rounds: Rounds
    init: Init
    ablation: Ablation
    retrain: Retraining
    budget: Budget  # None: the retraining has none, or a length of its own
    inherits_init: bool = field(default=True, compare=False)  # [model]'s initialization; then the label omits it
    given: str = field(default="", compare=False)  # what the study calls it, ablations apart

    @property
    def rounds_of_a_mask(self) -> Rounds:
        """How each mask is made: rounds that retrain prune every level as the criterion is defined."""
        return self.criterion.own_rounds() if self.rounds.retrains else self.rounds

    @property
    def in_rounds(self) -> bool:
        """Whether masks are scored and pruned in several rounds."""
        return len(self.rounds_of_a_mask.targets(0.5)) > 1

    @property
    def collapses(self) -> bool:
        """Whether it has a critical compression: single weights, pruned without training in between."""
        return self.structure.any_mask and not (self.rounds.retrains or self.rounds.during)

    @property
    def inverted(self) -> bool:
        """Whether the highest scores go."""
        return self.ablation.changes == "ranking"

    @property
    def remark(self) -> str | None:
        """What readers of the results of this arm have to know about its masks; None if there is nothing."""
        return self.criterion.remark(self.rounds_of_a_mask, invert=self.inverted)

    def columns(self) -> dict[str, str | None]:
        """The cells of the table, as the study file writes them; None where there is no such choice."""
        return {name: self.cell(name) for name in COLUMNS}

    def cell(self, column: str) -> str | None:
        """One of the cells."""
        plain = written(getattr(self, column))
        return None if plain is None else cell(plain)

    @property
    def label(self) -> str:
        """The arm in one short text, for people: the label that the study gives, or what was chosen."""
        return self._ablated(self.unablated)

    @property
    def unablated(self) -> str:
        """The label without the ablation: whose masks are shuffled, and whose weights are drawn again."""
        return self.given or self._chosen

    @property
    def described(self) -> str:
        """What was chosen in one short text, for people; defaults are left out."""
        return self._ablated(self._chosen)

    def _ablated(self, text: str) -> str:
        return text if self.ablation.changes == "nothing" else f"{text} · {self.ablation.label()}"

    @property
    def _chosen(self) -> str:
        if not self.criterion.prunes:
            return f"dense · {retraining_label(self.retrain, self.budget)}"
        own_rounds = self.rounds == self.criterion.own_rounds()
        usual = _usual()
        parts = [
            self.criterion.label(),
            "" if self.at is None else f"at {moment_label(self.at)}",
            "" if self.scope == usual_scope(self.criterion, self.rounds) else self.scope.label(),
            "" if (self.structure,) == usual.structure else self.structure.label(),
            "" if own_rounds else self.rounds.label(),
            "" if self.inherits_init else words(cell(written(self.init))),
            "" if (self.retrain,) == usual.retrain else retraining_label(self.retrain, self.budget),
        ]
        return " · ".join(filter(None, parts))

    def exact(self, column: str) -> Any:
        """A choice as a selector that means it and no other: a table with every parameter, defaults included."""
        value = getattr(self, column)
        if isinstance(value, Entry):
            parameters = value.parameters()
            return {"name": value.name, **parameters} if parameters else value.name
        plain = written(value)
        return {**plain, "schedule": value.schedule} if isinstance(value, PruningMoment) else plain

    def matches(self, selector: Mapping[str, Any]) -> bool:
        """Whether the arm has what a selector asks for: per column a name, a number, or a table of parameters.

        A name means every choice of parameters; a table those that it gives, defaults included.
        """
        return all(agrees(wanted, getattr(self, name)) for name, wanted in selector.items())


def expand(sections: Iterable[PruneSection], init: Init) -> Iterator[Arm]:
    """Every arm of the [[prune]] tables, in the order of the file; `init` is [model]'s. Arms may repeat."""
    for section in sections:
        for criterion, at, scope, structure, rounds, own, ablation, retrain in product(
            section.criterion,
            section.at,
            section.scope or (None,),
            section.structure,
            section.rounds or (None,),
            section.init or (None,),
            section.ablation,
            section.retrain,
        ):
            way = rounds or criterion.own_rounds()
            for budget in _budgets(section, retrain):
                settled, length = retrain.settled(budget)
                arm = Arm(
                    criterion=criterion,
                    scope=scope or usual_scope(criterion, way),
                    structure=structure,
                    at=None if way.during else at,
                    rounds=way,
                    init=own or init,
                    ablation=ablation,
                    retrain=settled,
                    budget=length,
                    inherits_init=own is None or own == init,
                )
                yield arm if section.label is None else replace(arm, given=_filled(section.label, arm))


def _filled(label: str, arm: Arm) -> str:
    cells = {name: arm.cell(name) for name in PLACEHOLDERS}
    return filled(label, {name: "" if text is None else words(text) for name, text in cells.items()})


@cache
def _usual() -> PruneSection:
    """A table that gives only its criterion: everything else is the default, which labels leave out."""
    return PruneSection.model_validate({"criterion": "magnitude"})


def scopes_of(section: PruneSection, criterion: Criterion) -> tuple[Scope, ...]:
    """The scopes that the arms of a criterion have in one [[prune]] table."""
    ways = section.rounds or (criterion.own_rounds(),)
    return section.scope or tuple(dict.fromkeys(usual_scope(criterion, way) for way in ways))


def usual_scope(criterion: Criterion, rounds: Rounds) -> Scope:
    """The scope where a study gives none: that of the rounds, if they have one, else the criterion's."""
    return _scope(rounds.own_scope) if rounds.own_scope is not None else criterion.own_scope()


@cache
def _scope(name: str) -> Scope:
    return read_entry("scopes", name, Scope)


def number_of_arms(section: PruneSection) -> int:
    """How many arms one [[prune]] table has, without expanding it."""
    others = math.prod(len(getattr(section, name) or (None,)) for name in COLUMNS if name not in ("retrain", "budget"))
    return others * sum(len(_budgets(section, retrain)) for retrain in section.retrain)


def _budgets(section: PruneSection, retrain: Retraining) -> tuple[Budget, ...]:
    """The budgets of a table that apply to a retraining: none to one without, or with a length of its own."""
    if section.budget is None or not retrain.budgeted or retrain.own_length() is not None:
        return (None,)
    return section.budget


def agrees(wanted: Any, value: Any) -> bool:
    """Whether a choice is what a selector asks for: a name means every choice of parameters, a table those it gives."""
    plain = written(value)
    if isinstance(value, Entry):
        known = {"name": value.name, **value.parameters()}
    elif isinstance(plain, Mapping):
        known = {"schedule": "continue", **plain} if isinstance(value, PruningMoment) else dict(plain)
    else:
        return same(plain, wanted) or (isinstance(plain, str) and wanted == {"name": plain})
    if isinstance(wanted, Mapping):
        return bool(wanted) and all(name in known and same(known[name], part) for name, part in wanted.items())
    return isinstance(wanted, str) and (known.get("name") == wanted or same(known, wanted))


def same(one: Any, other: Any) -> bool:
    """Whether two plain values mean the same: 1 is 1.0 but not true, { step = 0 } is "init"."""
    one, other = _word(one), _word(other)
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def _word(value: Any) -> Any:
    """The initialization has one way to be written, and so has a budget in FLOPs."""
    if value == {"flops": True}:
        return "flops"
    return "init" if value in ({"epoch": 0}, {"step": 0}) else value


@lru_cache(maxsize=10_000)
def moment_label(when: When) -> str:
    """A moment for people: 'init', 'epoch 4', 'step 1000, schedule restart'."""
    return words(cell(written(when)))


def retraining_label(retrain: Retraining, budget: Budget) -> str:
    """A retraining for people, with its budget unless that is the whole recipe."""
    return retrain.label() if budget in (None, 1.0) else f"{retrain.label()}, {budget_label(budget)}"


def budget_label(budget: Budget) -> str:
    """A length of retraining for people: 'budget 0.25', '3 epochs', 'budget flops, at most 2 times'."""
    if isinstance(budget, FlopsBudget):
        return "budget flops" if budget.cap is None else f"budget flops, at most {budget.cap:g} times"
    if isinstance(budget, Length):
        count, unit = (budget.epochs, "epoch") if budget.steps is None else (budget.steps, "step")
        return f"{count} {unit}{'s' * (count != 1)}"
    return f"budget {budget:g}"
