"""A table of a study file: strict, frozen, and refused with everything that is wrong with it at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    ModelWrapValidatorHandler,
    ValidationError,
    model_validator,
)

from prunectl.base.errors import PrunectlError, nearest
from prunectl.base.text import did_you_mean
from prunectl.catalog.entry import Entry
from prunectl.catalog.slips import RefusedError, Slip, refused, translated
from prunectl.catalog.tables import CATALOGS, entry_type, names
from prunectl.catalog.wording import listing, shown


def tupled(value: Any) -> Any:
    """The value with every list in it as a tuple: TOML gives lists, frozen models hold tuples."""
    if isinstance(value, list | tuple):
        return tuple(tupled(item) for item in value)
    if isinstance(value, dict):
        return {key: tupled(item) for key, item in value.items()}
    return value


class Section(BaseModel):
    """A table of the study file."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)

    one_of: ClassVar[tuple[str, ...]] = ()
    """Keys that exclude each other."""
    needs_one: ClassVar[bool] = True
    """Whether one of `one_of` has to be there."""
    shorthand: ClassVar[str | None] = None
    """The key meant by a bare text in the place of the table."""

    @classmethod
    def rules(cls, table: Mapping[str, Any]) -> Iterator[Slip]:
        """What is wrong with which keys are there, whatever their values."""
        given = [key for key in cls.one_of if key in table]
        if len(given) > 1:
            yield Slip(path=(given[-1],), message=f"cannot stand beside {given[0]}; keep one of them")
        elif not given and cls.one_of and cls.needs_one:
            yield Slip(path=(), message=f"one of the keys {listing(cls.one_of)} must be given")

    @classmethod
    def read(cls, table: dict[str, Any], handler: ModelWrapValidatorHandler[Self]) -> Self:
        """The section for a table whose lists are tuples."""
        try:
            return handler(table)
        except ValidationError as error:
            raise RefusedError(translated(error, cls, table, list(cls.model_fields))) from None

    @model_validator(mode="wrap")
    @classmethod
    def _all_at_once(cls, value: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        if isinstance(value, cls):
            return value
        if cls.shorthand is not None and isinstance(value, str):
            value = {cls.shorthand: value}
        if not isinstance(value, dict):
            raise refused(f"must be a table, not {shown(value)}")
        table = tupled(value)
        slips = list(cls.rules(table))
        try:
            section = cls.read(table, handler)
        except RefusedError as refusal:
            told = {slip.path for slip in slips}
            slips.extend(slip for slip in refusal.slips if slip.path not in told)
            raise RefusedError(slips) from None
        if slips:
            raise RefusedError(slips)
        return section


class FlatSection(Section):
    """A table that names an entry of a catalogue and holds the entry's parameters beside its own keys."""

    entry_field: ClassVar[str]
    catalog: ClassVar[str]

    @classmethod
    def own(cls) -> list[str]:
        """The keys that are the section's own, whatever entry it names."""
        return ["name", *(key for key in cls.model_fields if key != cls.entry_field)]

    @classmethod
    def read(cls, table: dict[str, Any], handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Split the keys into the entry's and the section's own; report what is wrong with either."""
        if isinstance(table.get(cls.entry_field), Entry):
            return super().read(table, handler)
        own = cls.own()
        entry_table = {key: value for key, value in table.items() if key not in own or key == "name"}
        rest = {key: value for key, value in table.items() if key in own and key != "name"}
        slips: list[Slip] = []
        entry = Entry()  # stands in for one that is refused, so that the other keys are checked all the same
        try:
            entry = resolve(cls.catalog, entry_table, known=own)
        except RefusedError as refusal:
            slips.extend(refusal.slips)
        try:
            section = super().read({**rest, cls.entry_field: entry}, handler)
        except RefusedError as refusal:
            slips.extend(refusal.slips)
        if slips:
            raise RefusedError(slips)
        return section


def as_entry(catalog: str) -> BeforeValidator:
    """A validator that turns a name, or a table with a name and parameters, into the entry of a catalogue."""

    def from_document(value: Any) -> Any:
        if isinstance(value, Entry):
            return value
        if isinstance(value, dict):
            return resolve(catalog, value)
        if not isinstance(value, str):
            what = f"the name of a {CATALOGS[catalog].one}, or a table with a name"
            raise refused(f"must be {what}, not {shown(value)}")
        try:
            return resolve(catalog, {"name": value})
        except RefusedError as refusal:
            slips = [Slip(path=(), message=slip.message, hint=slip.hint) for slip in refusal.slips]
            raise RefusedError(slips) from None

    return BeforeValidator(from_document)


def resolve(catalog: str, table: Mapping[str, Any], known: Iterable[str] = ("name",)) -> Entry:
    """The entry that a table names, with its parameters; `known` are the keys that may stand beside them."""
    name = table.get("name")
    there = listing(names(catalog))
    if name is None:
        raise refused(f"missing: must be the name of a {CATALOGS[catalog].one}: {there}", path=("name",))
    if not isinstance(name, str):
        raise refused(f"must be the name of a {CATALOGS[catalog].one}, not {shown(name)}: {there}", path=("name",))
    if name in names(catalog):
        return _with_parameters(catalog, name, table, known)
    likely = nearest(name, names(catalog))
    message = f"there is no {CATALOGS[catalog].one} {shown(name)}; there are {there}"
    slips = [Slip(path=("name",), message=message, hint=did_you_mean(name, names(catalog)))]
    if likely is not None:
        try:
            _with_parameters(catalog, likely, table, known)  # most likely its parameters were meant
        except RefusedError as refusal:
            slips.extend(slip for slip in refusal.slips if slip.path != ("name",))
    raise RefusedError(slips)


def _with_parameters(catalog: str, name: str, table: Mapping[str, Any], known: Iterable[str]) -> Entry:
    try:
        kind = entry_type(catalog, name)
    except PrunectlError as error:
        raise refused(error.message, hint=error.hint, path=("name",)) from None
    parameters = {key: tupled(value) for key, value in table.items() if key != "name"}
    try:
        return kind.model_validate(parameters)
    except ValidationError as error:
        raise RefusedError(translated(error, kind, parameters, [*kind.model_fields, *known])) from None
