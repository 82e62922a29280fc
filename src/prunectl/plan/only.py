"""`--only criterion=snip,sparsity=0.9`: a plan with fewer trials."""

from __future__ import annotations

import math
from dataclasses import replace

from prunectl.base.errors import StudyError
from prunectl.base.text import did_you_mean
from prunectl.plan.graph import Plan, Trial
from prunectl.study.labels import pieces

FIELDS = ("criterion", "scope", "structure", "at", "rounds", "ablation", "retrain", "seed", "sparsity", "compression")


def only(plan: Plan, selector: str) -> Plan:
    """The plan with the trials that match every `field=value` of the selector. Raises StudyError if none does."""
    chosen = plan.trials
    for pair in pieces(selector):
        name, equals, value = (part.strip() for part in pair.partition("="))
        if not equals or name not in FIELDS:
            raise StudyError(
                f"--only {pair!r}: a field is one of {', '.join(FIELDS)}",
                hint=did_you_mean(name, FIELDS, "{}=...") or "write --only 'criterion=snip,sparsity=0.9'",
            )
        there = list(dict.fromkeys(_text(trial, name) for trial in chosen))
        chosen = tuple(trial for trial in chosen if _matches(trial, name, value))
        if not chosen:
            raise StudyError(f"--only {pair!r} leaves no trial", hint=f"{name} is one of {', '.join(there[:20])}")
    return replace(plan, trials=chosen)


def _text(trial: Trial, name: str) -> str:
    numbers = {
        "seed": str(trial.seed),
        "sparsity": f"{trial.sparsity:g}",
        "compression": f"{1 / (1 - trial.sparsity):g}",
    }
    return {**trial.arm.columns(), **numbers}[name]


def _matches(trial: Trial, name: str, value: str) -> bool:
    text = _text(trial, name)
    if name in ("sparsity", "compression", "seed"):
        try:
            return math.isclose(float(text), float(value), rel_tol=1e-4, abs_tol=1e-9)
        except ValueError:
            return False
    return value in (text, text.partition("(")[0])
