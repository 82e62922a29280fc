"""The kinds of values in a study file: numbers with their ranges, one-or-a-list, catalogue names, moments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    GetJsonSchemaHandler,
    PlainSerializer,
    Tag,
    WithJsonSchema,
)
from pydantic_core import CoreSchema

from prunectl.base.errors import Problem
from prunectl.catalog.entry import Entry
from prunectl.catalog.problems import line, refusal, refused
from prunectl.catalog.section import Section, named
from prunectl.catalog.seeds import UntilSettled
from prunectl.catalog.wording import shown

T = TypeVar("T")

MAX_SEEDS = 10_000
MOST_VALUES = 1_000
"""Values of one list: arms are the product of such lists."""


Denominator = Literal["prunable", "all"]
"""What sparsities are fractions of: the prunable weights, or all parameters, those that are never pruned included."""

Fraction = Annotated[float, Field(ge=0, lt=1)]
Rate = Annotated[float, Field(gt=0, lt=1)]
Multiple = Annotated[float, Field(gt=0, le=100)]
LearningRate = Annotated[float, Field(gt=0, le=1000)]
WeightDecay = Annotated[float, Field(ge=0, le=10)]
Smoothing = Annotated[float, Field(ge=0, lt=1)]
Norm = Annotated[float, Field(gt=0, le=1_000_000)]
Penalty = Annotated[float, Field(ge=0, le=10)]
Tolerance = Annotated[float, Field(ge=0, le=1)]
Epochs = Annotated[int, Field(ge=1, le=1_000_000)]
Steps = Annotated[int, Field(ge=1, le=1_000_000_000)]
BatchSize = Annotated[int, Field(ge=1, le=1_000_000)]
Compression = Annotated[float, Field(ge=1, le=1_000_000)]
Count = Annotated[int, Field(ge=1, le=1_000_000_000)]
HeldOut = Annotated[int, Field(ge=0, le=1_000_000_000)]
Seed = Annotated[int, Field(ge=0, lt=2**31)]


def distinct(values: tuple[T, ...]) -> tuple[T, ...]:
    """The values, if all differ; otherwise every repetition is refused."""
    first: dict[Any, int] = {}
    lines = []
    for place, value in enumerate(values):
        if first.setdefault(value, place) != place:
            what = shown(value) if isinstance(value, str | int | float) else "this"
            message = f"{what} is in the list twice (first at place {first[value]}, counted from 0)"
            lines.append(line(Problem(path=(place,), message=message), values))
    if lines:
        raise refused(lines)
    return values


def _listed(value: Any) -> Any:
    values = tuple(value) if isinstance(value, list | tuple) else (value,)
    return _not_too_many(values, MOST_VALUES)


def _not_too_many(values: tuple[Any, ...], most: int) -> tuple[Any, ...]:
    """Refused before a value is looked at: a list of 100,000 mistakes takes seconds to describe."""
    if len(values) > most:
        raise refusal(f"must be a list of at most {most}, not {shown(values)}", values)
    return values


def _counted(value: Any) -> Any:
    """A count n means the seeds 1 to n."""
    if isinstance(value, tuple):
        return _not_too_many(value, MAX_SEEDS)
    if isinstance(value, bool) or not isinstance(value, int):
        return value
    if not 1 <= value <= MAX_SEEDS:
        raise refusal(f"a count of seeds must be at least 1 and at most {MAX_SEEDS}, not {shown(value)}", value)
    return tuple(range(1, value + 1))


class _OrOne:
    """The JSON Schema of a list that may be written as its one item."""

    def __get_pydantic_json_schema__(self, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        several = {**handler(core_schema), "maxItems": MOST_VALUES}
        return {"anyOf": [several["items"], several]}


Many = Annotated[tuple[T, ...], Field(min_length=1), AfterValidator(distinct), BeforeValidator(_listed), _OrOne()]
"""One value or a list of distinct ones."""

_SEEDS = {
    "anyOf": [
        {"type": "integer", "minimum": 1, "maximum": MAX_SEEDS, "description": "seeds 1 to n"},
        {
            "type": "array",
            "items": {"type": "integer", "minimum": 0, "exclusiveMaximum": 2**31},
            "minItems": 1,
            "maxItems": MAX_SEEDS,
        },
    ],
    "x-words": f"a count, or a list of whole numbers from 0 to {2**31 - 1}",
}


def _as_written(entry: Entry) -> dict[str, Any]:
    return {"name": entry.name, **entry.model_dump(by_alias=True)}


def catalogued(catalog: str) -> tuple[BeforeValidator, PlainSerializer, WithJsonSchema]:
    """The extras of a field for an entry of a catalogue: `Annotated[Criterion, *catalogued("criteria")]`.

    A study file gives the entry by its name, or as a table with the name and parameters.
    """
    schema = {"x-catalog": catalog, "x-words": f"a name of the {catalog}, or a table with a name"}
    return BeforeValidator(partial(named, catalog)), PlainSerializer(_as_written), WithJsonSchema(schema)


def _shape(value: Any) -> str:
    # A table is meant as one, whatever is wrong with it. No key that people write looks like these tags.
    return "(table)" if isinstance(value, dict | Section) else "(word)"


ListOfSeeds = Annotated[
    tuple[Seed, ...],
    Field(min_length=1),
    AfterValidator(distinct),
    BeforeValidator(_counted),
    WithJsonSchema(_SEEDS),
]

Seeds = Annotated[
    Annotated[ListOfSeeds, Tag("(word)")] | Annotated[UntilSettled, Tag("(table)")], Discriminator(_shape)
]
"""Seeds: a list, a count n for 1 to n, or as many as it takes to settle the claims."""


class LoadedWeights(Section):
    """Weights that are loaded from a file and not drawn, the same for every seed."""

    model_config = ConfigDict(json_schema_extra={"x-words": 'a table { weights = "FILE.safetensors" }'})

    weights: Annotated[str, Field(min_length=1, max_length=1000)] = Field(
        description="a file of safetensors or torch.save, from the study's own directory, with every parameter by name"
    )


Drawing = Literal[
    "kaiming-normal", "kaiming-uniform", "xavier-normal", "xavier-uniform", "torch-default", "orthogonal",
    "own", "pretrained",
]  # fmt: skip

Initialization = Annotated[
    Annotated[Drawing, Tag("(word)")] | Annotated[LoadedWeights, Tag("(table)")], Discriminator(_shape)
]
"""The weights that a network begins with: how they are drawn, or where they are loaded from."""


class Moment(Section):
    """A place in the dense training: exactly one of an epoch and a step, counted from 0 at its start."""

    model_config = ConfigDict(json_schema_extra={"x-words": "a table { epoch = N } or { step = N }"})

    one_of = ("epoch", "step")

    epoch: Annotated[int, Field(ge=0, le=1_000_000)] | None = Field(default=None, description="after this many epochs")
    step: Annotated[int, Field(ge=0, le=1_000_000_000)] | None = Field(
        default=None, description="after this many optimizer steps"
    )


class PruningMoment(Moment):
    """A moment of the dense training at which weights are pruned, and how the learning rate goes on from there."""

    schedule: Literal["continue", "restart"] = Field(
        default="continue", description="whether the learning rate goes on after pruning, or begins again"
    )

    @classmethod
    def rules(cls, table: Mapping[str, Any]) -> Iterator[Problem]:
        """A schedule needs a training before it: at the initialization it has not begun."""
        yield from super().rules(table)
        for unit in cls.one_of:
            if type(table.get(unit)) is int and table[unit] == 0 and "schedule" in table:
                message = f'is for pruning in mid-training; {unit} 0 is "init", before the schedule begins'
                yield Problem(path=("schedule",), message=message)


class Length(Section):
    """How long a training lasts: exactly one of epochs and steps."""

    model_config = ConfigDict(json_schema_extra={"x-words": "a table { epochs = N } or { steps = N }"})

    one_of = ("epochs", "steps")

    epochs: Epochs | None = Field(default=None, description="in passes over the training images")
    steps: Steps | None = Field(default=None, description="in optimizer steps")


class FlopsBudget(Section):
    """As many epochs more as the pruned network takes fewer FLOPs, at most `cap` times the recipe."""

    model_config = ConfigDict(json_schema_extra={"x-words": "a table { flops = true, cap = X }"})

    flops: Literal[True] = Field(description="the budget is that of the dense network in FLOPs")
    cap: Annotated[float, Field(ge=1, le=100)] | None = Field(
        default=None, description="at most this many times the recipe"
    )


def _from_the_start(value: Any) -> Any:
    """No epoch and no step at all is the initialization: one moment has one way to write it."""
    if isinstance(value, dict) and len(value) == 1:
        ((key, count),) = value.items()
        if key in ("epoch", "step") and type(count) is int and count == 0:
            return "init"
    return value


def _in_flops(value: Any) -> Any:
    """ "flops" is the table without a cap."""
    return {"flops": True} if value == "flops" else value


def _unit_of(value: Any) -> str:
    if isinstance(value, FlopsBudget) or (isinstance(value, dict) and {"flops", "cap"} & value.keys()):
        return "(flops)"
    return _shape(value)


class _OrFlops:
    """The JSON Schema of a budget, with the word that means a table."""

    def __get_pydantic_json_schema__(self, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        *lengths, flops = handler(core_schema)["oneOf"]
        word = {"const": "flops", "title": "flops", "description": "as { flops = true }, without a cap"}
        return {"oneOf": [*lengths, word, flops]}


Budget = Annotated[
    Annotated[Multiple, Tag("(word)")] | Annotated[Length, Tag("(table)")] | Annotated[FlopsBudget, Tag("(flops)")],
    Discriminator(_unit_of),
    BeforeValidator(_in_flops),
    _OrFlops(),
]
"""How long to retrain: a multiple of the recipe, a length, or what the dense network takes in FLOPs."""

When = Annotated[
    Annotated[Literal["init", "end"], Tag("(word)")] | Annotated[Moment, Tag("(table)")],
    Discriminator(_shape),
    BeforeValidator(_from_the_start),
]
"""When, in the dense training: at initialization, at the end, or at a moment between."""

At = Annotated[
    Annotated[Literal["init", "end"], Tag("(word)")] | Annotated[PruningMoment, Tag("(table)")],
    Discriminator(_shape),
    BeforeValidator(_from_the_start),
]
"""When weights are pruned: `When`, where a table may also hold `schedule = "restart"`."""
