"""The study file as frozen models: every key, its type, its range and its default. See docs/study.md.

Values that a study may give as one or as a list are tuples here. A catalogue name, with or without
parameters, is the catalogue's entry here, its parameters checked. Combinations are judged in `check.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ModelWrapValidatorHandler

from prunectl.base.errors import Problem
from prunectl.catalog.criterion import Unpruned
from prunectl.catalog.problems import unknown
from prunectl.catalog.recipe import Precision
from prunectl.catalog.section import FlatSection, Section
from prunectl.catalog.seeds import Look, UntilSettled
from prunectl.catalog.values import (
    At,
    BatchSize,
    Budget,
    Compression,
    Denominator,
    Epochs,
    Fraction,
    Initialization,
    LearningRate,
    Many,
    Norm,
    Penalty,
    Seeds,
    Smoothing,
    Steps,
    WeightDecay,
)
from prunectl.catalog.wording import listing
from prunectl.study import labels
from prunectl.study.data_section import DataSection
from prunectl.study.levels import LevelsSection, levels_of
from prunectl.study.named import (
    NamedAblation,
    NamedCriterion,
    NamedMetric,
    NamedModel,
    NamedOptimizer,
    NamedRetraining,
    NamedRounds,
    NamedSchedule,
    NamedScope,
    NamedStructure,
)
from prunectl.study.reported import PublishedSection, ReportSection

MOST_TABLES = 500
MOST_PROFILES = 100
SELECTORS = ("criterion", "scope", "structure", "at", "rounds", "init", "ablation", "retrain", "budget")
"""The keys of [[prune]], and columns of the table, by which claims and `--only` select arms."""


class ModelSection(FlatSection):
    """[model]: the network (its name and its own parameters) and how its weights are drawn."""

    entry_field = "model"
    catalog = "models"

    model: NamedModel = Field(description="the network")
    init: Initialization = Field(
        default="kaiming-normal",
        description='how the weights begin; the default is "own" for networks of torchvision, timm and files',
    )
    bn_init: Literal["ones", "uniform"] = Field(default="ones", description="how BatchNorm scales are drawn")

    @classmethod
    def read(cls, table: dict[str, Any], handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Without `init`, weights are drawn as is usual for the network."""
        section = super().read(table, handler)
        usual = section.model.usual_init
        return section if "init" in table else section.model_copy(update={"init": usual})


class TrainSection(Section):
    """[train]: the recipe of the baseline, and of every retraining by default."""

    one_of = ("epochs", "steps")
    moved = {
        "momentum": 'write optimizer = { name = "sgd", momentum = 0.9 }',
        "nesterov": 'write optimizer = { name = "sgd", nesterov = true }',
        "milestones": 'write schedule = { name = "step", milestones = [80, 120], gamma = 0.1 }',
        "gamma": 'write schedule = { name = "step", milestones = [80, 120], gamma = 0.1 }',
        "warmup": 'write schedule = { name = "cosine", warmup = 5 }',
    }

    epochs: Epochs | None = Field(default=None, description="length in passes over the training images")
    steps: Steps | None = Field(default=None, description="length in optimizer steps, instead of epochs")
    batch_size: BatchSize = Field(default=128, description="images per step")
    optimizer: NamedOptimizer = Field(
        default="sgd", validate_default=True, description="what turns gradients into steps"
    )
    lr: LearningRate = Field(default=0.1, description="the learning rate that the schedule starts from")
    weight_decay: WeightDecay = Field(default=1e-4, description="weight decay")
    bn_l1: Penalty = Field(
        default=0.0, description="an L1 penalty on the scales of BatchNorm: bn_l1 · sign(γ) is added to their gradient"
    )
    schedule: NamedSchedule = Field(
        default="constant", validate_default=True, description="how the learning rate goes over the training"
    )
    precision: Precision = Field(default="float32", description="the arithmetic of the forward and backward passes")
    label_smoothing: Smoothing = Field(
        default=0.0, description="the share of each label that is spread evenly over all classes in the training loss"
    )
    clip_norm: Norm | None = Field(
        default=None,
        description="gradients longer than this, all of them together, are shortened to it; the default is never",
    )


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
    of: Denominator = Field(
        default="prunable",
        description="what these are fractions of: the prunable weights, or all parameters of the network",
    )
    seeds: Seeds = Field(
        default=(1,),
        description="the seeds: a list, a count n for 1 to n, or a table for more until claims are settled",
    )

    @property
    def asked(self) -> tuple[float, ...]:
        """The sparsities asked for, ascending, whichever way the study writes them."""
        if self.levels is not None:
            return levels_of(self.levels.rate, self.levels.count)
        if self.compression is not None:
            return tuple(sorted(1 - 1 / ratio for ratio in self.compression))
        return tuple(sorted(self.sparsities or ()))

    @property
    def looks(self) -> tuple[Look, ...]:
        """The numbers of seeds at which claims are judged, if seeds are added until they are settled; else none."""
        return self.seeds.looks if isinstance(self.seeds, UntilSettled) else ()

    def seeds_of(self, granted: int = 0) -> tuple[int, ...]:
        """The seeds of an arm that was granted this number, where seeds are added: never fewer than at first."""
        if isinstance(self.seeds, UntilSettled):
            return tuple(range(1, max(granted, self.seeds.at_least) + 1))
        return self.seeds

    @property
    def most_seeds(self) -> int:
        """The greatest number of seeds that an arm can have."""
        return self.seeds.at_most if isinstance(self.seeds, UntilSettled) else len(self.seeds)


class PruneSection(Section):
    """[[prune]]: arms; every value may be a list, and the arms are the product of the lists."""

    moved = {
        "rewind_to": 'write retrain = { name = "weight-rewind", to = { epoch = 2 } }',
        "finetune": 'write retrain = "finetune"',
    }

    criterion: Many[NamedCriterion] = Field(description="what scores the weights; the lowest scores go")
    at: Many[At] = Field(
        default=("init",),
        description="when, in the dense training, weights are pruned; left out for rounds that prune during it",
    )
    scope: Many[NamedScope] | None = Field(
        default=None,
        description="how the sparsity is spread over the layers; the default is that of the rounds or the criterion, "
        "mostly global",
    )
    structure: Many[NamedStructure] = Field(
        default="weights", validate_default=True, description="what is pruned: single weights, or more at once"
    )
    rounds: Many[NamedRounds] | None = Field(
        default=None, description="how the sparsity is reached; the default is the criterion's own way"
    )
    init: Many[Initialization] | None = Field(
        default=None,
        description="how the weights are drawn, for arms with dense baselines of their own; [model]'s unless given",
    )
    ablation: Many[NamedAblation] = Field(
        default="none", validate_default=True, description="what is broken on purpose, to see whether it mattered"
    )
    retrain: Many[NamedRetraining] = Field(
        default="none", validate_default=True, description="what follows pruning at the end of the training"
    )
    budget: Many[Budget] | None = Field(
        default=None,
        description="retraining time, a fraction of the recipe or a length: how long to fine-tune, how far to rewind",
    )
    label: str | None = Field(
        default=None,
        min_length=1,
        max_length=80,
        description="what tables and charts call the arm; several arms differ in {placeholders}, which are keys of "
        "[[prune]]; an ablation is added after it",
    )

    @classmethod
    def rules(cls, table: Mapping[str, Any]) -> Iterator[Problem]:
        """A label is one line, and its placeholders are keys."""
        if isinstance(label := table.get("label"), str):
            yield from (problem.under(("label",)) for problem in labels.problems(label))


class ControlSection(Section):
    """[[control]]: the dense network, retrained as the pruned ones are: what training longer gains by itself."""

    retrain: Many[NamedRetraining] = Field(description="what follows the dense training")
    budget: Many[Budget] | None = Field(
        default=None, description="retraining time, a fraction of the recipe or a length; as in [[prune]]"
    )

    def arms(self) -> PruneSection:
        """The same as a table of arms."""
        usual = PruneSection.model_validate({"criterion": "magnitude", "at": "end"})
        return usual.model_copy(update={"criterion": (Unpruned(),), "retrain": self.retrain, "budget": self.budget})


class PrunableSection(Section):
    """[prunable]: layers left dense, by name or glob."""

    exclude: tuple[Annotated[str, Field(min_length=1)], ...] = Field(
        default=(), description="names or globs of layers that are not pruned"
    )


class Claim(Section):
    """[[claim]]: `better` − `than` ≥ `margin` in a metric, for the arms that the two selectors name.

    The difference has its sign turned where a low metric is better.
    """

    text: Annotated[str, Field(min_length=1)] = Field(description="the claim, as the report prints it")
    better: dict[str, Any] = Field(
        description="the arms that are claimed to be better", json_schema_extra={"x-selector": True}
    )
    than: dict[str, Any] | Literal["dense"] = Field(
        description="the arms that they are compared with, or the dense network of the same seed",
        json_schema_extra={"x-selector": "dense"},
    )
    margin: float = Field(
        default=0.0,
        description="how much better, in the metric's unit (−1 to 1 for a fraction); −0.005: half a point worse",
    )
    metric: NamedMetric = Field(default="top1", validate_default=True, description="what is compared")
    at_sparsity: Many[Fraction] | None = Field(
        default=None, description="the sparsities that the claim is about; the default is every one"
    )
    over: Literal["cases", "average"] = Field(
        default="cases", description="whether the claim is about every case, or about the mean over them"
    )

    @classmethod
    def rules(cls, table: Mapping[str, Any]) -> Iterator[Problem]:
        """A selector has one of the columns that arms differ in, and the two are not the same."""
        for side in ("better", "than"):
            selector = table.get(side)
            if not isinstance(selector, dict):
                continue
            if not selector:
                yield Problem(path=(side,), message=f"selects everything: give one of {listing(SELECTORS)}")
            yield from (unknown((side, key), SELECTORS) for key in selector if key not in SELECTORS)
        if table.get("better") and table.get("better") == table.get("than"):
            yield Problem(path=("than",), message="selects the same arms as better")


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
    control: Annotated[tuple[ControlSection, ...], Field(max_length=MOST_TABLES)] = Field(
        default=(), description="the dense network, retrained"
    )
    prunable: PrunableSection = Field(default=PrunableSection(), description="what may be pruned")
    claim: Annotated[tuple[Claim, ...], Field(max_length=MOST_TABLES)] = Field(
        default=(), description="what the study is to settle"
    )
    published: PublishedSection = Field(
        default=PublishedSection(), description="published tables to hold the results against"
    )
    report: ReportSection = Field(default=ReportSection(), description="what the report shows in addition")
    profile: Annotated[dict[str, dict[str, Any]], Field(max_length=MOST_PROFILES)] = Field(
        default_factory=dict, description="named overrides, chosen by --profile; dotted keys as for --set"
    )

    @classmethod
    def rules(cls, table: Mapping[str, Any]) -> Iterator[Problem]:
        """There is an arm."""
        if table.get("prune", ()) == ():
            yield Problem(path=("prune",), message="there is no arm: give at least one [[prune]] table")
