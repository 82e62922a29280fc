"""`--only criterion=snip,sparsity>=0.9`: a plan with fewer trials."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from prunectl.base.cells import cell, parsed, quoted
from prunectl.base.errors import StudyError
from prunectl.base.text import did_you_mean
from prunectl.plan.graph import Plan, Trial
from prunectl.study.arms import COLUMNS
from prunectl.study.selectors import EXAMPLE, LABEL, Condition, conditions, selector_of

SHOWN = 20


def only(plan: Plan, selectors: Sequence[str]) -> Plan:
    """The plan with the trials that one of the selectors means. Raises StudyError for a selector without a trial."""
    if not selectors:
        return plan
    chosen = {id(trial) for selector in selectors for trial in _meant(plan.trials, selector)}
    return replace(plan, trials=tuple(trial for trial in plan.trials if id(trial) in chosen))


def narrowed(trial: Trial, trials: Sequence[Trial]) -> str:
    """A selector that means a trial, and of the others only those with the same arm, sparsity and seed."""
    values = [_values(each) for each in trials]
    own = {name: value for name, value in _values(trial).items() if value is not None}
    return selector_of({name: own[name] for name in own if any(other[name] != own[name] for other in values)})


def _values(trial: Trial) -> dict[str, Any]:
    """A trial by fields of selectors, each choice with all of its parameters, defaults included."""
    exact = {name: trial.arm.exact(name) for name in COLUMNS}
    sparsity = float(f"{trial.sparsity:.6g}")
    return {**exact, "sparsity": int(sparsity) if sparsity.is_integer() else sparsity, "seed": trial.seed}


def _meant(trials: Sequence[Trial], selector: str) -> Sequence[Trial]:
    asked = conditions(selector)
    if not asked:
        raise StudyError(f"--only {selector!r} asks for nothing", hint=EXAMPLE)
    for condition in asked:
        left = [trial for trial in trials if condition.holds(trial.arm, trial.sparsity, trial.seed)]
        if not left:
            values = list(dict.fromkeys(_text(trial, condition) for trial in trials))
            named = [quoted(value) for value in values] if condition.field == LABEL else values  # may hold commas
            shown = ", ".join(named[:SHOWN]) + (", ..." if len(values) > SHOWN else "")
            meant = _nearest(condition, values)
            hint = f"{meant} " if meant else ""
            raise StudyError(
                f"--only {selector!r}: no trial has {condition.text}", hint=f"{hint}{condition.field} is one of {shown}"
            )
        trials = left
    return trials


def _nearest(condition: Condition, values: Sequence[str]) -> str | None:
    """The hint for a misspelt name; of a choice with parameters the name alone is compared."""
    if not isinstance(condition.value, str) or condition.sign != "=":
        return None
    if condition.field == LABEL:
        return did_you_mean(condition.value, values, f'{LABEL}="{{}}"')
    plain = [parsed(value) for value in values]
    names = [value.get("name") if isinstance(value, Mapping) else value for value in plain]
    return did_you_mean(condition.value, [name for name in names if isinstance(name, str)], f"{condition.field}={{}}")


def _text(trial: Trial, condition: Condition) -> str:
    numbers = {"seed": trial.seed, "sparsity": trial.sparsity, "compression": 1 / (1 - trial.sparsity)}
    if condition.field in numbers:
        number = numbers[condition.field]
        return f"{number:g}" if isinstance(number, float) else cell(number)
    if condition.field == LABEL:
        return trial.arm.label
    return trial.arm.columns()[condition.field] or "not given"
