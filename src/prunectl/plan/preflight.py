"""What has to be checked with torch before the first training, as a record that a worker can be sent. No torch here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from prunectl.base.errors import Path
from prunectl.catalog.criterion import Criterion
from prunectl.catalog.dataset import Content
from prunectl.catalog.metric import Part
from prunectl.catalog.recipe import Precision
from prunectl.catalog.scope import Scope
from prunectl.catalog.structure import Structure
from prunectl.plan.graph import Plan
from prunectl.plan.resolve import images_of
from prunectl.plan.steps import (
    Collapse,
    Data,
    Key,
    Measure,
    Network,
    PruneRounds,
    Recalibrate,
    Score,
    Step,
    Train,
)
from prunectl.study.arms import scopes_of
from prunectl.study.initial import weights_files
from prunectl.study.schema import Study

PREFLIGHT = Key("preflight")
"""The key of its request. It leaves no artefact."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ArmChoice:
    """What one or several arms ask for; `table` is the first [[prune]] table that does, counted from 0."""

    criterion: Criterion
    scope: Scope
    structure: Structure
    table: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Preflight:
    """Everything that only torch, or reading the data, can confirm about a plan."""

    networks: tuple[Network, ...]
    data: tuple[Data, ...]
    exclude: tuple[str, ...]
    asked: tuple[ArmChoice, ...]
    seed: int
    """The first of the study: that of the networks that are built."""
    train_size: int
    """The number of training images, limited."""
    leaves_one: tuple[int, ...]
    """Batch sizes with which the last batch of an epoch is a single image."""
    weights: Mapping[str, Path] = field(default_factory=dict)
    """Where in the study each file of weights is named first."""
    of_all: tuple[float, ...] = ()
    """Sparsities that are fractions of all parameters: more may be asked for than the prunable weights are."""
    sweep: Path = ()
    """The key of the study file that asks for them."""
    precision: Precision = "float32"
    """The arithmetic of the trainings."""
    parts: tuple[tuple[Data, Part], ...] = ()
    """The images that steps look at, part by part."""
    highest: float = 0.0
    """The highest sparsity of the prunable weights that a trial has; 0 where it is one of all parameters."""
    judged: str = ""
    """The criterion that the report judges: it is tried twice."""
    bn_l1: bool = False
    """Whether [train] penalizes the scales of BatchNorm."""

    @property
    def criteria(self) -> dict[Criterion, int]:
        """Each criterion that is asked for, with the first [[prune]] table that does."""
        return {asked.criterion: asked.table for asked in reversed(self.asked)}

    @property
    def scopes(self) -> dict[Scope, int]:
        """The same for scopes."""
        return {asked.scope: asked.table for asked in reversed(self.asked)}

    @property
    def structures(self) -> dict[Structure, int]:
        """The same for structures."""
        return {asked.structure: asked.table for asked in reversed(self.asked)}


def preflight(study: Study, plan: Plan, content: Content) -> Preflight:
    """What to check before the trials of a plan, which may be fewer than those of its study."""
    images = images_of(study, content)["train"]
    arms = dict.fromkeys(trial.arm for trial in plan.trials if trial.arm.criterion.prunes)
    needed = plan.closure(plan.targets("retrain"))
    measures = [step for key, step in plan.steps.items() if key in needed and isinstance(step, Measure)]
    trainings = [step for key, step in plan.steps.items() if key in needed and isinstance(step, Train)]
    asked = (
        ArmChoice(
            criterion=arm.criterion,
            scope=arm.scope,
            structure=arm.structure,
            table=_table(study, arm.criterion, arm.scope, arm.structure),
        )
        for arm in arms
    )
    return Preflight(
        networks=tuple(dict.fromkeys(step.network for step in measures)),
        data=tuple(dict.fromkeys([step.data for step in trainings] + [step.data for step in measures])),
        exclude=study.prunable.exclude,
        asked=tuple(dict.fromkeys(asked)),
        seed=study.sweep.seeds_of()[0],
        train_size=images,
        leaves_one=tuple(dict.fromkeys(_leaving_one(trainings, images))),
        weights={file: key for key, file in reversed(list(weights_files(study)))},
        of_all=_of_all(study, plan),
        highest=0.0 if study.sweep.of == "all" else max((trial.sparsity for trial in plan.trials), default=0.0),
        judged=study.report.judged,
        bn_l1=study.train.bn_l1 > 0,
        sweep=("sweep", next(key for key in study.sweep.one_of if getattr(study.sweep, key) is not None)),
        precision=study.train.precision,
        parts=tuple(dict.fromkeys(_parts(plan.steps[key] for key in needed))),
    )


def _parts(steps: Iterable[Step]) -> Iterator[tuple[Data, Part]]:
    """What each step looks at: a training evaluates on test images, a measurement has its part."""
    for step in steps:
        if isinstance(step, Measure):
            yield step.data, step.part
        elif isinstance(step, Train | Score | PruneRounds | Collapse | Recalibrate) and step.data is not None:
            yield step.data, "train"
        if isinstance(step, Train):
            yield step.data, "test"


def _of_all(study: Study, plan: Plan) -> tuple[float, ...]:
    return tuple(sorted({trial.sparsity for trial in plan.trials})) if study.sweep.of == "all" else ()


def _leaving_one(trainings: list[Train], images: int) -> Iterator[int]:
    """The batch sizes of trainings that come to the end of an epoch whose last batch is a single image."""
    for step in trainings:
        per_epoch = step.recipe.steps_per_epoch
        ends_an_epoch = step.to_step // per_epoch > step.first_step // per_epoch
        if ends_an_epoch and images - (per_epoch - 1) * step.recipe.batch_size == 1:
            yield step.recipe.batch_size


def _table(study: Study, criterion: Criterion, scope: Scope, structure: Structure) -> int:
    """The first [[prune]] table that asks for all three."""
    return next(
        (
            place
            for place, section in enumerate(study.prune)
            if criterion in section.criterion
            and scope in scopes_of(section, criterion)
            and structure in section.structure
        ),
        0,
    )
