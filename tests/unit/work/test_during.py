"""The step that prunes during a training: killed and resumed at any step, alone or after others, the same bytes."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import torch

from prunectl.datasets.content import content_of
from prunectl.plan.build import build
from prunectl.plan.graph import Plan
from prunectl.plan.steps import Key, Train, parents
from prunectl.store.atomic import remove_tree
from prunectl.study.load import validate
from prunectl.work.context import Context, Stopped
from prunectl.work.masks import read_masks
from prunectl.work.perform import perform
from prunectl.work.tensors import read_tensors

GRADUAL = {"name": "gradual", "from": {"step": 2}, "to": {"step": 8}, "every": {"steps": 3}}
ARMS: list[dict[str, Any]] = [
    {"criterion": "snip", "rounds": GRADUAL},
    {"criterion": "magnitude", "rounds": [{"name": "set", "zeta": 0.4}, {"name": "rigl", "every": {"steps": 3}}]},
    {"criterion": "magnitude", "rounds": {**GRADUAL, "every": {"steps": 6}}},
    {"criterion": "magnitude", "at": {"step": 8}},
]


class Done:
    """The steps of a study of 12 training steps, each done in a directory of its own."""

    def __init__(self, folder: Path) -> None:
        torch.set_num_threads(1)
        study, slips = validate(
            {
                "name": "t",
                "data": {"name": "digits", "train_limit": 120, "test_limit": 50},
                "model": {"name": "tiny-cnn"},
                "train": {"epochs": 4, "batch_size": 40, "lr": 0.05},
                "sweep": {"sparsities": [0.8], "seeds": [1]},
                "prune": ARMS,
            }
        )
        assert study is not None, slips
        self.folder = folder
        self.plan: Plan = build(study, content_of(study.data.dataset, Path()))

    def made(self, key: Key) -> Path:
        """The artefact of a step, with all that it rests on."""
        out = self.folder / key
        if not out.exists():
            self.perform(key, out, lambda: False)
        return out

    def perform(self, key: Key, out: Path, stopping: Callable[[], bool]) -> None:
        step = self.plan.steps[key]
        inputs = {role: self.made(parent) for role, parent in parents(step).items()}
        context = Context(
            device=torch.device("cpu"),
            data_root=self.folder,
            snapshots=self.folder / "snapshots" / key,
            stopping=stopping,
        )
        out.mkdir(exist_ok=True)
        perform(step, inputs, out, context)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Done:
    return Done(tmp_path_factory.mktemp("during"))


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("arm", [0, 1, 2], ids=["gradual", "set", "rigl"])
def test_killed_after_every_step_it_leaves_the_same_bytes(done: Done, arm: int, tmp_path: Path) -> None:
    """Each attempt does one step and is stopped: before, in and after every change of masks."""
    trial = done.plan.trials[arm]
    whole = files(done.made(trial.state))
    assert whole.keys() == {"state.safetensors", "progress.json", "mask.safetensors", "info.json"}
    step = done.plan.steps[trial.state]
    assert isinstance(step, Train)
    out = tmp_path / "out"
    for _ in range(step.first_step, 12):
        asked = count(1)
        with pytest.raises(Stopped):
            done.perform(trial.state, out, lambda asked=asked: next(asked) == 1)  # type: ignore[misc]
    done.perform(trial.state, out, lambda: False)
    assert files(out) == whole
    remove_tree(done.folder / "snapshots")


def test_a_damaged_snapshot_begins_again_with_a_fresh_hook(done: Done, tmp_path: Path) -> None:
    trial = done.plan.trials[0]
    whole = files(done.made(trial.state))
    asked = count(1)
    with pytest.raises(Stopped):
        done.perform(trial.state, tmp_path / "out", lambda: next(asked) == 7)
    (tensors,) = (done.folder / "snapshots" / trial.state).glob("*.safetensors")
    tensors.write_bytes(b"x" + tensors.read_bytes()[1:])
    done.perform(trial.state, tmp_path / "out", lambda: False)
    assert files(tmp_path / "out") == whole


def test_it_leaves_a_mask_and_what_was_kept_after_each_change(done: Done) -> None:
    trial = done.plan.trials[0]
    artefact = done.made(trial.state)
    masks, state = read_masks(artefact), read_tensors(artefact / "state.safetensors")
    assert masks is not None
    size = sum(mask.numel() for mask in masks.values())
    kept = [size - round(s * size) for s in (0.0, 0.8 - 0.8 * 0.5**3, 0.8)]
    remaining = json.loads((artefact / "progress.json").read_text())["remaining"]
    assert remaining == [{"step": step, "kept": left} for step, left in zip((2, 5, 8), kept, strict=True)]
    info = json.loads((artefact / "info.json").read_text())
    assert sum(layer["kept"] for layer in info["layers"]) == kept[-1] and info["batch_sha256"]
    for name, mask in masks.items():
        assert not state[f"model/{name}"][~mask].any()
        assert not state[f"optimizer/{name}/momentum_buffer"][~mask].any()


def test_measured_at_its_own_mask(done: Done) -> None:
    trial = done.plan.trials[2]
    metrics = json.loads((done.made(trial.measure) / "metrics.json").read_text())
    left = json.loads((done.made(trial.state) / "info.json").read_text())
    assert metrics["layers"] == left["layers"] and metrics["n_nonzero"] == left["n_nonzero"]
    assert metrics["flops"] < metrics["flops_dense"]


def test_pruned_once_on_the_way_it_is_the_training_that_is_pruned_at_that_step(done: Done) -> None:
    """Gradual from step 2 to 8 in one stride: nothing goes at 2, everything at 8, as with at = { step = 8 }."""
    gradual, once = done.plan.trials[3:]
    assert once.mask is not None
    one, other = read_masks(done.made(gradual.state)), read_masks(done.made(once.mask))
    assert one is not None and other is not None and all(torch.equal(one[name], other[name]) for name in other)
    states = [read_tensors(done.made(trial.state) / "state.safetensors") for trial in (gradual, once)]
    assert all(torch.equal(states[0][name], value) for name, value in states[1].items() if name != "loss_sum")
