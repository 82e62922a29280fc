"""The hooks that training brings along: evaluation on the test set."""

from __future__ import annotations

import math
from typing import Literal

from torch import Tensor

from prunectl.base.errors import MethodError
from prunectl.catalog.hook import Hook, Point, Trainee
from prunectl.catalog.recipe import learning_rate
from prunectl.training.evaluate import answers, recorded, scored
from prunectl.training.metrics.loss import Loss
from prunectl.training.metrics.top1 import Top1
from prunectl.training.trainee import Training

METRICS = Loss(), Top1()
"""Those of a training curve."""


class Evaluation(Hook):
    """Adds a point to the curve: at the end of every epoch, after every `every` steps, or never.

    The last step of the recipe has a point too. Raises MethodError at a point whose training or test loss is not
    finite; without points, the training loss is still checked at the end.
    """

    def __init__(self, training: Training, every: int | Literal["epoch", "never"] = "epoch") -> None:
        recipe = training.recipe
        self.training, self.points = training, every != "never"
        self.interval = recipe.steps_per_epoch if every == "epoch" else recipe.steps if every == "never" else every
        self.tested = 0
        """The step of the last test."""
        self.answers: list[Tensor] = []
        """The logits of that test, as `recorded` keeps them."""

    def after(self, trainee: Trainee) -> None:
        """A point, if it is time for one."""
        step, recipe = trainee.step, self.training.recipe
        if step % self.interval and step != recipe.steps:
            return
        seen = trainee.take_means()
        _finite("loss", seen.loss, step)
        if not self.points:
            return
        score = self._test(trainee)
        _finite("test loss", score["loss"], step)  # the only loss of the weights after the last update
        trainee.curve.append(
            Point(
                step=step,
                epoch=step / recipe.steps_per_epoch,
                lr=learning_rate(recipe, step - 1),
                train_loss=seen.loss,
                test_loss=score["loss"],
                top1=score["top1"],
                train_top1=seen.top1,
            )
        )

    def _test(self, trainee: Trainee) -> dict[str, float]:
        material = self.training.material
        self.tested, self.answers = trainee.step, []
        logits = answers(trainee.network, material.test, material.normalize)
        return scored(recorded(logits, self.answers), material.test.labels, METRICS)


def _finite(name: str, loss: float, step: int) -> None:
    if not math.isfinite(loss):
        raise MethodError(f"training diverged: the {name} is {loss} after step {step}")
