"""An exported network is whole: built again from its files alone, it computes what the masked one did."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from prunectl.base.errors import PrunectlError
from prunectl.base.theirs import FILE_MODULE
from prunectl.catalog import referenced, source_file
from prunectl.catalog.masks import Pruned
from prunectl.catalog.model import Model
from prunectl.catalog.section import resolve
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
from prunectl.work.export import ABOUT, COMPACT, MASK, SOURCE, WEIGHTS, export, load
from prunectl.work.masks import write_masks
from prunectl.work.networks import drawn
from prunectl.work.tensors import write_tensors

SHAPE = (3, 8, 8)


def network_of(model: Model) -> Network:
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


NET = """\
from torch import nn

def net(shape, classes, width: int = 4):
    return nn.Sequential(nn.Conv2d(shape[0], width, 3), nn.ReLU(), nn.Flatten(), nn.Linear(36 * width, classes))
"""


def of_file(folder: Path, text: str = NET) -> Model:
    """The entry of `net` in a file, with a parameter."""
    (folder / "net.py").write_text(text)
    with referenced.paths_in(folder):
        model: Any = resolve("models", {"name": "file:net.py:net", "width": 6})
    assert isinstance(model, Model)
    return model


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Forget every file, as another process on another machine never knew it."""

    def forget() -> None:
        monkeypatch.setattr(referenced, "MADE", {})
        monkeypatch.setattr("prunectl.work.export.MADE", referenced.MADE)
        monkeypatch.setattr(source_file._FINDER, "files", {})
        for name in [name for name in sys.modules if name.startswith(FILE_MODULE)]:
            monkeypatch.delitem(sys.modules, name)

    return forget


def exported_file(folder: Path) -> tuple[Path, Model]:
    model = of_file(folder)
    network = Network(model=model, init="own", bn_init="ones", shape=SHAPE, classes=10)
    state, mask = artefacts(folder, network)
    document = export(network, state, mask, folder / "out", seed=1, about={}, smaller=True)
    assert document["network"]["source"] == {"file": "net.py", "attribute": "net"}
    return folder / "out", model


def test_a_network_of_a_file_takes_its_code_with_it(tmp_path: Path, elsewhere: Any) -> None:
    out, model = exported_file(tmp_path)
    before = load(out)
    assert (out / SOURCE).read_text() == NET
    (tmp_path / "net.py").unlink()
    elsewhere()
    again, small = load(out.rename(tmp_path / "moved")), load(tmp_path / "moved", smaller=True)
    assert difference(before, again, SHAPE)[0] == 0
    assert difference(again, small, SHAPE)[0] <= 1e-5
    (made,) = referenced.MADE.values()
    assert f"file:{made.file.written}:{made.attribute}" == model.name == "file:net.py:net", "the study's name for it"


def test_code_that_was_changed_since_is_refused_and_not_run(tmp_path: Path, elsewhere: Any) -> None:
    out, _ = exported_file(tmp_path)
    elsewhere()
    (out / SOURCE).write_text(f"import pathlib\npathlib.Path({str(tmp_path / 'ran')!r}).touch()\n{NET}")
    with pytest.raises(PrunectlError, match=r"network\.py is not the code that was exported"):
        load(out)
    (out / SOURCE).unlink()
    with pytest.raises(PrunectlError, match=r"network\.py cannot be read: No such file"):
        load(out)
    assert not (tmp_path / "ran").exists()


def test_code_that_needs_what_is_missing_is_a_message(
    tmp_path: Path, elsewhere: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "helping", ModuleType("helping"))
    network = Network(
        model=of_file(tmp_path, f"import helping\n{NET}"), init="own", bn_init="ones", shape=SHAPE, classes=10
    )
    export(network, *artefacts(tmp_path, network), tmp_path / "out", seed=1, about={}, smaller=False)
    elsewhere()
    monkeypatch.delitem(sys.modules, "helping")
    with pytest.raises(PrunectlError, match=r"network\.py cannot be imported: ModuleNotFoundError: .*'helping'"):
        load(tmp_path / "out")


def test_a_network_of_the_catalogue_has_no_code_with_it(tmp_path: Path) -> None:
    network = network_of(TinyCnn())
    state, mask = artefacts(tmp_path, network)
    document = export(network, state, mask, tmp_path / "out", seed=1, about={}, smaller=False)
    assert document["network"]["source"] is None and not (tmp_path / "out" / SOURCE).exists()
