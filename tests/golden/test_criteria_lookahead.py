"""LAP against the distortion that it stands for, and against norms taken by hand on a real graph."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from networks import SHAPE, small_network
from prunectl.base.errors import MethodError
from prunectl.models.residual import Bottleneck, resnet, wide_resnet
from prunectl.models.resnet import ResNet20
from prunectl.pruning.criteria.lap import Lap
from prunectl.pruning.scoring import Scoring, score


def scores_of(network: nn.Module, shape: tuple[int, int, int] = SHAPE) -> dict[str, Tensor]:
    return score(Scoring(criterion=Lap(), shape=shape, generator=torch.Generator()), network)


def test_lap_is_the_distortion_of_the_block_around_a_weight() -> None:
    """Park et al. (2020), eq. 3: ‖W₃W₂W₁ − W₃W₂'W₁‖_F with one weight of W₂ removed, for every weight of W₂."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 3), nn.ReLU(), nn.Linear(3, 2))
    w1, w2, w3 = (network.get_parameter(f"{place}.weight").detach() for place in (1, 3, 5))
    scores = scores_of(network, (1, 2, 2))["3.weight"]
    for row in range(3):
        for column in range(5):
            pruned = w2.clone()
            pruned[row, column] = 0
            distortion = torch.linalg.norm(w3 @ w2 @ w1 - w3 @ pruned @ w1)
            assert float(scores[row, column]) == pytest.approx(float(distortion), rel=1e-4)


def test_lap_on_a_real_graph_with_batch_norm_and_a_residual_sum() -> None:
    """Every layer of the small network, with norms and factors written out."""
    network = small_network().eval()
    conv, block, one, two, head = (network.get_parameter(f"{name}.weight").detach() for name in LAYERS)
    f1, f2 = (_factor(network.get_submodule(name)) for name in ("1", "3.norm"))
    places = 9  # each of the four channels is nine inputs of the first linear layer
    linear_reads = one.square().sum(0).view(4, places).sum(1)
    stem_writes = conv.square().sum((1, 2, 3)) * f1**2
    block_writes = block.square().sum((1, 2, 3)) * f2**2
    sums = (stem_writes + block_writes).repeat_interleave(places)  # what is added at the sum lies side by side
    block_reads = block.square().sum((0, 2, 3))
    expected = {
        "0": conv.abs() * (f1**2 * (block_reads + linear_reads)).sqrt().view(4, 1, 1, 1),
        "3.conv": block.abs() * stem_writes.sqrt().view(1, 4, 1, 1) * (f2**2 * linear_reads).sqrt().view(4, 1, 1, 1),
        "6": one.abs() * sums.sqrt() * two.norm(dim=0).view(-1, 1),
        "8": two.abs() * one.norm(dim=1) * head.norm(dim=0).view(-1, 1),
        "10": head.abs() * two.norm(dim=1),
    }
    scores = scores_of(network)
    for name, by_hand in expected.items():
        torch.testing.assert_close(scores[f"{name}.weight"], by_hand)


LAYERS = ("0", "3.conv", "6", "8", "10")


def _factor(module: nn.Module) -> Tensor:
    assert isinstance(module, nn.BatchNorm2d)
    assert module.running_var is not None
    return module.weight.detach().abs() / (module.running_var + module.eps).sqrt()


class Branches(nn.Module):
    """Concatenation, padding with new channels, groups, and activations and pooling as functions."""

    def __init__(self) -> None:
        super().__init__()
        self.left, self.right = nn.Conv2d(1, 2, 3, padding=1), nn.Conv2d(1, 4, 1)
        self.grouped = nn.Conv2d(6, 4, 1, groups=2)
        self.head = nn.Linear(5, 3)

    def forward(self, x: Tensor) -> Tensor:
        both = torch.cat([torch.tanh(self.left(x)), nn.functional.gelu(self.right(x))], 1)
        grouped = self.grouped(nn.functional.max_pool2d(both, 2)) + both[:, :4, ::2, ::2]
        out: Tensor = self.head(nn.functional.pad(grouped, (0, 0, 0, 0, 1, 0)).mean((2, 3)))
        return out


def test_lap_follows_concatenation_padding_and_groups() -> None:
    torch.manual_seed(0)
    network = Branches()
    left, right, grouped, head = (
        network.get_parameter(f"{name}.weight").detach() for name in ("left", "right", "grouped", "head")
    )
    writes = torch.cat([left.square().sum((1, 2, 3)), right.square().sum((1, 2, 3))])
    head_reads = head.square().sum(0)[1:]
    reads = torch.cat([grouped[:2].square().sum((0, 2, 3)), grouped[2:].square().sum((0, 2, 3))])
    reads[:4] += head_reads  # the slice that is added goes on to the head
    inputs = torch.stack([writes[:3], writes[:3], writes[3:], writes[3:]])
    summed = torch.cat([torch.zeros(1), grouped.square().sum((1, 2, 3)) + writes[:4]])
    expected = {
        "left": left.abs() * reads[:2].sqrt().view(-1, 1, 1, 1),
        "right": right.abs() * reads[2:].sqrt().view(-1, 1, 1, 1),
        "grouped": grouped.abs() * inputs.sqrt()[:, :, None, None] * head_reads.sqrt().view(-1, 1, 1, 1),
        "head": head.abs() * summed.sqrt(),
    }
    scores = scores_of(network)
    for name, by_hand in expected.items():
        torch.testing.assert_close(scores[f"{name}.weight"], by_hand)


def test_lap_refuses_what_it_cannot_follow() -> None:
    with pytest.raises(MethodError, match="GroupNorm"):
        scores_of(nn.Sequential(nn.Conv2d(1, 4, 3), nn.GroupNorm(2, 4), nn.Flatten(), nn.Linear(64, 3)))


@pytest.mark.parametrize("kind", ["identity", "projection", "projection-bn", "bottleneck", "preactivated"])
def test_lap_runs_on_every_kind_of_residual_network(kind: str) -> None:
    network: nn.Module
    if kind == "preactivated":
        network = wide_resnet(1, 1, channels=3, classes=10, momentum=0.1)
    elif kind == "bottleneck":
        network = resnet(
            Bottleneck, (1, 2), channels=3, width=4, classes=10, stem="imagenet", kind="projection-bn", momentum=0.1
        )
    else:
        network = ResNet20.model_validate({"shortcut": kind}).build((3, 16, 16), 10)
    scores = scores_of(network, (3, 16, 16))
    assert all(bool((score > 0).any()) for score in scores.values())
