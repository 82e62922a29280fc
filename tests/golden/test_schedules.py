"""Schedules against torch's, which are computed step by step and not in closed form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import pytest
import torch
from torch.optim import lr_scheduler

from prunectl.catalog.recipe import learning_rate
from prunectl.catalog.schedule import Schedule
from prunectl.training.schedules.cosine import Cosine
from prunectl.training.schedules.cyclic import Cyclic
from prunectl.training.schedules.linear import Linear
from prunectl.training.schedules.step import Step
from trainings import training

STEPS = 40
Mode = Literal["triangular", "triangular2", "exp_range"]
Reference = Callable[[torch.optim.Optimizer], lr_scheduler.LRScheduler]


def cyclic(mode: Mode, half: int, lowest: float, gamma: float = 1.0) -> Reference:
    return lambda optimizer: lr_scheduler.CyclicLR(
        optimizer, base_lr=0.1 * lowest, max_lr=0.1, step_size_up=half, mode=mode, gamma=gamma, cycle_momentum=False
    )


CASES: list[tuple[Schedule, Reference]] = [
    (Step(milestones=(10, 25), gamma=0.2), lambda each: lr_scheduler.MultiStepLR(each, [10, 25], gamma=0.2)),
    (Cosine(), lambda each: lr_scheduler.CosineAnnealingLR(each, STEPS)),
    (Linear(), lambda each: lr_scheduler.LinearLR(each, start_factor=1.0, end_factor=0.0, total_iters=STEPS)),
    (Cyclic(half_cycle=5), cyclic("triangular", 5, 0.25)),
    (Cyclic(half_cycle=7, lowest=0.0), cyclic("triangular", 7, 0.0)),
    (Cyclic(half_cycle=4, lowest=0.1, mode="triangular2"), cyclic("triangular2", 4, 0.1)),
    (Cyclic(half_cycle=6, mode="exp_range", gamma=0.97), cyclic("exp_range", 6, 0.25, 0.97)),
]


@pytest.mark.parametrize(("schedule", "reference"), CASES, ids=[schedule.label() for schedule, _ in CASES])
def test_rates_are_torchs(schedule: Schedule, reference: Reference) -> None:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    theirs = reference(optimizer)
    recipe = training(schedule=schedule, steps=STEPS).recipe
    for step in range(STEPS):
        assert learning_rate(recipe, step) == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-9, abs=1e-15)
        optimizer.step()
        theirs.step()
