"""Studies of unusual networks from the first training to the table: every moment, retraining and structure."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from prunectl.api.check import check
from prunectl.api.export import exported
from prunectl.api.run import complete
from prunectl.api.session import Session, open_study
from prunectl.base.errors import StudyError
from prunectl.models.lazy import materialized
from prunectl.models.tiny import TinyCnn
from prunectl.plan.steps import Init
from small import HERE, SMALL

ARMS = """
[[prune]]
criterion = "magnitude"
at = "end"
retrain = ["none", "finetune", "weight-rewind", "lr-rewind", "recalibrate"]
[[prune]]
criterion = "snip"
at = { step = 1 }
ablation = ["shuffle", "reinit"]
[[prune]]
criterion = "magnitude"
at = "end"
rounds = { name = "iterative", rate = 0.3 }
retrain = "weight-rewind"
"""
CHANNELS = '[[prune]]\ncriterion = "magnitude"\nstructure = "channels"\n'


class Net(nn.Module):
    """A convolution with BatchNorm, and three linear layers of which two have the same shape."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm, self.act = nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU()
        self.pool, self.flatten = nn.MaxPool2d(4), nn.Flatten()
        self.fc1, self.fc2, self.head = nn.Linear(16, 16), nn.Linear(16, 16), nn.Linear(16, 10)

    def forward(self, images: Tensor) -> Tensor:
        """Logits."""
        inner = self.flatten(self.pool(self.act(self.norm(self.conv(images)))))
        logits: Tensor = self.head(self.act(self.fc2(self.act(self.fc1(inner)))))
        return logits


def frozen() -> nn.Module:
    network = Net()
    network.fc1.requires_grad_(False)
    return network


def tied() -> nn.Module:
    network = Net()
    network.fc2.weight = network.fc1.weight
    return network


def with_aux() -> nn.Module:
    network = Net()
    network.aux = nn.Linear(16, 10)
    return network


def spectral() -> nn.Module:
    network = Net()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        network.fc1 = nn.utils.spectral_norm(network.fc1)
    return network


def parametrized() -> nn.Module:
    network = Net()
    nn.utils.parametrizations.weight_norm(network.fc1)
    return network


def lazy() -> nn.Module:
    network = Net()
    network.fc1 = nn.LazyLinear(16)
    return network


def channels_last() -> nn.Module:
    return Net().to(memory_format=torch.channels_last)


def opened(folder: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[], nn.Module], text: str) -> Session:
    monkeypatch.setattr(TinyCnn, "_network", lambda self, shape, classes: make())
    (folder / "small.toml").write_text(text)
    return open_study(folder / "small.toml", store=folder / "store")


@pytest.mark.parametrize(
    ("make", "exclude"),
    [(frozen, ""), (tied, ""), (lazy, ""), (channels_last, ""), (with_aux, "aux"), (spectral, "fc1"),
     (parametrized, "fc1")],
)  # fmt: skip
def test_a_study_is_done_from_the_first_training_to_the_table(
    make: Callable[[], nn.Module], exclude: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = SMALL + ARMS + (CHANNELS if make in (frozen, lazy, channels_last) else "")
    text = whole + (f'[prunable]\nexclude = ["{exclude}"]\n' if exclude else "")
    session = opened(tmp_path, monkeypatch, make, text)
    completed = complete(session, HERE)
    table = completed.results.trials
    assert table["status"].to_list() == ["done"] * len(table), table["reason"].to_list()
    unstructured = table.filter((table["sparsity"] == 0.5) & (table["structure"] == "weights"))
    assert unstructured["sparsity_actual"].to_list() == pytest.approx([0.5] * len(unstructured), abs=0.01)
    assert table["n_params"].unique().to_list() == [sum(kept.numel() for kept in parameters_of(make))]
    exported(session, session.plan.trials[1], tmp_path / "out", compact=False)
    again = SMALL.replace('"tiny-cnn"', '"tiny-cnn"\ninit = { weights = "out/model.safetensors" }')
    exclusion = text.partition("[prunable]")[1:]
    check(opened(tmp_path, monkeypatch, make, again + "".join(exclusion)), HERE)


def parameters_of(make: Callable[[], nn.Module]) -> list[nn.Parameter]:
    return list(materialized(make(), (1, 8, 8)).parameters())


def test_a_frozen_layer_keeps_what_was_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session = opened(tmp_path, monkeypatch, frozen, SMALL)
    complete(session, HERE)
    (start,) = (key for key, step in session.plan.steps.items() if isinstance(step, Init))
    keys = (start, session.plan.trials[0].baseline)
    drawn, trained = (load_file(session.store.fetch(key) / "state.safetensors") for key in keys)
    assert torch.equal(drawn["model/fc1.weight"], trained["model/fc1.weight"])
    assert not torch.equal(drawn["model/fc2.weight"], trained["model/fc2.weight"])


def test_what_is_refused_is_refused_before_the_first_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session = opened(tmp_path, monkeypatch, with_aux, SMALL)
    with pytest.raises(StudyError, match="layer aux is never called in the forward passes that were tried"):
        complete(session, HERE)
    assert not list((tmp_path / "store").glob("objects/*/*"))


def test_channels_of_tied_layers_are_refused_with_both_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session = opened(tmp_path, monkeypatch, tied, SMALL + CHANNELS)
    with pytest.raises(StudyError, match=r"fc1\.weight and fc2\.weight are one parameter.*structure = \"weights\""):
        check(session, HERE)


def test_parameters_that_no_rule_draws_are_refused_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Scale(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.factor = nn.Parameter(torch.ones(1))

        def forward(self, x: Tensor) -> Tensor:
            return x * self.factor

    def make() -> nn.Module:
        network = Net()
        network.add_module("act", Scale())
        return network

    session = opened(tmp_path, monkeypatch, make, SMALL)
    with pytest.raises(StudyError, match=r"no rule to draw the parameters of act \(Scale\)") as caught:
        check(session, HERE)
    assert "init = { weights =" in str(caught.value)
