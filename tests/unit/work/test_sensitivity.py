"""Pruning a layer alone: exactly its share of that layer and of no other, on a network that stays as it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

from prunectl.catalog.structure import Structure
from prunectl.datasets.content import content_of
from prunectl.datasets.digits import Digits
from prunectl.models.resnet import ResNet20
from prunectl.models.tiny import TinyCnn
from prunectl.plan.steps import Data, Key, Network, Sensitivity
from prunectl.pruning.prunable import prunable
from prunectl.pruning.structures.channels import Channels
from prunectl.pruning.structures.weights import Weights
from prunectl.store import layout
from prunectl.training.metrics.loss import Loss
from prunectl.training.metrics.top1 import Top1
from prunectl.training.state import network_tensors
from prunectl.work import sensitivity
from prunectl.work.context import Context
from prunectl.work.networks import drawn
from prunectl.work.tensors import write_tensors

SHAPE = (1, 8, 8)


def measured(folder: Path, model: TinyCnn | ResNet20, rate: float, structure: Structure) -> list[dict[str, Any]]:
    """The rows for a network with drawn weights, ranked by magnitude."""
    network = Network(model=model, init="kaiming-normal", bn_init="ones", shape=SHAPE, classes=10)
    state, scores, out = (folder / name for name in ("state", "scores", "out"))
    for path in (state, scores, out):
        path.mkdir()
    made = drawn(network, 1, "test")
    write_tensors(state / layout.STATE, network_tensors(made))
    values = {name: weight.detach().abs() for name, weight in prunable(made).items()}
    write_tensors(scores / layout.SCORES, values)
    data = Data(dataset=Digits(), fingerprint=content_of(Digits(), folder).fingerprint, test_limit=50)
    key = Key("k")
    step = Sensitivity(
        network=network, data=data, structure=structure, rate=rate, state=key, scores=key,
        metrics=(Top1(), Loss()), seed=1,
    )  # fmt: skip
    context = Context(device=torch.device("cpu"), data_root=folder, snapshots=folder)
    sensitivity.perform(step, {"state": state, "scores": scores}, out, context)
    rows: list[dict[str, Any]] = json.loads((out / layout.SENSITIVITY).read_text())["rows"]
    return rows


def test_each_layer_loses_exactly_its_share(tmp_path: Path) -> None:
    rows = measured(tmp_path, TinyCnn(), 0.8, Weights())
    assert [row["layer"] for row in rows] == ["conv1", "conv2", "head"]
    assert all(row["gone"] == round(0.8 * row["n"]) for row in rows)
    assert all(0 <= row["top1"] <= 1 and row["loss"] > 0 and row["reason"] is None for row in rows)
    assert len({row["loss"] for row in rows}) == 3, "each is measured with the others dense"


def test_channels_that_are_tied_to_other_layers_cannot_go_alone(tmp_path: Path) -> None:
    rows = measured(tmp_path, ResNet20(), 0.5, Channels())
    reasons = {row["layer"]: row["reason"] for row in rows}
    free = [layer for layer, reason in reasons.items() if reason is None]
    assert "head" not in free and 9 <= len(free) < len(rows)
    by_layer = {row["layer"]: row for row in rows}
    assert all(by_layer[layer]["gone"] == by_layer[layer]["n"] / 2 for layer in free)
    tied = next(row for row in rows if row["reason"])
    assert tied["top1"] is None and tied["gone"] is None and "nothing to prune" in tied["reason"]


def test_the_same_step_gives_the_same_rows(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    first, second = (measured(tmp_path / name, TinyCnn(), 0.5, Weights()) for name in ("a", "b"))
    assert first == second
