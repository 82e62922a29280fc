"""Questions on the terminal, each with an answer that Enter gives."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from prunectl.api.new import Choices, place_of, problems_of
from prunectl.base.errors import PrunectlError
from prunectl.base.text import did_you_mean
from prunectl.cli.console import say

T = TypeVar("T")
FIRST = "my-study"


def ask(question: str, default: str, read: Callable[[str], T]) -> T:
    """What `read` makes of the answer. A question whose answer `read` refuses (PrunectlError) is asked again."""
    while True:
        sys.stderr.write(f"{question} [{default}]: ")
        sys.stderr.flush()
        line = sys.stdin.readline()
        if not line:
            raise PrunectlError("nothing was written: the answers ended", hint="give a name: `prunectl new NAME`")
        try:
            return read(line.strip() or default)
        except PrunectlError as error:
            say(str(error))


def asked_name() -> str:
    """The name of a study that does not exist yet."""

    def read(answer: str) -> str:
        place_of(answer)
        return answer

    return ask("Name of the study", FIRST, read)


def asked_choices() -> Choices:
    """What the study is about: whatever is asked for goes with what was answered before."""
    usual = Choices()
    data = ask("Data set (? lists them)", usual.dataset, lambda answer: _with(usual, dataset=_name("datasets", answer)))
    choices = ask("Network (? lists them)", usual.model, lambda answer: _with(data, model=_name("models", answer)))
    choices = ask(
        "Criteria, separated by commas (? lists them)",
        ", ".join(usual.criteria),
        lambda answer: _with(choices, criteria=tuple(_name("criteria", name.strip()) for name in answer.split(","))),
    )
    return ask(
        "Sparsities, separated by commas",
        ", ".join(f"{sparsity:g}" for sparsity in usual.sparsities),
        lambda answer: _with(choices, sparsities=tuple(map(_fraction, answer.split(",")))),
    )


def _name(catalog: str, answer: str) -> str:
    """A name of a catalogue. Raises PrunectlError, with all of them for a question mark."""
    from prunectl.catalog.lookup import names

    known = names(catalog)
    if answer == "?":
        raise PrunectlError(", ".join(known))
    if answer not in known:
        raise PrunectlError(f"there is no {answer!r} among the {catalog}", hint=did_you_mean(answer, known, "{}"))
    return answer


def _fraction(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise PrunectlError(f"{text.strip()!r} is not a number", hint="for example 0, 0.5, 0.9") from None


def _with(choices: Choices, **changed: object) -> Choices:
    """The choices with one more of them. Raises PrunectlError if they do not go together."""
    changed_choices = replace(choices, **changed)  # type: ignore[arg-type]  # each is of its field's type
    if problems := problems_of(changed_choices.text(FIRST)):
        raise PrunectlError("\n".join(line for problem in problems for line in problem.lines()))
    return changed_choices
