"""Precision: what it is in force for, which devices have it, and that bits are as sure as in float32."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from prunectl.base.errors import MethodError
from prunectl.catalog.recipe import Precision
from prunectl.training.evaluate import evaluate
from prunectl.training.hooks import METRICS, Evaluation
from prunectl.training.loop import advance
from prunectl.training.optimizers.adam import Adam
from prunectl.training.precision import refusal
from prunectl.training.schedules.constant import Constant
from prunectl.training.trainee import Trainee
from trainings import Called, masks, same, trainee, training

BACKENDS: Any = torch.backends


def trained(precision: Precision, to_step: int = 20, **changes: Any) -> Trainee:
    plan = training(precision=precision, **changes)
    whole = trainee(plan, masks=masks(), hooks=[Evaluation(plan)])
    advance(whole, to_step)
    return whole


def watched(network: nn.Module, noted: Callable[[Tensor], object]) -> tuple[list[object], list[object]]:
    """What is noted of the logits in training, and in evaluation."""
    training_, evaluation = list[object](), list[object]()

    def note(module: nn.Module, inputs: object, logits: Tensor) -> None:
        (training_ if module.training else evaluation).append(noted(logits))

    network.register_forward_hook(note)
    return training_, evaluation


def test_bfloat16_trains_with_weights_losses_and_metrics_in_float32() -> None:
    plan = training(precision="bfloat16", optimizer=Adam(), lr=0.01, schedule=Constant(), steps=60)
    whole = trainee(plan, masks=masks(), hooks=[Evaluation(plan)])
    in_training, in_evaluation = watched(whole.network, lambda logits: logits.dtype)
    advance(whole, 60)
    assert set(in_training) == {torch.bfloat16}
    assert set(in_evaluation) == {torch.float32}
    assert {tensor.dtype for tensor in whole.network.parameters()} == {torch.float32}
    losses = [point.train_loss for point in whole.curve]
    assert losses[-1] < 0.5 * losses[0]
    score = evaluate(whole.network, plan.material.test, plan.material.normalize, METRICS)
    assert whole.curve[-1].test_loss == score["loss"]
    for name, mask in masks().items():
        assert not whole.network.get_parameter(name)[~mask].any()


def test_bfloat16_gives_the_same_bits_again_and_resumed_and_others_than_float32() -> None:
    whole, again, single = trained("bfloat16"), trained("bfloat16"), trained("float32")
    assert same(whole, again)
    assert not same(whole, single)
    plan = training(precision="bfloat16")
    resumed = trainee(plan, masks=masks(), hooks=[Evaluation(plan)], seed=9)
    resumed.resume(*trained("bfloat16", 7).dump())
    advance(resumed, 20)
    assert same(whole, resumed)


def test_products_are_rounded_to_tf32_in_training_steps_alone() -> None:
    plan = training(precision="tf32")
    whole = trainee(plan, hooks=[Evaluation(plan)])
    rounding = watched(whole.network, lambda logits: BACKENDS.cudnn.conv.fp32_precision)
    backward: list[object] = []
    weight: Any = whole.network.get_parameter("6.weight")
    weight.register_hook(lambda grad: backward.append(BACKENDS.cuda.matmul.fp32_precision))
    advance(whole, 20)
    assert [set(noted) for noted in (*rounding, backward)] == [{"tf32"}, {"ieee"}, {"tf32"}]


def test_after_a_training_that_fails_products_are_in_float32_again() -> None:
    def fail(now: object) -> None:
        raise MethodError("enough")

    with pytest.raises(MethodError, match="enough"):
        advance(trainee(training(precision="tf32"), hooks=[Called(fail)]), 20)
    assert BACKENDS.cuda.matmul.fp32_precision == "ieee"


@pytest.mark.parametrize(
    ("device", "capability", "reason"),
    [
        ("cpu", (0, 0), 'precision = "tf32" needs a GPU of NVIDIA, and steps run on cpu'),
        ("cuda:1", (7, 5), 'precision = "tf32" needs an Ampere GPU or a later one, and Tesla T4 is older'),
        ("cuda:1", (8, 0), None),
        ("cuda:1", (9, 0), None),
    ],
)
def test_tf32_is_refused_where_a_device_would_compute_in_float32_without_a_word(
    device: str, capability: tuple[int, int], reason: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "Tesla T4")
    assert refusal("tf32", torch.device(device)) == reason
    assert refusal("bfloat16", torch.device(device)) is None
    assert refusal("float32", torch.device(device)) is None
