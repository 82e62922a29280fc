"""The kinds of values in a study file: numbers with their ranges, one-or-a-list, catalogue names, moments."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    PlainSerializer,
    Tag,
    WithJsonSchema,
)

from prunectl.catalog import augmentation, optimizer, schedule
from prunectl.catalog.entry import Entry
from prunectl.catalog.slips import RefusedError, Slip, refused
from prunectl.catalog.table import Section, as_entry
from prunectl.catalog.wording import shown

T = TypeVar("T")

MAX_SEEDS = 10_000

Ablation = Literal["none", "shuffle", "reinit", "invert"]
Retraining = Literal["none", "recalibrate", "finetune", "weight-rewind", "lr-rewind"]
Structure = Literal["weights", "channels"]
Initialization = Literal[
    "kaiming-normal", "kaiming-uniform", "xavier-normal", "xavier-uniform", "torch-default", "orthogonal"
]


def _unsigned(value: float) -> float:
    return value + 0.0  # −0.0 becomes 0.0: they are equal, and must not make two keys


Fraction = Annotated[float, Field(ge=0, lt=1), AfterValidator(_unsigned)]
Rate = Annotated[float, Field(gt=0, lt=1)]
Share = Annotated[float, Field(gt=0, le=1)]
LearningRate = Annotated[float, Field(gt=0, le=1000)]
WeightDecay = Annotated[float, Field(ge=0, le=10), AfterValidator(_unsigned)]
Epochs = Annotated[int, Field(ge=1, le=1_000_000)]
Steps = Annotated[int, Field(ge=1, le=1_000_000_000)]
BatchSize = Annotated[int, Field(ge=1, le=1_000_000)]
Compression = Annotated[float, Field(ge=1, le=1_000_000)]
Count = Annotated[int, Field(ge=1, le=1_000_000_000)]
Seed = Annotated[int, Field(ge=0, lt=2**31)]


def distinct(values: tuple[T, ...]) -> tuple[T, ...]:
    """The values, if none is there twice; otherwise every later one is refused."""
    seen: dict[Any, int] = {}
    slips = []
    for place, value in enumerate(values):
        first = seen.setdefault(value, place)
        if first != place:
            what = shown(value) if isinstance(value, str | int | float) else "this"
            message = f"{what} is in the list twice (first at place {first}, counted from 0)"
            slips.append(Slip(path=(place,), message=message))
    if slips:
        raise RefusedError(slips)
    return values


def _listed(value: Any) -> Any:
    return value if isinstance(value, tuple) else tuple(value) if isinstance(value, list) else (value,)


def _counted(value: Any) -> Any:
    """A count n stands for the seeds 1 to n."""
    if isinstance(value, bool) or not isinstance(value, int):
        return value
    if not 1 <= value <= MAX_SEEDS:
        raise refused(f"a count of seeds must be at least 1 and at most {MAX_SEEDS}, not {shown(value)}")
    return tuple(range(1, value + 1))


Many = Annotated[
    tuple[T, ...],
    Field(min_length=1, json_schema_extra={"x-many": True}),
    AfterValidator(distinct),
    BeforeValidator(_listed),
]
"""One value or a list of distinct ones."""

Seeds = Annotated[
    tuple[Seed, ...],
    Field(
        min_length=1,
        json_schema_extra={
            "x-words": "a count, or a list of whole numbers from 0 to 2147483647",
            "x-also": {"type": "integer", "minimum": 1, "maximum": MAX_SEEDS, "description": "seeds 1 to n"},
        },
    ),
    AfterValidator(distinct),
    BeforeValidator(_counted),
]
"""Seeds: a list, or a count n for 1 to n."""


def _as_written(entry: Entry) -> dict[str, Any]:
    return {"name": entry.name, **entry.model_dump()}


def _catalogued(catalog: str) -> tuple[BeforeValidator, PlainSerializer, WithJsonSchema]:
    schema = {"x-catalog": catalog, "x-words": f"a name of the {catalog}, or a table with a name"}
    return as_entry(catalog), PlainSerializer(_as_written), WithJsonSchema(schema)


Criterion = Annotated[Entry, *_catalogued("criteria")]
Scope = Annotated[Entry, *_catalogued("scopes")]
Model = Annotated[Entry, *_catalogued("models")]
Dataset = Annotated[Entry, *_catalogued("datasets")]
Augmentation = Annotated[augmentation.Augmentation, *_catalogued("augmentations")]
Optimizer = Annotated[optimizer.Optimizer, *_catalogued("optimizers")]
Schedule = Annotated[schedule.Schedule, *_catalogued("schedules")]


class Moment(Section):
    """A place in the dense training: exactly one of an epoch and a step, counted from 0 at its start."""

    one_of = ("epoch", "step")

    epoch: Annotated[int, Field(ge=0, le=1_000_000)] | None = Field(default=None, description="after this many epochs")
    step: Annotated[int, Field(ge=0, le=1_000_000_000)] | None = Field(
        default=None, description="after this many optimizer steps"
    )


class Length(Section):
    """How long a training lasts: exactly one of epochs and steps."""

    one_of = ("epochs", "steps")

    epochs: Epochs | None = Field(default=None, description="in passes over the training images")
    steps: Steps | None = Field(default=None, description="in optimizer steps")


Budget = Annotated[
    Annotated[Share, Tag("\0word")] | Annotated[Length, Tag("\0table")],
    Discriminator(lambda value: _shape(value)),
    WithJsonSchema(
        {
            "x-words": "a number above 0 and at most 1, or a table { epochs = N } or { steps = N }",
            "x-budget": True,
        }
    ),
]
"""How long to retrain: a fraction of the recipe, or a length of its own."""


def _from_the_start(value: Any) -> Any:
    """No epoch and no step at all is the initialization: one moment, one way to say it."""
    if isinstance(value, dict) and len(value) == 1:
        ((key, count),) = value.items()
        if key in ("epoch", "step") and type(count) is int and count == 0:
            return "init"
    return value


def _shape(value: Any) -> str:
    # A table is meant as a moment, whatever is wrong with it. No key begins as the tags do.
    return "\0table" if isinstance(value, dict | Section) else "\0word"


When = Annotated[
    Annotated[Literal["init", "end"], Tag("\0word")] | Annotated[Moment, Tag("\0table")],
    Discriminator(_shape),
    WithJsonSchema(
        {
            "x-words": 'one of "init", "end", or a table { epoch = N } or { step = N }',
            "x-moment": True,
        }
    ),
    BeforeValidator(_from_the_start),
]
"""When, in the dense training: at initialization, at the end, or at a moment between."""
