"""Where a user has written what a problem is about: in the study file, or in an option."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from prunectl.base.errors import Path, Problem
from prunectl.study.locate import located, offsets
from prunectl.study.overrides import Override, override_of

LONGEST_LABEL = 200


def placed(text: str, file: str, problems: Iterable[Problem], overridden: Mapping[Path, Override]) -> list[Problem]:
    """The problems with the file, line and column of the key that each is about, as far as the text has it.

    Of what an option has set, the place is the option; of what a profile has set, its line. What is wrong with an entry
    as a whole is wrong with its name.
    """
    return [_placed(text, file, problem, overridden) for problem in problems]


def _placed(text: str, file: str, problem: Problem, overridden: Mapping[Path, Override]) -> Problem:
    override = overridden.get((*problem.path, "name"))
    if override is None and problem.path:
        override = override_of(problem.path, overridden, offsets(text))
    if override is None:
        return located(text, file, [problem])[0]
    if override.origin is None:
        return replace(problem, where=short(override.label))
    return replace(problem, where=located(text, file, [replace(problem, path=override.origin)])[0].where)


def short(label: str) -> str:
    """What a user has given, as a message shows it."""
    return label if len(label) <= LONGEST_LABEL else label[:LONGEST_LABEL] + "…"
