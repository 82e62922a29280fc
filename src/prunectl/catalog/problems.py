"""Problems as lines of pydantic's errors: pydantic puts their places together, each table puts its own into words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import islice
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.errors import PydanticInvalidForJsonSchema
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

from prunectl.base.errors import Path, Problem
from prunectl.base.text import did_you_mean, visible
from prunectl.catalog.wording import allowed, listing, shown
from prunectl.catalog.written_keys import written_keys

Line = InitErrorDetails
"""One error of pydantic, to be raised."""

MOST = 200
"""Most lines taken from one table. A file with more is not a study with mistakes, but something else."""

RULE, VALUE = "prunectl_rule", "prunectl_value"
"""The types of lines in words. All rules that are broken are reported, but only the first wrong value of a place."""


def line(problem: Problem, value: Any, kind: str = VALUE) -> Line:
    """A problem as a line of an error; its path is relative to the value that it was found in."""
    given, _ = existing(problem.path, value)
    return _line(kind, problem.path, value, problem.message, problem.hint, missing=given != problem.path)


def _line(kind: str, path: Path, value: Any, message: str, hint: str | None = None, *, missing: bool = False) -> Line:
    context = {"message": message, "hint": hint, "missing": missing}
    return Line(type=PydanticCustomError(kind, "{message}", context), loc=path, input=value)


def refused(lines: Iterable[Line]) -> ValidationError:
    """The error of these lines. Raised inside a validator, it becomes part of the error around it."""
    return ValidationError.from_exception_data("study", list(lines))


def refusal(message: str, value: Any, *, path: Path = (), hint: str | None = None) -> ValidationError:
    """The error of one problem."""
    return refused([line(Problem(path=path, message=message, hint=hint), value)])


@contextmanager
def all_at_once(model: type[BaseModel], lines: Iterable[Line] = ()) -> Iterator[None]:
    """Validate a table as `model` inside: raises the given lines and those of the validation, in words, together."""
    wrong = list(lines)
    try:
        yield
    except ValidationError as error:
        wrong += lines_of(error, model)
    if wrong:
        raise refused(wrong)


def lines_of(error: ValidationError, model: type[BaseModel]) -> list[Line]:
    """Everything wrong with a table that was validated as `model`, in words."""
    details = list(islice(error.errors(include_url=False), MOST))
    # pydantic counts only the items that are right; the wrong ones have lines of their own
    within = {detail["loc"][:end] for detail in details for end in range(len(detail["loc"]))}
    return [
        _in_words(detail, model) for detail in details if detail["type"] != "too_short" or detail["loc"] not in within
    ]


def problems_of(error: ValidationError, value: Any) -> Iterator[Problem]:
    """What is wrong with a value that was validated as a table, each problem at its path in the value."""
    seen: set[Path] = set()
    for given in error.errors(include_url=False):
        context, location = given["ctx"], given["loc"]
        path, _ = existing(location[:-1] if context["missing"] else location, value)
        if context["missing"]:
            path = (*path, location[-1])
        if path not in seen or given["type"] == RULE:
            yield Problem(path=path, message=context["message"], hint=context["hint"])
        seen.add(path)


def existing(path: Sequence[str | int], value: Any) -> tuple[Path, Any]:
    """The part of a path that a value has, and the value at its end.

    Left out are the names of union members, and the place 0 in a single value that is read as a list.
    """
    steps: list[str | int] = []
    for step in path:
        if _has(value, step):
            value = value[step]
            steps.append(step)
    return tuple(steps), value


def _has(value: Any, step: str | int) -> bool:
    if isinstance(step, int):
        return isinstance(value, list | tuple) and 0 <= step < len(value)
    return isinstance(value, Mapping) and step in value


def unknown(path: Path, known: Sequence[str]) -> Problem:
    """A key that is not known where it stands."""
    key = str(path[-1])
    takes = f"allowed here: {listing(known)}" if known else "no key is allowed here"
    return Problem(path=path, message=f"unknown key; {takes}", hint=did_you_mean(key, known))


def _in_words(given: ErrorDetails, model: type[BaseModel]) -> Line:
    """A line of validating `model` in words; those of tables inside it are in words already."""
    kind, path, value, context = given["type"], given["loc"], given["input"], given.get("ctx", {})
    if kind in (RULE, VALUE):
        return _line(kind, path, value, **context)
    if "error" in context:
        return _line(RULE, path, value, visible(str(context["error"])))
    if kind == "extra_forbidden":
        problem = unknown(path, list(written_keys(model)))
        moved: Mapping[str, str] = getattr(model, "moved", {})
        return _line(VALUE, path, value, problem.message, moved.get(str(path[-1]), problem.hint))
    what = _allowed(model, path)
    if kind == "missing":
        return _line(VALUE, path, value, f"missing: must be {what}" if what else "missing", missing=True)
    # for a type without a JSON Schema, the library's own words for what would be right
    what = what or visible(re.sub(r"^.*?should (be|have) ", "", given["msg"]))
    return _line(VALUE, path, value, f"must be {what}, not {shown(value)}", _meant(value, what))


def _meant(value: Any, what: str) -> str | None:
    """A hint for a text in the place of what would be right."""
    if not isinstance(value, str):
        return None
    if hint := did_you_mean(value, re.findall(r'"([^"]+)"', what)):
        return hint
    number = "number" in what and re.fullmatch(r"[-+]?[0-9.]{1,20}(e[-+]?[0-9]+)?", value)
    return "write numbers without quotes" if number else None


def _allowed(model: type[BaseModel], location: Path) -> str | None:
    """What a model allows at a location, in words; None where its JSON Schema does not describe it."""
    whole = _schema(model)
    definitions = whole.get("$defs", {})
    schema = whole
    for step in location:
        inner = _inside(schema, step, definitions)
        if inner is None:
            break
        schema = inner
    return None if schema is whole else allowed(schema, definitions)


@cache
def _schema(model: type[BaseModel]) -> dict[str, Any]:
    try:
        return model.model_json_schema()
    except PydanticInvalidForJsonSchema:
        return {}


def _inside(schema: Mapping[str, Any], step: str | int, definitions: Mapping[str, Any]) -> dict[str, Any] | None:
    """The schema of one key or item of what a schema describes, through references and alternatives."""
    if "$ref" in schema:
        schema = definitions[schema["$ref"].rpartition("/")[2]]
    if isinstance(step, int):
        item = schema.get("items")
    else:
        item = schema.get("properties", {}).get(step, schema.get("additionalProperties"))
    parts = [*schema.get("anyOf", ()), *schema.get("oneOf", ())]
    candidates = [item, *(_inside(part, step, definitions) for part in parts)]
    return next((candidate for candidate in candidates if isinstance(candidate, dict)), None)
