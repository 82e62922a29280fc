"""From the study's words to a plan's records: network, data, recipe and moments in steps, placed arms."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from prunectl.base.errors import Problem, StudyError
from prunectl.catalog.dataset import Content
from prunectl.catalog.metric import Part
from prunectl.catalog.recipe import Recipe
from prunectl.catalog.retraining import After
from prunectl.catalog.values import Length, PruningMoment
from prunectl.plan.graph import Placed
from prunectl.plan.steps import Data, Loaded, Network
from prunectl.study.arms import Arm, Init, When, budget_label, expand, moment_label
from prunectl.study.combinations import redrawn_refusal, redrawn_too_short
from prunectl.study.initial import OWN, PRETRAINED, file_of, loads
from prunectl.study.schema import Study, TrainSection


def network_of(study: Study, content: Content, init: Init, digests: Mapping[str, str]) -> Network:
    """The network that the study trains, from these weights; `digests` holds that of each file of weights."""
    return Network(
        model=study.model.model,
        init=_beginning(init, digests),
        bn_init="ones" if loads(init) or init == OWN else study.model.bn_init,
        shape=content.shape,
        classes=content.classes,
    )


def _beginning(init: Init, digests: Mapping[str, str]) -> str | Loaded:
    """How weights are drawn, or what they are loaded from."""
    if isinstance(init, str) and init != PRETRAINED:
        return init
    return Loaded(digest=digests[file_of(init)], file=file_of(init), by_library=init == PRETRAINED)


def data_of(study: Study, content: Content) -> Data:
    """The data that the study trains and tests on; limits that do not limit are left out."""
    data = study.data
    cut_train = data.train_limit is not None and data.train_limit < content.train_size - data.validation
    cut_test = data.test_limit is not None and data.test_limit < content.test_size
    return Data(
        dataset=data.dataset,
        fingerprint=content.fingerprint,
        train_limit=data.train_limit if cut_train else None,
        test_limit=data.test_limit if cut_test else None,
        validation=data.validation or None,
    )


def images_of(study: Study, content: Content) -> Mapping[Part, int]:
    """The number of images of each part of the data. Raises StudyError if none is left to train on."""
    data, rest = study.data, content.train_size - study.data.validation
    if rest < 1:
        message = f"validation = {data.validation} leaves none of the {content.train_size:,} training images"
        raise StudyError(message, [Problem(path=("data", "validation"), message=message)])
    return {
        "test": min(data.test_limit or content.test_size, content.test_size),
        "validation": data.validation,
        "train": min(data.train_limit or rest, rest),
    }


@dataclass(frozen=True, kw_only=True)
class DenseTraining:
    """The training of the baselines in steps: the `Dense` that retrainings ask (`catalog/retraining.py`)."""

    study: Study
    content: Content
    recipe: Recipe

    def changed(self, **keys: Any) -> Recipe:
        """[train] with some keys replaced, resolved to steps; an entry may be given by its name."""
        given = {key: value for key, value in (dict(self.study.train) | keys).items() if value is not None}
        return _recipe(self.study, TrainSection.model_validate(given), self.content)

    def moment(self, when: When) -> int:
        """A moment of the training as a step of it. Raises StudyError beyond its end."""
        if isinstance(when, str):
            return {"init": 0, "end": self.recipe.steps}[when]
        step = when.step if when.step is not None else (when.epoch or 0) * self.recipe.steps_per_epoch
        if step > self.recipe.steps:
            raise StudyError(f"{moment_label(when)} is beyond the end of the training, step {self.recipe.steps}")
        return step

    def length(self, budget: float | Length, recipe: Recipe) -> int:
        """A budget in steps; a fraction is one of `recipe` (Renda et al. 2020, Section 2)."""
        if isinstance(budget, Length):
            return budget.steps if budget.steps is not None else (budget.epochs or 0) * recipe.steps_per_epoch
        return max(1, round(budget * recipe.steps))


def dense_of(study: Study, content: Content) -> DenseTraining:
    """[train], resolved to steps."""
    return DenseTraining(study=study, content=content, recipe=_recipe(study, study.train, content))


def _recipe(study: Study, train: TrainSection, content: Content) -> Recipe:
    per_epoch = math.ceil(images_of(study, content)["train"] / train.batch_size)
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
        precision=train.precision,
        label_smoothing=train.label_smoothing,
        clip_norm=train.clip_norm,
        bn_l1=train.bn_l1,
    )


def arms_of(study: Study, dense: DenseTraining) -> tuple[Placed, ...]:
    """Every arm with its moments in steps, in the order of the study file, each once."""
    return tuple(dict.fromkeys(_placed(study, dense)))


def _placed(study: Study, dense: DenseTraining) -> Iterator[Placed]:
    for arm in expand((*study.prune, *(each.arms() for each in study.control)), study.model.init):
        if arm.at is None:
            yield _during(arm, dense)
            continue
        with _about(study, arm):
            at_step = dense.moment(arm.at)
        redraws = arm.ablation.changes == "weights"
        with _about(study, arm):
            plain = None if redraws and not arm.rounds.retrains else _plain(arm, arm.at, at_step, dense)
        after = _redrawn(arm, at_step, dense) if redraws or plain is None else plain
        between = plain if arm.rounds.retrains and after != plain else None
        yield Placed(arm=arm, at_step=at_step, after=after, dense_steps=dense.recipe.steps, between=between)


@contextmanager
def _about(study: Study, arm: Arm) -> Iterator[None]:
    """Give what is wrong with an arm its place in the study file: the `retrain` of the first table that asks for it."""
    try:
        yield
    except StudyError as error:
        if error.problems:
            raise
        sections = [("prune", place, each) for place, each in enumerate(study.prune)]
        sections += [("control", place, each.arms()) for place, each in enumerate(study.control)]
        path = next(((kind, place, "retrain") for kind, place, each in sections if arm.retrain in each.retrain), ())
        raise StudyError("1 problem", [Problem(path=path, message=str(error))]) from None


def _during(arm: Arm, dense: DenseTraining) -> Placed:
    """Rounds that prune during training: from the dense state at their first step, by the same schedule to its end."""
    rounds, first = arm.rounds.in_steps(dense), arm.rounds.first(dense)
    after = After(recipe=dense.recipe, first=first, keeps=first > 0)
    return Placed(arm=arm, at_step=first, after=after, dense_steps=dense.recipe.steps, during=rounds)


def _plain(arm: Arm, at: When, at_step: int, dense: DenseTraining) -> After:
    """What follows pruning, ablations apart."""
    if at_step == dense.recipe.steps:
        return arm.retrain.after(dense, arm.budget)
    return _rest(dense.recipe, at, at_step)


def _redrawn(arm: Arm, at_step: int, dense: DenseTraining) -> After:
    """What follows for weights that are drawn again: the whole recipe, or a budget beyond it."""
    if at_step == dense.recipe.steps and not arm.retrain.redrawn:
        raise StudyError(f"{arm.label}: {redrawn_refusal(arm.ablation, arm.retrain)}")
    after = After.whole(dense, arm.budget)
    if after.steps < dense.recipe.steps:
        raise StudyError(f"{arm.label}: {redrawn_too_short(arm.ablation, budget_label(arm.budget))}")
    return after


def _rest(recipe: Recipe, at: When, at_step: int) -> After:
    """What follows pruning before the end: the rest of the recipe, or its schedule from the start."""
    if isinstance(at, PruningMoment) and at.schedule == "restart":
        return After(recipe=recipe)
    return After(recipe=recipe, first=at_step, keeps=at_step > 0)
