"""Whole experiments of a few steps, done in this process: rewinding, iterative rounds, and what they start from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from prunectl.catalog.recipe import learning_rate
from prunectl.datasets.content import content_of
from prunectl.plan.build import build
from prunectl.plan.graph import Plan, Trial
from prunectl.plan.steps import Key, Step, Train, parents
from prunectl.store import layout
from prunectl.study.load import validate
from prunectl.work.context import Context
from prunectl.work.masks import read_masks
from prunectl.work.perform import perform
from prunectl.work.tensors import read_json, read_tensors

STUDY: dict[str, Any] = {
    "name": "t",
    "data": {"name": "digits", "train_limit": 120, "test_limit": 50},
    "model": {"name": "tiny-cnn"},
    "train": {
        "epochs": 3,
        "batch_size": 40,
        "lr": 0.05,
        "schedule": {"name": "step", "milestones": [1, 2], "gamma": 0.5},
    },
    "sweep": {"levels": {"rate": 0.3, "count": 3}, "seeds": [1]},
    "prune": [
        {
            "criterion": "magnitude",
            "at": "end",
            "rounds": ["one-shot", "iterative"],
            "retrain": [{"name": "weight-rewind", "to": {"step": 4}}, "lr-rewind", "finetune"],
        }
    ],
}


class Workshop:
    """Does the steps of a plan one after the other, each in a directory of its own."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        self.folder, self.plan = folder, plan

    def do(self, step: Step, name: str, resume: Key | None = None) -> Path:
        out = self.folder / name
        if not out.exists():
            inputs = {role: self.made(key) for role, key in parents(step).items()}
            if resume is not None:
                inputs["resume"] = self.made(resume)
            out.mkdir()
            context = Context(
                device=torch.device("cpu"), data_root=self.folder, snapshots=self.folder / f"{name}-snapshots"
            )
            perform(step, inputs, out, context)
        return out

    def made(self, key: Key) -> Path:
        return self.do(self.plan.steps[key], key, self.plan.follows.get(key))

    def state(self, key: Key) -> dict[str, torch.Tensor]:
        return read_tensors(self.made(key) / layout.STATE)

    def masks(self, key: Key | None) -> dict[str, torch.Tensor]:
        assert key is not None
        return read_masks(self.made(key)) or {}


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    torch.set_num_threads(1)
    study, slips = validate(STUDY)
    assert study is not None, slips
    return Workshop(tmp_path_factory.mktemp("work"), build(study, content_of(study.data.dataset, Path())))


def chain(plan: Plan, rounds: str, retrain: str) -> list[Trial]:
    return [
        one
        for one in plan.trials
        if one.sparsity > 0 and one.arm.rounds.name == rounds and one.arm.retrain.name == retrain
    ]


def begun(workshop: Workshop, state: Key) -> tuple[Train, dict[str, torch.Tensor]]:
    """A retraining, and the state with which it begins: the same step, stopped before its first."""
    step = workshop.plan.steps[state]
    assert isinstance(step, Train)
    return step, read_tensors(workshop.do(replace(step, to_step=step.first_step), f"{state}-begun") / layout.STATE)


@pytest.mark.parametrize("rounds", ["one-shot", "iterative"])
def test_rewound_weights_are_the_masked_weights_of_step_k(workshop: Workshop, rounds: str) -> None:
    for trial in chain(workshop.plan, rounds, "weight-rewind"):
        step, state = begun(workshop, trial.state)
        dense, masks = workshop.state(step.start), workshop.masks(trial.mask)
        assert step.first_step == 4
        for name, tensor in dense.items():
            if name.startswith("model/"):
                mask = masks.get(name.removeprefix("model/"))
                want = tensor if mask is None else tensor * mask
                assert torch.equal(state[name], want)  # weights, biases, BatchNorm and its statistics
            elif name.startswith("optimizer/"):
                mask = masks.get(name.split("/")[1])
                assert torch.equal(state[name], tensor if mask is None else tensor * mask)


@pytest.mark.parametrize("retrain", ["lr-rewind", "finetune"])
def test_other_retrainings_begin_with_the_masked_weights_as_they_are(workshop: Workshop, retrain: str) -> None:
    """Learning-rate rewinding is weight rewinding to the end, with the schedule from the beginning."""
    for trial in chain(workshop.plan, "one-shot", retrain):
        step, state = begun(workshop, trial.state)
        trained, masks = workshop.state(trial.baseline), workshop.masks(trial.mask)
        assert step.first_step == 0
        for name, mask in masks.items():
            assert torch.equal(state[f"model/{name}"], trained[f"model/{name}"] * mask)
        for name, tensor in trained.items():
            if name.startswith("optimizer/"):  # the momentum goes on, zero where weights are gone
                kept = masks.get(name.split("/")[1])
                assert torch.equal(state[name], tensor if kept is None else tensor * kept)


def test_iterative_masks_only_shrink_and_weights_stay_pruned(workshop: Workshop) -> None:
    """Trap 8."""
    for retrain in ("weight-rewind", "lr-rewind", "finetune"):
        before: dict[str, torch.Tensor] | None = None
        for trial in chain(workshop.plan, "iterative", retrain):
            masks, state = workshop.masks(trial.mask), workshop.state(trial.state)
            total = sum(mask.numel() for mask in masks.values())
            assert sum(int((~mask).sum()) for mask in masks.values()) == round(trial.sparsity * total)
            for name, mask in masks.items():
                assert before is None or bool((mask <= before[name]).all())
                assert not state[f"model/{name}"][~mask].any()
                assert not state[f"optimizer/{name}/momentum_buffer"][~mask].any()
            before = masks


def test_the_rates_that_were_used_are_the_schedules(workshop: Workshop) -> None:
    for retrain in ("weight-rewind", "lr-rewind", "finetune"):
        for trial in chain(workshop.plan, "one-shot", retrain):
            step = workshop.plan.steps[trial.state]
            assert isinstance(step, Train)
            for point in read_json(workshop.made(trial.state) / layout.PROGRESS)["curve"]:
                assert point["lr"] == learning_rate(step.recipe, point["step"] - 1)


def test_a_training_in_pieces_is_the_training_in_one_go(workshop: Workshop) -> None:
    """The dense training is kept at step 4 and taken up from there; alone, it gives the same bits and curve."""
    plan = workshop.plan
    whole = next(iter({trial.baseline for trial in plan.trials}))
    assert whole in plan.follows
    pieces = workshop.made(whole)
    alone = workshop.do(plan.steps[whole], "alone")
    for name in (layout.STATE, layout.PROGRESS):
        assert (pieces / name).read_bytes() == (alone / name).read_bytes()


def test_a_budget_in_flops_trains_as_long_as_the_mask_saves(tmp_path: Path) -> None:
    """More epochs than the recipe's three, whole ones, with the schedule in proportion."""
    budget: list[Any] = ["flops", {"flops": True, "cap": 2}]
    arm = {"criterion": "magnitude", "at": "end", "retrain": "lr-rewind", "budget": budget}
    study, slips = validate(STUDY | {"sweep": {"sparsities": [0.7], "seeds": [1]}, "prune": [arm]})
    assert study is not None, slips
    plan = build(study, content_of(study.data.dataset, Path()))
    shop = Workshop(tmp_path, plan)
    free, capped = (trial for trial in plan.trials)
    numbers = read_json(shop.made(free.measure) / layout.METRICS)
    epochs = int(3 * numbers["flops_dense"] / numbers["flops"])
    assert epochs > 6
    for one, wanted in ((free, epochs), (capped, 6)):
        progress = read_json(shop.made(one.state) / layout.PROGRESS)
        assert progress["step"] == 3 * wanted
        assert [point["lr"] for point in progress["curve"]][-1] == pytest.approx(0.05 * 0.25)


def test_a_control_is_the_dense_network_trained_on(tmp_path: Path) -> None:
    study, slips = validate(STUDY | {"control": [{"retrain": [{"name": "weight-rewind", "to": {"epoch": 1}}]}]})
    assert study is not None, slips
    plan = build(study, content_of(study.data.dataset, Path()))
    shop = Workshop(tmp_path, plan)
    (one,) = (trial for trial in plan.trials if not trial.arm.criterion.prunes)
    again, dense = shop.state(one.state), shop.state(one.baseline)
    assert all(torch.equal(again[name], dense[name]) for name in dense)  # rewound, it is the training that it was
