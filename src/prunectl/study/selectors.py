"""The grammar of `--only`: conditions on a trial. A comma means and; several selectors mean or.

    criterion=snip,sparsity>=0.9        at!=init        rounds={name="iterative",rate=0.2}        label="SNIP"

A value is a bare word or TOML. A name means every choice of parameters, a table those that it gives; a label means an
arm with every ablation, or with one as tables write it; seeds are compared exactly, sparsities and compressions to
four digits.
"""

from __future__ import annotations

import math
import operator
import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from prunectl.base.cells import cell, parsed
from prunectl.base.errors import StudyError
from prunectl.base.text import did_you_mean
from prunectl.study.arms import COLUMNS, Arm

NUMBERS = ("budget", "seed", "sparsity", "compression")
LABEL = "label"
FIELDS = (*COLUMNS, "seed", "sparsity", "compression", LABEL)
EXAMPLE = "write --only 'criterion=snip,sparsity>=0.9'"
DIGITS = 1e-4

_SIGNS = re.compile(r"'[^']*'|\"(?:[^\"\\]|\\.)*\"|[(\[{,)\]}]")
_CONDITION = re.compile(r"\s*([A-Za-z_]\w*)\s*(!=|<=|>=|=|<|>)\s*(.*)", re.DOTALL)
_NUMBER = re.compile(r"\d+\.?\d*|\.\d+")
_ORDER: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, kw_only=True)
class Condition:
    """One `field sign value` of a selector."""

    field: str
    sign: str
    value: Any
    text: str

    def holds(self, arm: Arm, sparsity: float, seed: int) -> bool:
        """Whether the trial of an arm at a sparsity with a seed is meant."""
        numbers = {"sparsity": sparsity, "compression": 1 / (1 - sparsity), "seed": seed, "budget": arm.budget}
        if self.sign in _ORDER:
            number = numbers[self.field]
            return isinstance(number, int | float) and self._ordered(number)
        if self.field in ("sparsity", "compression"):
            equal = _close(numbers[self.field], self.value)
        elif self.field == "seed":
            equal = seed == self.value
        elif self.field == LABEL:
            equal = self.value in (arm.label, arm.unablated)
        else:
            equal = arm.matches({self.field: self.value})
        return equal == (self.sign == "=")

    def _ordered(self, number: float) -> bool:
        close = self.field != "seed" and _close(number, self.value)
        return "=" in self.sign if close else _ORDER[self.sign](number, self.value)


def _close(number: Any, wanted: Any) -> bool:
    return math.isclose(number, wanted, rel_tol=DIGITS, abs_tol=1e-9)


def conditions(selector: str) -> tuple[Condition, ...]:
    """The conditions of one selector. Raises StudyError for what cannot be read, with the nearest field."""
    return tuple(_condition(piece, selector) for piece in _pieces(selector))


def selector_of(columns: Mapping[str, Any]) -> str:
    """Plain values by field as a selector that means exactly them."""
    return ",".join(f"{name}={cell(value)}" for name, value in columns.items())


def _condition(piece: str, selector: str) -> Condition:
    match = _CONDITION.fullmatch(piece)
    if match is None or match[1] not in FIELDS or not match[3].strip():
        field = match[1] if match else piece.partition("=")[0].strip()
        near = None if field in FIELDS else did_you_mean(field, FIELDS, "{}=...")
        if match is not None and field == "arm":  # the column of the table
            near = f"an arm is selected by its label: {LABEL}{match[2]}{match[3]}"
        hint = near or _or_instead(piece, selector) or EXAMPLE
        raise StudyError(f"--only {selector!r}: {piece!r} is no condition; fields: {', '.join(FIELDS)}", hint=hint)
    field, sign, text = match[1], match[2], match[3]
    if text.startswith("="):
        hint = f"one = is enough: {field}{sign}{text.lstrip('= ')}"
        raise StudyError(f"--only {selector!r}: {piece!r} is no condition", hint=hint)
    if sign in _ORDER and field not in NUMBERS:
        raise StudyError(f"--only {selector!r}: {field} has no order", hint=f"write {field}= or {field}!=")
    try:
        value = parsed(text)
    except ValueError as error:
        raise StudyError(f"--only {selector!r}: the value of {field} is {error}", hint=EXAMPLE) from None
    if field == LABEL and not isinstance(value, str):
        value = text.strip()
    numeric = isinstance(value, int | float) and not isinstance(value, bool)
    if not numeric and (field in ("seed", "sparsity", "compression") or sign in _ORDER):
        values = _NUMBER.findall(text)
        several = _repeated(field, sign, values) if len(values) > 1 else None
        raise StudyError(f"--only {selector!r}: {field} takes one number, not {text.strip()!r}", hint=several)
    return Condition(field=field, sign=sign, value=value, text=piece.strip())


def _or_instead(piece: str, selector: str) -> str | None:
    """The hint for a value without a field, as in sparsity=0.9,0.98: a comma means and."""
    before = next((match for match in map(_CONDITION.fullmatch, _pieces(selector)) if match), None)
    plain = not any(sign in piece for sign in "=<>!")
    return _repeated(before[1], before[2], [before[3], piece]) if before and plain else None


def _repeated(field: str, sign: str, values: Iterable[str]) -> str:
    """The hint for several values of one field."""
    options = " ".join(f"--only {shlex.quote(f'{field}{sign}{value}')}" for value in values)
    return f"a comma means and; for several values repeat the option: {options}"


def _pieces(text: str) -> Iterator[str]:
    """The text split at its commas outside brackets and quotes; empty pieces are left out."""
    start = depth = 0
    for sign in _SIGNS.finditer(text):
        depth += {"{": 1, "[": 1, "(": 1, "}": -1, "]": -1, ")": -1}.get(sign[0], 0)
        if sign[0] == "," and depth == 0:
            if piece := text[start : sign.start()].strip():
                yield piece
            start = sign.end()
    if piece := text[start:].strip():
        yield piece
