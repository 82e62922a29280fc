"""The step that times a network: which variants there are, what they weigh, and that they compute the same."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from prunectl.catalog.masks import Pruned
from prunectl.catalog.model import Model
from prunectl.models.lenet import LeNet300
from prunectl.models.tiny import TinyCnn
from prunectl.plan.conditions import Conditions
from prunectl.plan.steps import Key, Latency, Network
from prunectl.pruning import mask as masking
from prunectl.pruning.engines.channel_graph import channels_of
from prunectl.pruning.engines.channel_masks import WholeChannels
from prunectl.pruning.prunable import prunable
from prunectl.pruning.scopes.layerwise import Layerwise
from prunectl.store import layout
from prunectl.training.state import network_tensors
from prunectl.work import latency, onnx_file, stopwatch, variants
from prunectl.work.context import Context
from prunectl.work.masks import write_masks
from prunectl.work.networks import drawn
from prunectl.work.tensors import write_tensors
from prunectl.work.variants import Networks, Variant

SHAPE = (1, 8, 8)
HERE = Conditions(
    machine="a machine", device="cpu", threads=1, torch="2", onnxruntime=None, batch_sizes=(1, 4), repeats=2
)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra, whose exporter takes seconds, and with a single call in each measurement."""
    monkeypatch.setattr(stopwatch, "SAMPLE_S", 0.0)
    monkeypatch.setattr(onnx_file, "missing", lambda: "onnxscript")


CPU = torch.device("cpu")


def measured(
    folder: Path, model: Model, sparsity: float, *, structured: bool = False, device: torch.device = CPU
) -> dict[str, list[Any]]:
    """The rows of each variant, for a network with drawn weights."""
    network = Network(model=model, init="kaiming-normal", bn_init="ones", shape=SHAPE, classes=10)
    state, mask, out = (folder / name for name in ("state", "mask", "out"))
    for path in (state, mask, out):
        path.mkdir()
    made = drawn(network, 1, "init")
    write_tensors(state / layout.STATE, network_tensors(made))
    inputs = {"dense": state, "state": state}
    if sparsity:
        scores = {name: weight.detach().abs() for name, weight in prunable(made).items()}
        units = WholeChannels(channels_of(made, SHAPE)) if structured else masking
        pruned: Pruned = units.prune(scores, Layerwise(), sparsity, generator=torch.Generator().manual_seed(1))
        write_masks(mask, pruned, network, 1)
        inputs["mask"] = mask
    key = Key("k")
    step = Latency(network=network, dense=key, state=key, mask=key if sparsity else None, conditions=HERE, seed=1)
    context = Context(device=device, data_root=folder, snapshots=folder)
    latency.perform(step, inputs, out, context)
    document = json.loads((out / layout.LATENCY).read_text())
    assert document["conditions"]["machine"] == "a machine"
    rows: dict[str, list[Any]] = {}
    for row in document["rows"]:
        rows.setdefault(row["variant"], []).append(row)
    return rows


def test_a_linear_network_is_timed_in_csr_and_has_no_smaller_form(tmp_path: Path) -> None:
    rows = measured(tmp_path, LeNet300(), 0.9)
    assert list(rows) == list(variants.VARIANTS)
    for name in ("dense", "masked", "sparse", "torch-prune"):
        assert [row["batch"] for row in rows[name]] == [1, 4]
        assert all(row["ms_low"] <= row["ms"] <= row["ms_high"] and row["ms"] > 0 for row in rows[name])
        assert all(row["reason"] is None for row in rows[name])
    bytes_of = {name: several[0]["size_bytes"] for name, several in rows.items()}
    assert bytes_of["masked"] == bytes_of["dense"]
    assert bytes_of["torch-prune"] == pytest.approx(2 * bytes_of["dense"], rel=0.05)
    assert bytes_of["sparse"] < 0.3 * bytes_of["dense"]
    assert rows["compact"][0]["reason"] == "no whole channel is pruned, so the network cannot be made smaller"


def test_a_missing_extra_is_a_null_with_what_to_install(tmp_path: Path) -> None:
    rows = measured(tmp_path, LeNet300(), 0.9)
    for name in ("onnx", "onnx-dense"):
        assert [row["ms"] for row in rows[name]] == [None, None]
        assert rows[name][0]["reason"] == "onnxscript is not installed: pip install 'prunectl[onnx]'"


def test_channels_make_a_smaller_network_and_convolutions_have_no_sparse_one(tmp_path: Path) -> None:
    rows = measured(tmp_path, TinyCnn(), 0.5, structured=True)
    assert rows["compact"][0]["size_bytes"] < 0.8 * rows["dense"][0]["size_bytes"]
    assert rows["compact"][1]["ms"] > 0
    assert rows["sparse"][0]["reason"] == "PyTorch computes no convolution with a sparse weight (conv1 is one)"
    assert rows["torch-prune"][0]["reason"] is None  # masks of biases and BatchNorm included


def test_a_network_that_is_not_pruned_is_only_dense(tmp_path: Path) -> None:
    rows = measured(tmp_path, TinyCnn(), 0.0)
    assert [name for name, several in rows.items() if several[0]["ms"] is not None] == ["dense"]
    assert {rows[name][0]["reason"] for name in ("masked", "compact", "sparse", "torch-prune")} == {variants.UNPRUNED}


def test_a_variant_that_computes_something_else_is_not_timed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(networks: Networks) -> Variant:
        return replace(variants.VARIANTS["masked"](networks), load=lambda: lambda images: networks.masked(images) + 1)

    monkeypatch.setattr(latency, "VARIANTS", {"dense": variants.VARIANTS["dense"], "masked": wrong})
    rows = measured(tmp_path, LeNet300(), 0.9)
    assert rows["masked"][0]["ms"] is None
    assert rows["masked"][0]["reason"] == "its outputs differ from those of the masked network by 1"


def test_a_kernel_that_torch_does_not_have_is_a_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(networks: Networks) -> Variant:
        raise RuntimeError("no kernel")

    monkeypatch.setattr(latency, "VARIANTS", {"dense": variants.VARIANTS["dense"], "sparse": refused})
    assert measured(tmp_path, LeNet300(), 0.9)["sparse"][0]["reason"].startswith("RuntimeError: no kernel")


def test_a_sparse_layer_computes_what_the_masked_one_does() -> None:
    layer = nn.Linear(6, 4)
    with torch.no_grad():
        layer.weight.mul_(torch.rand(4, 6) > 0.5)
    images = torch.randn(3, 6)
    sparse = variants.SparseLinear(layer)
    with torch.inference_mode():
        torch.testing.assert_close(sparse(images), layer(images))
    assert sparse.rows.dtype == sparse.columns.dtype == torch.int32
