"""Mask artefacts: read alone, written the same every time, and counted once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from prunectl.catalog.masks import Masks, Pruned
from prunectl.catalog.model import Model
from prunectl.datasets.content import content_of
from prunectl.models.tiny import TinyCnn
from prunectl.plan.build import build
from prunectl.plan.steps import Measure, Network
from prunectl.pruning.mask import dense
from prunectl.pruning.prunable import prunable
from prunectl.store import layout
from prunectl.study.load import validate
from prunectl.training.state import network_tensors
from prunectl.work.context import Context
from prunectl.work.masks import load_masks, mask_bytes, read_described, read_masks, write_masks
from prunectl.work.measure import perform
from prunectl.work.networks import drawn, empty
from prunectl.work.tensors import read_json, write_json, write_tensors

SHAPE = (1, 8, 8)
NETWORK = Network(model=TinyCnn(), init="kaiming-normal", bn_init="ones", shape=SHAPE, classes=10)


def halves() -> Masks:
    """Half of every layer's weights, and of one bias."""
    draws = torch.Generator().manual_seed(0)
    masks = {
        name: torch.rand(weight.shape, generator=draws) < 0.5 for name, weight in prunable(empty(NETWORK, 1)).items()
    }
    return {**masks, "head.bias": torch.arange(10) < 5}


def write(folder: Path, masks: Masks) -> Path:
    folder.mkdir()
    write_masks(folder, Pruned(masks=masks, tied=0, tied_pruned=0), NETWORK, 1, score_s=1.0)
    return folder


def test_a_file_of_masks_can_be_read_alone(tmp_path: Path) -> None:
    artefact = write(tmp_path / "mask", halves())
    alone = tmp_path / "alone.safetensors"
    alone.write_bytes((artefact / layout.MASK).read_bytes())
    found = load_masks(alone)
    assert set(found) == set(halves())
    assert all(torch.equal(mask, found[name]) for name, mask in halves().items())
    assert read_masks(None) is None


def test_equal_masks_are_equal_bytes() -> None:
    """In whatever order they are given: artefacts of one key must not differ."""
    masks = halves()
    assert mask_bytes(masks) == mask_bytes(dict(reversed(masks.items())))


def test_what_is_left_of_each_layer_is_beside_the_mask(tmp_path: Path) -> None:
    masks = halves()
    described = read_described(write(tmp_path / "mask", masks))
    assert described is not None
    layers = described["layers"]
    assert [layer["name"] for layer in layers] == list(prunable(empty(NETWORK, 1)))
    for layer in layers:
        mask = masks[layer["name"]]
        assert (layer["shape"], layer["n"], layer["kept"]) == (list(mask.shape), mask.numel(), int(mask.sum()))
        assert 0 < layer["effective"] <= layer["kept"]


@pytest.fixture
def measured(tmp_path: Path) -> tuple[Measure, Path, Context]:
    """A step that measures a network of digits, its state, and where it runs."""
    study, slips = validate({
        "name": "t", "data": {"name": "digits", "train_limit": 50, "test_limit": 50}, "model": {"name": "tiny-cnn"},
        "train": {"epochs": 1}, "sweep": {"sparsities": [0.0]}, "prune": [{"criterion": "magnitude"}],
    })  # fmt: skip
    assert study is not None, slips
    plan = build(study, content_of(study.data.dataset, Path()))
    step = next(step for step in plan.steps.values() if isinstance(step, Measure))
    state = tmp_path / "state"
    state.mkdir()
    write_tensors(state / layout.STATE, network_tensors(drawn(step.network, step.seed, "init")))
    context = Context(device=torch.device("cpu"), data_root=tmp_path, snapshots=tmp_path / "snapshots")
    return step, state, context


def test_measuring_reads_what_the_mask_has_counted(tmp_path: Path, measured: tuple[Measure, Path, Context]) -> None:
    """Counting paths takes longer than measuring: it is done once a mask, whatever is measured of it."""
    step, state, context = measured
    mask, out = write(tmp_path / "mask", halves()), tmp_path / "out"
    info = read_json(mask / layout.INFO)
    info["layers"][0]["effective"] = 3
    write_json(mask / layout.INFO, info)
    out.mkdir()
    perform(step, {"state": state, "mask": mask}, out, context)
    metrics = json.loads((out / layout.METRICS).read_text())
    assert metrics["layers"] == info["layers"]
    gone = metrics["n_prunable"] - sum(layer["effective"] for layer in info["layers"])
    assert metrics["n_effective"] == metrics["n_params"] - gone - 5


def test_the_dense_network_is_counted_where_there_is_no_mask(
    tmp_path: Path, measured: tuple[Measure, Path, Context]
) -> None:
    step, state, context = measured
    out = tmp_path / "out"
    out.mkdir()
    perform(step, {"state": state}, out, context)
    metrics = json.loads((out / layout.METRICS).read_text())
    sizes = {name: mask.numel() for name, mask in dense(prunable(empty(step.network, step.seed))).items()}
    assert {layer["name"]: layer["effective"] for layer in metrics["layers"]} == sizes
    assert metrics["n_effective"] == metrics["n_nonzero"] == metrics["n_params"]


class Attentive(nn.Module):
    """Linear layers, one of them before a product of activations."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.head = nn.Linear(8, 8), nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 1, 8, 8) → (N, 10)."""
        x = self.first(x[:, 0])
        out: Tensor = self.head((x @ x.transpose(1, 2)).flatten(1))
        return out


def test_a_count_that_is_not_known_is_null_with_its_reason(
    tmp_path: Path, measured: tuple[Measure, Path, Context], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The product of activations is counted dense; which weights are on a path through it is not known."""
    monkeypatch.setattr(Model, "build", lambda self, shape, classes: Attentive())
    step, state, context = measured
    write_tensors(state / layout.STATE, network_tensors(Attentive()))
    masks = dense(prunable(Attentive()))
    masks["first.weight"][:4] = False
    mask, out = write(tmp_path / "mask", masks), tmp_path / "out"
    info = read_json(mask / layout.INFO)
    assert [layer["effective"] for layer in info["layers"]] == [None, None]
    reason = "what the output of bmm depends on is not known"
    assert info["uncounted"] == {"n_effective": reason}
    out.mkdir()
    perform(step, {"state": state, "mask": mask}, out, context)
    metrics = json.loads((out / layout.METRICS).read_text())
    assert metrics["n_effective"] is None
    assert metrics["uncounted"] == {"n_effective": reason}
    assert metrics["flops_dense"] == 2 * (8 * 8 * 8 + 8 * 8 * 8 + 640)
    assert metrics["flops"] == 2 * (4 * 8 * 8 + 8 * 8 * 8 + 640)


def test_flops_that_are_not_known_are_null_with_their_reason(
    tmp_path: Path, measured: tuple[Measure, Path, Context], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Standardised(nn.Linear):
        def forward(self, x: Tensor) -> Tensor:
            weight = self.weight - self.weight.mean()
            return nn.functional.linear(x.flatten(1), weight, self.bias)

    monkeypatch.setattr(Model, "build", lambda self, shape, classes: nn.Sequential(Standardised(64, 10)))
    step, state, context = measured
    write_tensors(state / layout.STATE, network_tensors(nn.Sequential(Standardised(64, 10))))
    out = tmp_path / "out"
    out.mkdir()
    perform(step, {"state": state}, out, context)
    metrics = json.loads((out / layout.METRICS).read_text())
    assert (metrics["flops"], metrics["flops_dense"]) == (None, 1280.0)
    assert metrics["uncounted"]["flops"] == "sub changes the weights before they are used"
    assert metrics["n_nonzero"] == 650


def test_what_an_earlier_prunectl_counted_is_counted_again(
    tmp_path: Path, measured: tuple[Measure, Path, Context]
) -> None:
    step, state, context = measured
    mask, out = write(tmp_path / "mask", halves()), tmp_path / "out"
    info = read_json(mask / layout.INFO)
    right = [layer["effective"] for layer in info["layers"]]
    del info["uncounted"]
    info["layers"][0]["effective"] = 3
    write_json(mask / layout.INFO, info)
    out.mkdir()
    perform(step, {"state": state, "mask": mask}, out, context)
    metrics = json.loads((out / layout.METRICS).read_text())
    assert [layer["effective"] for layer in metrics["layers"]] == right
