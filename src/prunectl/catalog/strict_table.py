"""What tables of a study and entries of catalogues share: everything wrong is reported at once, each with its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler, ModelWrapValidatorHandler, model_validator
from pydantic_core import CoreSchema

from prunectl.base.errors import Problem
from prunectl.catalog.problems import RULE, all_at_once, line, refusal
from prunectl.catalog.wording import listing, shown


def tupled(value: Any) -> Any:
    """The value with every list as a tuple, as frozen models hold them, and -0.0 as 0.0: equals have one key."""
    if isinstance(value, list | tuple):
        return tuple(map(tupled, value))
    if isinstance(value, dict):
        return {key: tupled(item) for key, item in value.items()}
    return value + 0.0 if type(value) is float else value


def _hashable(value: Any) -> Any:
    if isinstance(value, dict):
        return frozenset((key, _hashable(item)) for key, item in value.items())
    return tuple(map(_hashable, value)) if isinstance(value, tuple) else value


class StrictTable(BaseModel):
    """A table with fixed keys: strict and frozen, and refused with everything that is wrong with it.

    It may hold others, in lists and unions too: what is wrong with them is part of the same ValidationError, which
    `problems_of` takes apart.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)

    one_of: ClassVar[tuple[str, ...]] = ()
    """Keys that exclude each other."""
    needs_one: ClassVar[bool] = True
    """Whether one of `one_of` has to be given."""

    moved: ClassVar[Mapping[str, str]] = {}
    """Keys that people expect in the table and that are elsewhere, each with the hint to where."""

    def __hash__(self) -> int:
        """As pydantic does it, for parameters that are tables of any keys too."""
        return hash((type(self), *(_hashable(getattr(self, key)) for key in type(self).model_fields)))

    @classmethod
    def rules(cls, table: Mapping[str, Any]) -> Iterator[Problem]:
        """What is wrong across keys. Asked of every table, so any key may be missing or have any value."""
        given = [key for key in cls.one_of if key in table]
        if len(given) > 1:
            yield Problem(path=(given[-1],), message=f"cannot be combined with {given[0]}; keep one of them")
        elif not given and cls.one_of and cls.needs_one:
            yield Problem(message=f"one of the keys {listing(cls.one_of)} must be given")

    @classmethod
    def read(cls, table: dict[str, Any], handler: ModelWrapValidatorHandler[Self]) -> Self:
        """The model of a table whose lists are tuples."""
        return handler(table)

    @model_validator(mode="wrap")
    @classmethod
    def _checked(cls, value: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        if isinstance(value, cls):
            return value
        table = tupled(value)
        if not isinstance(table, dict):
            raise refusal(f"must be a table, not {shown(value)}", value)
        with all_at_once(cls, [line(problem, table, RULE) for problem in cls.rules(table)]):
            return cls.read(table, handler)

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """The schema of the table as a study file writes it."""
        table = handler.resolve_ref_schema(handler(core_schema))
        if cls.one_of:
            only = [{"required": [key]} for key in cls.one_of]
            table["oneOf"] = only if cls.needs_one else [*only, {"not": {"anyOf": only}}]
        return table
