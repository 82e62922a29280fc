"""An exported network is whole: built again from its files alone, it computes what the masked one did."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from prunectl.base.errors import PrunectlError
from prunectl.catalog.structure import Pruned
from prunectl.models.resnet import ResNet20
from prunectl.models.tiny import TinyCnn
from prunectl.plan.steps import Network
from prunectl.pruning import mask as masking
from prunectl.pruning.engines.channel_graph import channels_of
from prunectl.pruning.engines.channel_masks import WholeChannels
from prunectl.pruning.engines.compact import difference
from prunectl.pruning.prunable import prunable
from prunectl.pruning.scopes.layerwise import Layerwise
from prunectl.store import layout
from prunectl.training.state import network_tensors
from prunectl.work.export import ABOUT, COMPACT, MASK, WEIGHTS, export, load
from prunectl.work.masks import write_masks
from prunectl.work.networks import drawn
from prunectl.work.tensors import write_tensors

SHAPE = (3, 8, 8)


def network_of(model: TinyCnn | ResNet20) -> Network:
    return Network(model=model, init="kaiming-normal", bn_init="ones", shape=SHAPE, classes=10)


def artefacts(folder: Path, network: Network, *, structured: bool = True) -> tuple[Path, Path]:
    """A state and a mask of it, as steps leave them."""
    state, mask = folder / "state", folder / "mask"
    state.mkdir()
    mask.mkdir()
    draws = torch.Generator().manual_seed(1)
    made = drawn(network, 1, "init")
    write_tensors(state / layout.STATE, network_tensors(made))
    scores = {name: weight.detach().abs() for name, weight in prunable(made).items()}
    if structured:
        pruned = WholeChannels(channels_of(made, SHAPE)).prune(scores, Layerwise(), 0.8, generator=draws)
    else:
        pruned = masking.prune(scores, Layerwise(), 0.8, generator=draws)
    write_masks(mask, Pruned(masks=pruned.masks, tied=0, tied_pruned=0), network, 1)
    return state, mask


@pytest.mark.parametrize("model", [TinyCnn(), ResNet20(), ResNet20(shortcut="projection", bn_momentum=0.01)])
def test_both_networks_can_be_built_again(tmp_path: Path, model: TinyCnn | ResNet20) -> None:
    network = network_of(model)
    state, mask = artefacts(tmp_path, network)
    out = tmp_path / "out"
    document = export(network, state, mask, out, seed=1, about={"study": "s"}, smaller=True)
    assert document == json.loads((out / ABOUT).read_text())
    whole, small = load(out), load(out, smaller=True)
    assert difference(whole, small, SHAPE)[0] <= 1e-5
    count = sum(parameter.numel() for parameter in small.parameters())
    assert count == document["compact"]["parameters"] < 0.3 * document["parameters"]
    assert sum(int((parameter != 0).sum()) for parameter in whole.parameters()) == document["nonzero"] <= count


def test_zeros_are_kept_and_nothing_is_there_twice(tmp_path: Path) -> None:
    """Trap 15."""
    network = network_of(ResNet20())
    state, mask = artefacts(tmp_path, network, structured=False)
    document = export(network, state, mask, tmp_path / "out", seed=1, about={}, smaller=False)
    dense = (state / layout.STATE).stat().st_size
    assert document["files"][WEIGHTS]["size_bytes"] <= dense
    assert set(document["files"]) == {WEIGHTS, MASK}
    prunable_ = sum(weight.numel() for weight in prunable(load(tmp_path / "out")).values())
    assert document["parameters"] - document["nonzero"] >= round(0.8 * prunable_)
    with pytest.raises(PrunectlError, match="holds no compact network"):
        load(tmp_path / "out", smaller=True)


def test_an_earlier_export_is_replaced_as_a_whole(tmp_path: Path) -> None:
    network = network_of(TinyCnn())
    state, mask = artefacts(tmp_path, network)
    export(network, state, mask, tmp_path / "out", seed=1, about={}, smaller=True)
    document = export(network, state, None, tmp_path / "out", seed=1, about={}, smaller=False)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted([WEIGHTS, ABOUT])
    assert document["compact"] is None
    assert not (tmp_path / "out" / COMPACT).exists()


def test_a_place_that_cannot_be_written_is_a_message(tmp_path: Path) -> None:
    network = network_of(TinyCnn())
    state, mask = artefacts(tmp_path, network)
    (tmp_path / "file").write_text("")
    with pytest.raises(PrunectlError, match="cannot be written"):
        export(network, state, mask, tmp_path / "file" / "out", seed=1, about={}, smaller=False)
