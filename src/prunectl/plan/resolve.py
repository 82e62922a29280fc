"""From the study's words to a plan's records: recipes in steps, moments, rounds, arms."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from itertools import product

from prunectl.base.errors import StudyError
from prunectl.catalog.criterion import Criterion
from prunectl.catalog.dataset import Content, Dataset
from prunectl.catalog.entry import Entry
from prunectl.catalog.recipe import Recipe
from prunectl.catalog.rounds import Rounds
from prunectl.plan.graph import Arm
from prunectl.plan.steps import Data, Network
from prunectl.study.arms import ways
from prunectl.study.labels import Labels, finetuned, moment_label, rounds_label
from prunectl.study.schema import (
    FinetuneSection,
    Length,
    Moment,
    PruneSection,
    RoundsSection,
    Study,
    TrainSection,
    When,
)


def dataset_of(study: Study) -> Dataset:
    """The study's data set, as the class that it is."""
    dataset = study.data.dataset
    assert isinstance(dataset, Dataset), f"{dataset.name} of the datasets is not a Dataset"
    return dataset


def network_of(study: Study, content: Content) -> Network:
    """The network that the study trains."""
    return Network(
        model=study.model.model,
        init=study.model.init,
        bn_init=study.model.bn_init,
        shape=content.shape,
        classes=content.classes,
    )


def data_of(study: Study, content: Content) -> Data:
    """The data that the study trains and tests on; limits that do not limit are left out."""
    data = study.data
    cut_train = data.train_limit is not None and data.train_limit < content.train_size
    cut_test = data.test_limit is not None and data.test_limit < content.test_size
    return Data(
        dataset=dataset_of(study),
        fingerprint=content.fingerprint,
        train_limit=data.train_limit if cut_train else None,
        test_limit=data.test_limit if cut_test else None,
    )


def recipe_of(study: Study, content: Content) -> Recipe:
    """[train], resolved to steps."""
    return _recipe(study, study.train, content)


def finetune_of(study: Study, finetune: FinetuneSection | None, content: Content) -> Recipe:
    """[train] with the overrides of fine-tuning, resolved to steps."""
    return _recipe(study, finetuned(study.train, finetune), content)


def _recipe(study: Study, train: TrainSection, content: Content) -> Recipe:
    count = min(study.data.train_limit or math.inf, content.train_size)
    per_epoch = math.ceil(count / train.batch_size)
    unit = 1 if train.epochs is None else per_epoch
    return Recipe(
        steps=(train.steps or 0) if train.epochs is None else train.epochs * per_epoch,
        steps_per_epoch=per_epoch,
        batch_size=train.batch_size,
        optimizer=train.optimizer,
        lr=train.lr,
        weight_decay=train.weight_decay,
        schedule=train.schedule.in_steps(unit),
        augment=study.data.augment,
    )


def step_of(when: When, recipe: Recipe) -> int:
    """A moment of the dense training as a step of it. Raises StudyError beyond its end."""
    if when == "init":
        return 0
    if when == "end":
        return recipe.steps
    assert not isinstance(when, str)
    step = when.step if when.step is not None else (when.epoch or 0) * recipe.steps_per_epoch
    if step > recipe.steps:
        raise StudyError(f"{moment_label(when)} lies beyond the end of the training, step {recipe.steps}")
    return step


def steps_of(budget: float | Length, recipe: Recipe) -> int:
    """A length of retraining in optimizer steps."""
    if isinstance(budget, Length):
        return budget.steps if budget.steps is not None else (budget.epochs or 0) * recipe.steps_per_epoch
    return max(1, round(budget * recipe.steps))


def arms_of(study: Study, content: Content) -> tuple[Arm, ...]:
    """Every arm, in the order of the study file, each once."""
    recipe, labels = recipe_of(study, content), Labels.of(study.prune, study.train)
    found = (
        arm
        for section in study.prune
        for arm in _arms(section, labels, recipe, finetune_of(study, section.finetune, content))
    )
    return tuple(dict.fromkeys(found))


def _arms(section: PruneSection, labels: Labels, recipe: Recipe, finetune: Recipe) -> Iterator[Arm]:
    rounds_asked: tuple[RoundsSection | None, ...] = section.rounds or (None,)
    for criterion, at, scope, structure, asked, ablation, retrain in product(
        section.criterion,
        section.at,
        section.scope,
        section.structure,
        rounds_asked,
        section.ablation,
        section.retrain,
    ):
        rounds = _rounds(asked, criterion)
        for label, from_step, recipe_after in _retrainings(section, labels, retrain, recipe, finetune):
            yield Arm(
                criterion=criterion,
                scope=scope,
                structure=structure,
                at_step=step_of(at, recipe),
                at_label=labels.at(at, section),
                rounds=rounds,
                rounds_label=rounds_label(rounds or asked),
                rate=asked.rate if asked is not None else None,
                ablation=ablation,
                retrain=retrain,
                retrain_label=label,
                from_step=from_step,
                recipe=recipe_after,
                restart=section.schedule == "restart",
            )


def _retrainings(
    section: PruneSection, labels: Labels, retrain: str, recipe: Recipe, finetune: Recipe
) -> Iterator[tuple[str, int, Recipe]]:
    """The ways of one kind of retraining: its label, the step of the recipe that it begins at, and the recipe.

    A budget b is a fraction of the recipe, or a length: fine-tuning takes b of its own recipe, weights or rates are
    rewound to the last b of the training's (Renda et al. 2020, Section 2: retraining time as the third axis beside
    accuracy and sparsity).
    """
    whole = finetune if retrain == "finetune" else recipe
    for way in ways(section, retrain):
        label = labels.retrain(retrain, way, section)
        if retrain in ("none", "recalibrate"):
            yield label, 0, recipe
        elif isinstance(way, str | Moment):
            yield label, step_of(way, recipe), recipe
        else:
            steps = whole.steps if way is None else steps_of(way, whole)
            if retrain == "finetune":
                yield label, 0, replace(finetune, steps=steps)
            elif steps > recipe.steps:
                raise StudyError(f"{label} rewinds by {steps} steps, and the training has only {recipe.steps}")
            else:
                yield label, recipe.steps - steps, recipe


def _rounds(asked: RoundsSection | None, criterion: Entry) -> Rounds | None:
    """The rounds that are asked for, else the criterion's own; None for iterative ones."""
    own = criterion.rounds if isinstance(criterion, Criterion) else Rounds()
    if asked is None:
        return own
    if asked.kind == "iterative":
        return None
    if asked.kind == "one-shot":
        return Rounds()
    return Rounds(kind=asked.kind, count=asked.count or max(own.count, 100))
