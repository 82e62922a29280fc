"""Scores of single images do not depend on which images are in memory together."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from networks import SHAPE, batch, small_network
from prunectl.base.errors import MethodError
from prunectl.catalog.criterion import Criterion
from prunectl.catalog.lookup import entry_type, names
from prunectl.pruning.cut import Cut
from prunectl.pruning.engines.independence import dependent
from prunectl.pruning.engines.single_weights import SingleWeights
from prunectl.pruning.in_rounds import prune_in_rounds
from prunectl.pruning.rounds.one_shot import OneShot
from prunectl.pruning.scopes.global_ import Global
from prunectl.pruning.scoring import Scoring, score


class Functional(nn.Module):
    """BatchNorm by a function, with the statistics of the batch."""

    def forward(self, x: Tensor) -> Tensor:
        """Same shape."""
        return functional.batch_norm(x, None, None, training=True)


class Stubborn(nn.BatchNorm2d):
    """Stays in training whatever is asked."""

    def train(self, mode: bool = True) -> Stubborn:
        """Ignored."""
        return super().train(True)


class Centered(nn.Module):
    """The mean over the batch is subtracted."""

    def forward(self, x: Tensor) -> Tensor:
        """Same shape."""
        return x - x.mean(0)


class Noisy(nn.Module):
    """Draws noise in evaluation, too."""

    def forward(self, x: Tensor) -> Tensor:
        """Same shape."""
        return x + torch.randn_like(x)


class Repeated(nn.Module):
    """A convolution that is called twice."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(8, 8, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Same shape."""
        out: Tensor = self.conv(self.conv(x).relu())
        return out


def network(*between: nn.Module) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), *between, nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(32, 3)
    )


DEPENDENT = [
    nn.BatchNorm2d(8, track_running_stats=False), Functional(), Stubborn(8), Centered(),
    nn.Sequential(nn.Flatten(2), nn.BatchNorm1d(8, track_running_stats=False), nn.Unflatten(2, (6, 6))),
]  # fmt: skip
INDEPENDENT = [
    nn.BatchNorm2d(8), nn.InstanceNorm2d(8), nn.GroupNorm(4, 8), nn.LayerNorm([8, 6, 6]), nn.Dropout(), Noisy(),
    Repeated(), nn.Conv2d(8, 8, 3, padding=1, groups=4), nn.LocalResponseNorm(3), nn.Conv2d(8, 8, 1),
]  # fmt: skip


def kind(name: str) -> type[Criterion]:
    found = entry_type("criteria", name)
    assert issubclass(found, Criterion)
    return found


CHUNKED = [name for name in names("criteria") if "chunk" in kind(name).model_fields]


@pytest.mark.parametrize("layer", DEPENDENT, ids=lambda layer: type(layer).__name__)
def test_the_layer_that_makes_images_depend_on_each_other_is_named(layer: nn.Module) -> None:
    inner = next((name for name, module in layer.named_modules() if isinstance(module, nn.BatchNorm1d)), "")
    name = f"1.{inner}" if inner else "1"
    assert dependent(network(layer), SHAPE) == f"{name} ({type(layer.get_submodule(inner)).__name__})"


@pytest.mark.parametrize("layer", INDEPENDENT, ids=repr)
def test_no_other_layer_does(layer: nn.Module) -> None:
    built = network(layer)
    before = {name: value.clone() for name, value in built.state_dict().items()}
    random = torch.get_rng_state()
    assert dependent(built, SHAPE) is None
    assert all(torch.equal(value, before[name]) for name, value in built.state_dict().items())
    assert torch.equal(random, torch.get_rng_state())
    assert dependent(small_network(), SHAPE) is None


def made(name: str, chunk: int, **parameters: object) -> Criterion:
    return kind(name).model_validate({"chunk": chunk, **parameters})


def scores(criterion: Criterion, layer: nn.Module) -> dict[str, Tensor]:
    draws = torch.Generator().manual_seed(3)
    batches = [batch(1), batch(2, count=9)]
    return score(Scoring(criterion=criterion, batches=batches, shape=SHAPE, generator=draws), network(layer))


def test_every_criterion_that_takes_images_in_chunks_looks_at_single_ones() -> None:
    assert [name for name in names("criteria") if kind(name).per_image] == CHUNKED
    assert {"fisher", "obd"} <= set(CHUNKED)


@pytest.mark.parametrize("name", CHUNKED)
@pytest.mark.parametrize(
    "layer", [layer for layer in INDEPENDENT if not isinstance(layer, Noisy)], ids=lambda layer: type(layer).__name__
)
def test_scores_do_not_depend_on_the_size_of_the_chunks(name: str, layer: nn.Module) -> None:
    every = scores(made(name, 1000), layer)
    for chunk in (1, 7):
        for weight, values in scores(made(name, chunk), layer).items():
            assert torch.allclose(values, every[weight], rtol=1e-4, atol=1e-6 * float(every[weight].max()))


@pytest.mark.parametrize("samples", [1, 3])
def test_drawn_labels_do_not_depend_on_the_size_of_the_chunks(samples: int) -> None:
    every = scores(made("obd", 1000, estimator="monte-carlo", samples=samples), nn.BatchNorm2d(8))
    for chunk in (1, 7):
        found = scores(made("obd", chunk, estimator="monte-carlo", samples=samples), nn.BatchNorm2d(8))
        for weight, values in found.items():
            assert torch.allclose(values, every[weight], rtol=1e-4, atol=1e-6 * float(every[weight].max()))


@pytest.mark.parametrize("name", CHUNKED)
def test_a_network_whose_images_depend_on_each_other_is_refused(name: str) -> None:
    layer = nn.BatchNorm2d(8, track_running_stats=False)
    with pytest.raises(MethodError, match=rf"{name} looks at single images.*1 \(BatchNorm2d\)"):
        scores(made(name, 100), layer)
    with pytest.raises(MethodError, match=r"1 \(BatchNorm2d\)"):
        prune_in_rounds(
            Scoring(criterion=made(name, 100), batches=[batch(1)], shape=SHAPE, generator=torch.Generator()),
            network(layer),
            Cut(units=SingleWeights(), scope=Global()),
            0.5,
            OneShot(),
        )
