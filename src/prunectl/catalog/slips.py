"""A slip is one thing wrong with a study, at its path; this is where pydantic's errors become slips."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import islice
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.errors import PydanticInvalidForJsonSchema

from prunectl.base.text import did_you_mean, visible
from prunectl.catalog.wording import Path, allowed, listing, shown

MOST = 200
"""Errors of one table that are told; a file with more is no study that went wrong, but something else."""


@dataclass(frozen=True, kw_only=True)
class Slip:
    """What is wrong, at a path relative to the table or value that was being read."""

    path: Path
    message: str
    hint: str | None = None

    def under(self, path: Path) -> Slip:
        """The same slip, seen from further out."""
        return replace(self, path=(*path, *self.path))


class RefusedError(ValueError):
    """A value that cannot be used, with everything that is wrong with it."""

    def __init__(self, slips: Iterable[Slip]) -> None:
        self.slips = tuple(slips)
        super().__init__("; ".join(slip.message for slip in self.slips))


def refused(message: str, *, hint: str | None = None, path: Path = ()) -> RefusedError:
    """The refusal for one reason."""
    return RefusedError([Slip(path=path, message=message, hint=hint)])


def slips_of(error: ValidationError) -> tuple[Slip, ...]:
    """The slips of the outermost section, which has collected those of all inner ones."""
    cause = error.errors(include_url=False)[0].get("ctx", {}).get("error")
    assert isinstance(cause, RefusedError), "a section refuses with RefusedError only"
    return cause.slips


def written(path: Sequence[str | int], value: Any) -> tuple[Path, Any]:
    """The part of a path that the value really has, and what is there.

    Dropped are pydantic's names of union members, and the place 0 of a value that stands for a list of one.
    """
    found: list[str | int] = []
    for step in path:
        if _has(value, step):
            value = value[step]
            found.append(step)
    return tuple(found), value


def _has(value: Any, step: str | int) -> bool:
    if isinstance(step, int):
        return isinstance(value, list | tuple) and 0 <= step < len(value)
    return isinstance(value, Mapping) and step in value


def translated(
    error: ValidationError, model: type[BaseModel], table: Mapping[str, Any], known: Sequence[str]
) -> Iterator[Slip]:
    """Every error of validating `table` as `model`, in words; `known` are the keys allowed there."""
    seen: set[Path] = set()
    for each in islice(error.errors(include_url=False), MOST):
        for slip in _translate(dict(each), model, table, known):
            if slip.path not in seen or each["type"] == "value_error":
                yield slip
            seen.add(slip.path)


def _translate(
    each: Mapping[str, Any], model: type[BaseModel], table: Mapping[str, Any], known: Sequence[str]
) -> Iterable[Slip]:
    path, value = written(each["loc"], table)
    cause = each.get("ctx", {}).get("error")
    if isinstance(cause, RefusedError):
        return [slip.under(path) for slip in cause.slips]
    if cause is not None:
        return [Slip(path=path, message=visible(str(cause)))]
    if each["type"] == "too_short" and value:
        return []  # pydantic counts only the items that are right; the wrong ones have their own errors
    if each["type"] == "missing":
        return [missing((*path, str(each["loc"][-1])), _allowed(model, each["loc"]))]
    if each["type"] == "extra_forbidden" and path:
        return [unknown(path, known)]
    return [_wrong(path, value, model, each)]


def missing(path: Path, what: str | None) -> Slip:
    """A key that has to be there and is not."""
    return Slip(path=path, message="missing" + (f": must be {what}" if what else ""))


def unknown(path: Path, known: Sequence[str]) -> Slip:
    """A key that is not known where it stands."""
    key = str(path[-1])
    takes = f"allowed here: {listing(known)}" if known else "nothing may stand here"
    return Slip(path=path, message=f"unknown key; {takes}", hint=did_you_mean(key, known))


def _wrong(path: Path, value: Any, model: type[BaseModel], each: Mapping[str, Any]) -> Slip:
    what = _allowed(model, each["loc"]) or _plain(str(each["msg"]))
    hint = None
    if isinstance(value, str):
        hint = did_you_mean(value, re.findall(r'"([^"]+)"', what))
        if hint is None and "number" in what and re.fullmatch(r"[-+]?[0-9.]{1,20}(e[-+]?[0-9]+)?", value):
            hint = "numbers stand without quotes"
    return Slip(path=path, message=f"must be {what}, not {shown(value)}", hint=hint)


def _plain(message: str) -> str:
    """The library's own words for what would be right, for a type that has no JSON Schema."""
    return visible(re.sub(r"^.*?should (be|have) ", "", message))


def _allowed(model: type[BaseModel], location: Sequence[str | int]) -> str | None:
    """What the model lets through at a location, in words; None where its JSON Schema does not tell."""
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
    found = schema.get("items") if isinstance(step, int) else schema.get("properties", {}).get(step)
    parts = [*schema.get("anyOf", ()), *schema.get("oneOf", ())]
    candidates = [found, *(_inside(part, step, definitions) for part in parts)]
    return next((each for each in candidates if isinstance(each, dict)), None)
