"""Masks of a training: new ones in force at once, in place, and never more than was asked for."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from networks import small_network
from prunectl.catalog.hook import Hook
from prunectl.training.loop import advance
from prunectl.training.trainee import begin
from trainings import masks, same, trainee, training


def smaller() -> dict[str, Tensor]:
    return {name: mask & masks(seed=6)[name] for name, mask in masks().items()}


def test_new_masks_zero_weights_and_optimizer_state_at_once_and_leave_the_rest() -> None:
    pruned = trainee(masks=masks())
    advance(pruned, 3)
    parameters = dict(pruned.network.named_parameters())
    before = {name: parameters[name].detach().clone() for name in smaller()}
    pruned.remask(smaller())
    for name, mask in smaller().items():
        assert torch.equal(pruned.masks[name], mask)
        assert torch.equal(parameters[name], before[name] * mask)
        assert not pruned.optimizer.state[parameters[name]]["momentum_buffer"][~mask].any()
        assert pruned.optimizer.state[parameters[name]]["momentum_buffer"][mask].any()


def test_the_factors_of_gradients_are_changed_in_place() -> None:
    """A captured CUDA graph holds their addresses."""
    pruned = trainee(masks={name: torch.ones_like(mask) for name, mask in masks().items()})
    addresses = {name: factor.data_ptr() for name, factor in pruned.factors.items()}
    assert addresses.keys() == masks().keys()
    pruned.remask(masks())
    assert {name: factor.data_ptr() for name, factor in pruned.factors.items()} == addresses


def test_a_layer_that_is_not_named_keeps_its_mask() -> None:
    pruned = trainee(masks=masks())
    pruned.remask({"6.weight": smaller()["6.weight"]})
    assert torch.equal(pruned.masks["0.weight"], masks()["0.weight"])


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"6.weight": torch.ones(36, 36, dtype=torch.bool)}, "pruned weights of 6.weight would come back"),
        ({"6.weight": torch.zeros(6, 6, dtype=torch.bool)}, "does not fit 6.weight"),
        ({"10.weight": torch.zeros(3, 36, dtype=torch.bool)}, "10.weight has no mask"),
    ],
)
def test_a_change_that_cannot_be_made_is_refused_before_anything_changes(change: dict[str, Tensor], why: str) -> None:
    pruned, untouched = trainee(masks=masks()), trainee(masks=masks())
    with pytest.raises(ValueError, match=why):
        pruned.remask({"0.weight": torch.zeros(4, 1, 3, 3, dtype=torch.bool), **change})
    assert same(pruned, untouched)


def test_weights_grow_back_where_a_hook_asks_for_it() -> None:
    pruned = trainee(masks=masks())
    advance(pruned, 2)
    pruned.remask({name: ~mask for name, mask in masks().items()}, grows=True)
    parameters = dict(pruned.network.named_parameters())
    assert all(torch.equal(pruned.masks[name], ~mask) for name, mask in masks().items())
    assert not any(parameters[name].any() for name in masks())


def test_the_callers_masks_stay_as_they_were() -> None:
    given = {name: mask.float() for name, mask in masks().items()}
    trainee(masks=given).remask(smaller())
    assert all(torch.equal(given[name].bool(), mask) for name, mask in masks().items())


def test_a_mask_of_no_parameter_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no parameter 99\.weight to mask"):
        begin(small_network(), training(), masks={"99.weight": torch.ones(1, dtype=torch.bool)})


def test_masks_are_saved_only_where_they_changed() -> None:
    """Those that a training began with are an artefact already, and the state of today's trainings stays as it was."""
    pruned = trainee(masks=masks())
    assert not any(name.startswith("mask/") for name in pruned.dump()[0])
    pruned.remask(smaller())
    tensors, numbers = pruned.dump()
    assert {name for name in tensors if name.startswith("mask/")} == {f"mask/{name}" for name in masks()}
    assert numbers.keys() == {"step", "seen", "curve", "remaining"}
    assert numbers["remaining"] == [{"step": 0, "kept": sum(int(mask.sum()) for mask in smaller().values())}]


def test_of_several_changes_in_one_step_the_last_one_is_counted() -> None:
    pruned = trainee(masks=masks())
    pruned.remask(smaller())
    pruned.remask(masks(), grows=True)
    advance(pruned, 2)
    pruned.remask(smaller())
    counts = [sum(int(mask.sum()) for mask in each.values()) for each in (masks(), smaller())]
    assert [(change.step, change.kept) for change in pruned.remaining] == [(0, counts[0]), (2, counts[1])]
    again = trainee(masks=masks())
    again.resume(*pruned.dump())
    assert again.remaining == pruned.remaining
    assert "remaining" not in trainee(masks=masks()).dump()[1]


class Counting(Hook):
    def __init__(self, name: str = "counting") -> None:
        self.name = name
        self.begun = 0

    def begin(self, trainee: object) -> None:
        self.begun += 1

    def dump(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        return {}, {"begun": self.begun}

    def load(self, tensors: object, numbers: Any) -> None:
        self.begun = numbers["begun"]


def test_a_hook_begins_once_and_never_when_it_is_resumed() -> None:
    hook, other = Counting(), Counting()
    first, second = trainee(hooks=[hook]), trainee(hooks=[other])
    advance(first, 2)
    advance(first, 3)
    assert hook.begun == 1
    second.resume(*first.dump())
    advance(second, 4)
    assert other.begun == 1


def test_hooks_with_state_have_names_and_no_two_the_same() -> None:
    with pytest.raises(ValueError, match="two hooks of one name: counting, counting"):
        trainee(hooks=[Counting(), Counting()])
    with pytest.raises(ValueError, match="Counting has state, and no name"):
        trainee(hooks=[Counting("")]).dump()
