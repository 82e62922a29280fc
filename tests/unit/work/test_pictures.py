"""Pictures held in memory and pictures read as needed give the same bits; so does a training taken up again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from pictures import folders
from prunectl.datasets.content import content_of
from prunectl.plan.build import build
from prunectl.plan.graph import Plan
from prunectl.plan.steps import Measure, Train, parents
from prunectl.store import layout
from prunectl.study.load import validate
from prunectl.work import material
from prunectl.work.context import Context, Stopped
from prunectl.work.perform import perform
from prunectl.work.tensors import read_json, read_tensors

STUDY: dict[str, Any] = {
    "name": "t",
    "data": {"name": "image-folder", "size": 12, "resize": 14, "train_limit": 80, "augment": ["flip"]},
    "model": {"name": "tiny-cnn"},
    "train": {"epochs": 2, "batch_size": 16, "lr": 0.05},
    "sweep": {"sparsities": [0.0], "seeds": [1]},
    "prune": [{"criterion": "magnitude"}],
}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    return folders(tmp_path_factory.mktemp("trees"))


def planned(root: Path, *augment: str) -> Plan:
    data = {**STUDY["data"], "augment": list(augment)}
    study, slips = validate({**STUDY, "data": data})
    assert study is not None, slips
    return build(study, content_of(study.data.dataset, root))


class Workshop:
    """Does a plan of one training, in a directory of its own."""

    def __init__(self, plan: Plan, root: Path, folder: Path) -> None:
        self.plan, self.root, self.folder = plan, root, folder
        self.ticks = 0
        self.stop_at: int | None = None

    def stopping(self) -> bool:
        self.ticks += 1
        return self.ticks == self.stop_at

    def made(self, key: str) -> Path:
        out = self.folder / key
        if not (out / "whole").exists():
            step = self.plan.steps[key]  # type: ignore[index]  # any text is a key here
            inputs = {role: self.made(parent) for role, parent in parents(step).items()}
            out.mkdir(parents=True, exist_ok=True)
            snapshots = self.folder / f"{key}-snapshots"
            device = torch.device("cpu")
            perform(
                step, inputs, out,
                Context(device=device, data_root=self.root, snapshots=snapshots, stopping=self.stopping),
            )  # fmt: skip
            (out / "whole").touch()
        return out

    def results(self) -> tuple[dict[str, torch.Tensor], Any]:
        keys = {type(step): key for key, step in self.plan.steps.items()}
        return read_tensors(self.made(keys[Train]) / layout.STATE), read_json(self.made(keys[Measure]) / layout.METRICS)


def same(one: tuple[dict[str, torch.Tensor], Any], other: tuple[dict[str, torch.Tensor], Any]) -> bool:
    return one[1] == other[1] and all(torch.equal(value, other[0][name]) for name, value in one[0].items())


def test_held_and_streamed_are_the_same_to_the_bit(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = planned(root, "flip")
    held = Workshop(plan, root, tmp_path / "held").results()
    monkeypatch.setattr(material, "HELD_BYTES", 0)
    assert same(held, Workshop(plan, root, tmp_path / "streamed").results())


def test_a_training_on_streamed_pictures_is_taken_up_in_the_midst_of_an_epoch(root: Path, tmp_path: Path) -> None:
    plan = planned(root, "random-resized-crop", "flip")
    calm = Workshop(plan, root, tmp_path / "calm").results()
    shop = Workshop(plan, root, tmp_path / "broken")
    shop.stop_at = 7
    with pytest.raises(Stopped):
        shop.results()
    assert shop.ticks == 7  # of ten steps, five an epoch
    assert same(calm, shop.results())
    assert shop.ticks == 7 + 3


def test_cutting_on_reading_changes_what_is_learnt(root: Path, tmp_path: Path) -> None:
    plain = Workshop(planned(root), root, tmp_path / "plain").results()
    cut = Workshop(planned(root, "random-resized-crop"), root, tmp_path / "cut").results()
    assert not same(plain, cut)
