"""A batch of one image, where BatchNorm cannot measure a variance, is refused before the first step."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from prunectl.base.errors import MethodError
from prunectl.training.lone_image import values_per_channel
from prunectl.training.loop import advance
from prunectl.training.trainee import begin
from trainings import trainee, training

SHRINKING = nn.Conv2d(1, 3, 6), nn.BatchNorm2d(3), nn.Flatten()
"""A feature map of 1x1: one value per channel and image."""


def test_a_last_batch_of_one_image_that_batch_norm_cannot_train_on_is_refused_with_what_to_do() -> None:
    """9 images in batches of 8 leave one image over."""
    shrinking = begin(nn.Sequential(*SHRINKING), training(count=9, steps=2, steps_per_epoch=2))
    with pytest.raises(MethodError, match=r"^9 .* batches of 8 leave one .*another batch_size or train_limit"):
        advance(shrinking, 2)
    assert shrinking.step == 0


def test_larger_maps_and_larger_batches_are_trained_on() -> None:
    large = trainee(training(count=9, steps=2, steps_per_epoch=2))
    advance(large, 2)
    assert large.step == 2
    even = begin(nn.Sequential(*SHRINKING), training(count=10, steps=2, steps_per_epoch=2))
    advance(even, 2)
    assert even.step == 2


def test_a_training_that_ends_before_the_lone_image_is_not_refused() -> None:
    shrinking = begin(nn.Sequential(*SHRINKING), training(count=9, steps=2, steps_per_epoch=2))
    advance(shrinking, 1)
    assert shrinking.step == 1


def test_batches_of_one_are_refused_from_the_first_and_the_look_changes_nothing() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(36, 3), nn.BatchNorm1d(3))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    alone = begin(network, training(count=9, batch_size=1, steps=9, steps_per_epoch=9))
    with pytest.raises(MethodError, match="leave one image in the last batch"):
        advance(alone, 1)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert not any(module._forward_pre_hooks for module in network.modules())


def test_a_network_that_cannot_be_looked_at_keeps_no_hook_and_its_mode() -> None:
    network = nn.Sequential(nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.Linear(5, 5))
    with pytest.raises(RuntimeError, match="shapes"):
        values_per_channel(network, torch.zeros(1, 1, 8, 8))
    assert network.training and not any(module._forward_pre_hooks for module in network.modules())
