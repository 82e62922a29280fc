"""Criteria that update weights, and those that look at other images in each round, from the plan to the artefacts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from planning import BASE, END, kinds, plan, trial
from prunectl.datasets.content import content_of
from prunectl.plan.build import build
from prunectl.plan.graph import Plan
from prunectl.plan.steps import Key, PruneRounds, Recalibrate, Train, parents
from prunectl.store import layout
from prunectl.study.load import validate
from prunectl.work.context import Context
from prunectl.work.masks import read_masks
from prunectl.work.perform import perform
from prunectl.work.tensors import read_json, read_tensors

OBS: dict[str, Any] = {"name": "obs", "samples": 20, "block": 10}
FINETUNED = {**END, "criterion": OBS, "retrain": "finetune"}


@pytest.mark.parametrize("at", ["init", {"epoch": 4}, "end"])
def test_what_follows_starts_from_the_updated_weights(at: Any) -> None:
    retrain = {"retrain": "finetune"} if at == "end" else {}
    planned = plan({"criterion": OBS, "at": at, **retrain})
    chosen = trial(planned)
    step = planned.steps[chosen.state]
    assert isinstance(step, Train)
    assert step.start == step.mask == chosen.mask
    assert isinstance(planned.steps[step.start], PruneRounds)
    assert step.optimizer == ("fresh" if at == "init" else "kept")
    assert kinds(planned)["score"] == kinds(planned)["prune"] == 0


def test_the_updated_weights_are_measured_and_recalibrated() -> None:
    planned = plan({**END, "criterion": OBS, "retrain": ["none", "recalibrate"]})
    assert trial(planned, retrain="none").state == trial(planned, retrain="none").mask
    again = trial(planned, retrain="recalibrate")
    step = planned.steps[again.state]
    assert isinstance(step, Recalibrate) and step.state == again.mask
    assert again.measure_before == trial(planned, retrain="none").measure


def test_a_permuted_mask_is_put_on_the_weights_as_they_were() -> None:
    """The update belongs to the mask that the criterion chose; so do weights that are drawn again, or rewound."""
    planned = plan({**FINETUNED, "ablation": ["none", "shuffle", "invert"]})
    starts = {}
    for name in ("none", "shuffle", "invert"):
        step = planned.steps[trial(planned, ablation=name).state]
        assert isinstance(step, Train)
        starts[name] = step.start
    assert starts["shuffle"] == trial(planned, ablation="none").baseline
    assert starts["none"] == trial(planned, ablation="none").mask
    assert starts["invert"] == trial(planned, ablation="invert").mask != starts["none"]


@pytest.mark.parametrize("retrain", [{"name": "weight-rewind", "to": {"epoch": 2}}])
def test_weights_that_are_rewound_are_those_of_the_dense_training(retrain: Any) -> None:
    planned = plan({**END, "criterion": OBS, "retrain": retrain})
    step = planned.steps[trial(planned).state]
    assert isinstance(step, Train)
    dense = planned.steps[step.start]
    assert isinstance(dense, Train) and (dense.mask, dense.to_step) == (None, 20)


def test_without_update_scores_serve_every_sparsity() -> None:
    planned = plan({**FINETUNED, "criterion": {**OBS, "update": False}})
    assert kinds(planned)["prune-rounds"] == 0 and kinds(planned)["score"] == 2


def test_levels_go_on_from_updated_weights() -> None:
    planned = plan({**FINETUNED, "rounds": "iterative"})
    step = planned.steps[trial(planned, 0.9).state]
    assert isinstance(step, Train)
    last = planned.steps[step.start]
    assert isinstance(last, PruneRounds)
    before = planned.steps[last.state]
    assert isinstance(before, Train) and last.before == before.mask == before.start


class Workshop:
    """Does the steps of a plan in directories of their own."""

    def __init__(self, folder: Path, planned: Plan) -> None:
        self.folder, self.plan = folder, planned

    def made(self, key: Key) -> Path:
        """The artefact of a step, with its parents made first."""
        out = self.folder / key
        if not out.exists():
            inputs = {role: self.made(parent) for role, parent in parents(self.plan.steps[key]).items()}
            out.mkdir()
            context = Context(device=torch.device("cpu"), data_root=self.folder, snapshots=self.folder / f"{key}-s")
            perform(self.plan.steps[key], inputs, out, context)
        return out


def workshop(folder: Path, **arm: Any) -> Workshop:
    data = {"name": "digits", "train_limit": 120, "test_limit": 50}
    train = {"epochs": 1, "batch_size": 40, "lr": 0.05}
    study, problems = validate(
        {**BASE, "data": data, "train": train, "sweep": {"sparsities": [0.8], "seeds": [1]}, "prune": [arm]}
    )
    assert study is not None, problems
    return Workshop(folder, build(study, content_of(study.data.dataset, Path())))


def test_the_state_of_an_update_has_everything_else_as_it_was(tmp_path: Path) -> None:
    shop = workshop(tmp_path, **FINETUNED)
    chosen = trial(shop.plan, 0.8)
    assert chosen.mask is not None
    before = read_tensors(shop.made(chosen.baseline) / layout.STATE)
    after = read_tensors(shop.made(chosen.mask) / layout.STATE)
    masks = read_masks(shop.made(chosen.mask))
    assert masks is not None and before.keys() == after.keys()
    changed = {name.removeprefix("model/") for name in before if not torch.equal(before[name], after[name])}
    assert changed == set(masks)
    for name, mask in masks.items():
        weights = after[f"model/{name}"]
        assert not weights[~mask].any() and not torch.equal(weights[mask], before[f"model/{name}"][mask])
    top1 = read_json(shop.made(chosen.measure) / layout.METRICS)["top1"]
    assert top1 is not None and 0 <= top1 <= 1


def test_each_round_of_force_looks_at_images_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from prunectl.work import scoring_batches

    numbers: list[int] = []
    balanced = scoring_batches.balanced

    def noting(*arguments: Any) -> Any:
        numbers.append(arguments[-1])
        return balanced(*arguments)

    monkeypatch.setattr(scoring_batches, "balanced", noting)
    force = {"name": "force", "samples_per_class": 2}
    shop = workshop(tmp_path, criterion=force, rounds={"name": "exponential", "count": 4})
    chosen = trial(shop.plan, 0.8)
    assert chosen.mask is not None
    info = read_json(shop.made(chosen.mask) / layout.INFO)
    assert numbers == [0, 1, 2, 3]
    assert len(info["batch_sha256"]) == 64
    labels = torch.arange(100) % 10
    first, second = (balanced(labels, 10, 2, 1, 1, number)[0] for number in (0, 1))
    assert not torch.equal(first, second)
    assert torch.equal(labels[second].bincount(), torch.full((10,), 2))
