"""The study file as frozen models: every key, its type, its range and its default. See docs/study.md.

Values that a study may give as one or as a list are tuples here. A catalogue name, with or without
parameters, is the catalogue's entry here, its parameters checked. Combinations are judged in `check.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from prunectl.base.errors import nearest
from prunectl.catalog.slips import Slip, unknown
from prunectl.catalog.table import FlatSection, Section
from prunectl.catalog.values import (
    Ablation,
    Augmentation,
    BatchSize,
    Budget,
    Compression,
    Count,
    Criterion,
    Dataset,
    Epochs,
    Fraction,
    Initialization,
    LearningRate,
    Length,
    Many,
    Model,
    Moment,
    Optimizer,
    Rate,
    Retraining,
    Schedule,
    Scope,
    Seed,
    Seeds,
    Steps,
    Structure,
    WeightDecay,
    When,
)
from prunectl.catalog.wording import listing

__all__ = [
    "Ablation",
    "Claim",
    "DataSection",
    "FinetuneSection",
    "Fraction",
    "Initialization",
    "Length",
    "LevelsSection",
    "ModelSection",
    "Moment",
    "PrunableSection",
    "PruneSection",
    "PublishedSection",
    "Retraining",
    "RoundsSection",
    "Seed",
    "Study",
    "SweepSection",
    "TrainSection",
    "When",
]  # fmt: skip

MOST_TABLES = 500
MOST_PROFILES = 100
SELECTORS = ("criterion", "scope", "structure", "at", "rounds", "ablation", "retrain", "rewind_to", "budget")
"""The keys of [[prune]] that a claim may select arms by, a single value each."""


class DataSection(FlatSection):
    """[data]: the data set (its name and its own parameters), augmentation, and a cheaper subset if asked."""

    entry_field = "dataset"
    catalog = "datasets"

    dataset: Dataset = Field(description="the data set")
    augment: tuple[Augmentation, ...] = Field(
        default=(), description="what is done to training images, in order; [] for nothing"
    )
    root: str | None = Field(
        default=None,
        min_length=1,
        description="the directory that holds the data, from the study's own; --data goes before it",
    )
    train_limit: Count | None = Field(
        default=None, description="only so many training images: a fixed subset, balanced over the classes"
    )
    test_limit: Count | None = Field(
        default=None, description="only so many test images: a fixed subset, balanced over the classes"
    )


class ModelSection(FlatSection):
    """[model]: the network (its name and its own parameters) and how its weights are drawn."""

    entry_field = "model"
    catalog = "models"

    model: Model = Field(description="the network")
    init: Initialization = Field(default="kaiming-normal", description="how the weights are drawn")
    bn_init: Literal["ones", "uniform"] = Field(default="ones", description="how BatchNorm scales are drawn")


class TrainSection(Section):
    """[train]: the recipe of the baseline, and of every retraining unless it says otherwise."""

    one_of = ("epochs", "steps")

    epochs: Epochs | None = Field(default=None, description="length in passes over the training images")
    steps: Steps | None = Field(default=None, description="length in optimizer steps, instead of epochs")
    batch_size: BatchSize = Field(default=128, description="images per step")
    optimizer: Optimizer = Field(default="sgd", validate_default=True, description="what turns gradients into steps")
    lr: LearningRate = Field(default=0.1, description="the learning rate that the schedule starts from")
    weight_decay: WeightDecay = Field(default=1e-4, description="weight decay")
    schedule: Schedule = Field(
        default="constant", validate_default=True, description="how the learning rate goes over the training"
    )


class FinetuneSection(Section):
    """Overrides of [train] for fine-tuning; what is not given stays, but the rate becomes constant."""

    one_of = ("epochs", "steps")
    needs_one = False

    epochs: Epochs | None = Field(default=None, description="length in passes over the training images")
    steps: Steps | None = Field(default=None, description="length in optimizer steps, instead of epochs")
    batch_size: BatchSize | None = Field(default=None, description="images per step")
    optimizer: Optimizer | None = Field(default=None, description="what turns gradients into steps")
    lr: LearningRate = Field(default=0.001, description="the learning rate that the schedule starts from")
    weight_decay: WeightDecay | None = Field(default=None, description="weight decay")
    schedule: Schedule = Field(
        default="constant", validate_default=True, description="how the learning rate goes over the training"
    )


class LevelsSection(Section):
    """levels: `count` prunings, each by the fraction `rate` of what is left; level k is 1 − (1 − rate)^k."""

    rate: Rate = Field(description="the fraction of what is left that each level removes")
    count: Annotated[int, Field(ge=1, le=100)] = Field(description="how many levels follow the dense one")

    @classmethod
    def rules(cls, table: Mapping[str, Any]) -> Iterator[Slip]:
        """The last level leaves something."""
        rate, count = table.get("rate"), table.get("count")
        if isinstance(rate, float) and 0 < rate < 1 and type(count) is int and 1 <= count <= 100:
            levels = _levels(rate, count)
            if len(set(levels)) < len(levels) or levels[-1] >= 1:
                message = f"{count} levels of rate {rate} leave nothing; give fewer"
                yield Slip(path=("count",), message=message)


def _levels(rate: float, count: int) -> tuple[float, ...]:
    return tuple(1 - (1 - rate) ** level for level in range(count + 1))


class SweepSection(Section):
    """[sweep]: the sparsities (or compressions, or levels) and the seeds of every arm."""

    one_of = ("sparsities", "compression", "levels")

    sparsities: Many[Fraction] | None = Field(default=None, description="the fractions of weights to remove")
    compression: Many[Compression] | None = Field(
        default=None, description="weights before / weights after, instead of sparsities"
    )
    levels: LevelsSection | None = Field(
        default=None, description="repeated prunings by one rate, instead of sparsities"
    )
    seeds: Seeds = Field(default=(1,), description="the seeds: a list, or a count n for 1 to n")

    @property
    def asked(self) -> tuple[float, ...]:
        """The sparsities asked for, ascending, whichever way the study writes them."""
        if self.levels is not None:
            return _levels(self.levels.rate, self.levels.count)
        if self.compression is not None:
            return tuple(sorted(1 - 1 / ratio for ratio in self.compression))
        return tuple(sorted(self.sparsities or ()))


class RoundsSection(Section):
    """How a sparsity is reached: at once, in `count` rounds without training, or by retrained levels."""

    shorthand = "kind"

    kind: Literal["one-shot", "exponential", "linear", "iterative"] = Field(
        default="one-shot",
        description="at once; in rounds without training, density falling in equal ratios or equal steps; "
        "or with retraining after each level",
    )
    count: Annotated[int, Field(ge=1, le=10_000)] | None = Field(
        default=None, description="how many rounds; for exponential and linear"
    )
    rate: Rate | None = Field(
        default=None,
        description="the fraction of what is left that each level removes; for iterative, "
        "which otherwise takes the sweep's sparsities as its levels",
    )

    @classmethod
    def rules(cls, table: Mapping[str, Any]) -> Iterator[Slip]:
        """`count` is for rounds without training, which need it; `rate` is for iterative rounds."""
        kind = table.get("kind", "one-shot")
        kinds = ("one-shot", "exponential", "linear", "iterative")
        likely = nearest(kind, kinds) if isinstance(kind, str) else None
        counted = likely in ("exponential", "linear")
        if counted and "count" not in table:
            yield Slip(path=("count",), message=f'missing: kind = "{likely}" needs the number of rounds')
        if likely is not None and not counted and "count" in table:
            yield Slip(path=("count",), message=f'is for kind = "exponential" or "linear", not for "{likely}"')
        if likely not in (None, "iterative") and "rate" in table:
            yield Slip(path=("rate",), message=f'is for kind = "iterative", not for "{likely}"')


class PruneSection(Section):
    """[[prune]]: arms; every value may be a list, and the arms are the product of the lists."""

    criterion: Many[Criterion] = Field(description="what scores the weights; the lowest scores go")
    at: Many[When] = Field(default=("init",), description="when, in the dense training, weights are pruned")
    scope: Many[Scope] = Field(
        default="global", validate_default=True, description="how the sparsity is spread over the layers"
    )
    structure: Many[Structure] = Field(
        default=("weights",), description="what is pruned: single weights or whole channels"
    )
    # None: the rounds that the criterion is defined with
    rounds: Many[RoundsSection] | None = Field(
        default=None, description="how the sparsity is reached; the default is the criterion's own way"
    )
    ablation: Many[Ablation] = Field(
        default=("none",), description="what is broken on purpose, to see whether it mattered"
    )
    retrain: Many[Retraining] = Field(default=("none",), description="what follows pruning at the end of the training")
    rewind_to: Many[When] = Field(default=("init",), description="where weight-rewind goes back to")
    budget: Many[Budget] | None = Field(
        default=None,
        description="retraining time, a fraction of the recipe or a length: how long to fine-tune, how far to rewind",
    )
    finetune: FinetuneSection | None = Field(default=None, description="overrides of [train] for finetune")
    schedule: Literal["continue", "restart"] = Field(
        default="continue", description="how the learning rate goes on after pruning in mid-training"
    )


class PrunableSection(Section):
    """[prunable]: layers left dense, by name or glob."""

    exclude: tuple[Annotated[str, Field(min_length=1)], ...] = Field(
        default=(), description="names or globs of layers that are not pruned"
    )


class Claim(Section):
    """[[claim]]: `better` − `than` ≥ `margin` in top-1 accuracy, for the arms that the two selectors name."""

    text: Annotated[str, Field(min_length=1)] = Field(description="the claim, as the report prints it")
    better: dict[str, Any] = Field(
        description="the arms that are claimed to be better", json_schema_extra={"x-selector": True}
    )
    than: dict[str, Any] = Field(
        description="the arms that they are held against", json_schema_extra={"x-selector": True}
    )
    margin: Annotated[float, Field(ge=-1, le=1)] = Field(
        default=0.0, description="how much better, as a fraction; −0.005 allows half a point worse"
    )
    at_sparsity: Many[Fraction] | None = Field(
        default=None, description="the sparsities that the claim is about; the default is every one"
    )

    @classmethod
    def rules(cls, table: Mapping[str, Any]) -> Iterator[Slip]:
        """A selector has one of the columns that tell arms apart, and the two are not the same."""
        for side in ("better", "than"):
            selector = table.get(side)
            if not isinstance(selector, dict):
                continue
            if not selector:
                yield Slip(path=(side,), message=f"selects everything: give one of {listing(SELECTORS)}")
            yield from (unknown((side, key), SELECTORS) for key in selector if key not in SELECTORS)
        if table.get("better") and table.get("better") == table.get("than"):
            yield Slip(path=("than",), message="selects the same arms as better")


class PublishedSection(Section):
    """[published]: tables shipped with prunectl to hold the results against."""

    tables: tuple[Annotated[str, Field(min_length=1)], ...] = Field(
        default=(), description="names that `prunectl list published` gives"
    )


class Study(Section):
    """One study file, every default written out."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=64)] = Field(
        description="small letters, digits and hyphens",
        json_schema_extra={"x-words": "1 to 64 small letters, digits and hyphens, the first no hyphen"},
    )
    title: str = Field(default="", description="one line for the head of the report")
    source: str = Field(default="", description="where the study is from")
    data: DataSection = Field(description="the data set")
    model: ModelSection = Field(description="the network")
    train: TrainSection = Field(description="the recipe")
    sweep: SweepSection = Field(description="sparsities and seeds")
    prune: Annotated[tuple[PruneSection, ...], Field(min_length=1, max_length=MOST_TABLES)] = Field(
        description="the arms"
    )
    prunable: PrunableSection = Field(default=PrunableSection(), description="what may be pruned")
    claim: Annotated[tuple[Claim, ...], Field(max_length=MOST_TABLES)] = Field(
        default=(), description="what the study is to settle"
    )
    published: PublishedSection = Field(
        default=PublishedSection(), description="published tables to hold the results against"
    )
    profile: Annotated[dict[str, dict[str, Any]], Field(max_length=MOST_PROFILES)] = Field(
        default_factory=dict, description="named overrides, chosen by --profile; dotted keys as for --set"
    )

    @classmethod
    def rules(cls, table: Mapping[str, Any]) -> Iterator[Slip]:
        """There is an arm."""
        if table.get("prune", ()) == ():
            yield Slip(path=("prune",), message="there is no arm: give at least one [[prune]] table")
