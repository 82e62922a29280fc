"""Labels of arms, as studies give them: a name, or a text with placeholders for what the arms of a table differ in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from string import Formatter

from prunectl.base.errors import Problem
from prunectl.base.text import did_you_mean
from prunectl.catalog.wording import listing, shown

PLACEHOLDERS = ("criterion", "scope", "structure", "at", "rounds", "init", "retrain", "budget")
"""The keys of [[prune]] that a label can have in braces. The ablation is added after every label."""


def problems(label: str) -> Iterator[Problem]:
    """What is wrong with a label."""
    if not label.isprintable() or label != label.strip():
        yield Problem(path=(), message="must be one line of visible characters, without spaces at its ends")
        return
    try:
        fields = list(Formatter().parse(label))
    except ValueError:
        message = "has a brace that belongs to no placeholder"
        yield Problem(path=(), message=message, hint='write {{ and }} for braces, "SNIP {budget}" for a placeholder')
        return
    for _, name, form, conversion in fields:
        if name is None:
            continue
        if name == "ablation":
            message = "the ablation is added after the label: 'SNIP · shuffle'"
            yield Problem(path=(), message=message, hint="leave {ablation} out")
        elif name not in PLACEHOLDERS or form or conversion:
            message = f"no placeholder {shown(name)}; there are {listing(PLACEHOLDERS)}"
            yield Problem(path=(), message=message, hint=did_you_mean(name, PLACEHOLDERS, "{{{}}}"))


def filled(label: str, words: Mapping[str, str]) -> str:
    """A label with its placeholders replaced; one that has no words leaves no double space."""
    return " ".join(label.format_map(words).split())
