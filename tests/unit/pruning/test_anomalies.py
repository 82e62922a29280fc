"""What went wrong in published reproductions, shown to go wrong by its cause, and not to go wrong here."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from networks import SHAPE, batch, small_network
from prunectl.base.errors import MethodError
from prunectl.catalog.criterion import Criterion
from prunectl.models.resnet import ResNet110
from prunectl.pruning import mask as masking
from prunectl.pruning.criteria.grasp import Grasp
from prunectl.pruning.criteria.magnitude import Magnitude
from prunectl.pruning.criteria.snip import Snip
from prunectl.pruning.criteria.synflow import SynFlow
from prunectl.pruning.cut import Cut
from prunectl.pruning.engines.single_weights import SingleWeights
from prunectl.pruning.in_rounds import prune_in_rounds
from prunectl.pruning.prunable import prunable
from prunectl.pruning.scopes.global_ import Global
from prunectl.pruning.scoring import Scoring, score

IMAGES = (3, 8, 8)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def stack() -> nn.Sequential:
    """Six convolutions with BatchNorm, drawn as in Frankle et al.: He's weights, scales from U(0, 1)."""
    torch.manual_seed(0)
    layers: list[nn.Module] = []
    for inputs, outputs in ((3, 16), (16, 16), (16, 32), (32, 32), (32, 32), (32, 32)):
        conv, norm = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs)
        nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
        nn.init.uniform_(norm.weight)
        layers += [conv, norm, nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 10))


def images() -> tuple[Tensor, Tensor]:
    return torch.randn(40, *IMAGES, generator=generator()), torch.arange(40) % 10


def signal(network: nn.Module) -> float:
    """How much the logits differ from image to image."""
    with torch.no_grad():
        return float(network.train()(images()[0]).std(0).mean())


def everything(network: nn.Module, kind: str) -> dict[str, Tensor]:
    """Scores of all parameters, BatchNorm's scales too, as in the code of the COMP6258 report: docs/methods.md."""
    network.train()
    parameters = dict(network.named_parameters())
    if kind == "magnitude":
        return {name: parameter.detach().abs() for name, parameter in parameters.items()}
    given, labels = images()
    loss = functional.cross_entropy(network(given), labels)
    found = torch.autograd.grad(loss, list(parameters.values()))
    return {name: (g * parameters[name]).detach().abs() for name, g in zip(parameters, found, strict=True)}


@pytest.mark.parametrize("kind", ["magnitude", "snip"])
@pytest.mark.parametrize("sparsity", [0.3, 0.6])
def test_inversion_kills_the_signal_only_where_batch_norm_is_prunable(kind: str, sparsity: float) -> None:
    """Trap 3, the 10 % of inverted masks: scales score highest, inverted they go first, and no image gets through.

    With weights alone, inversion at the same sparsity leaves a network whose answer depends on its input.
    """
    theirs, ours = stack(), stack()
    wrong = masking.prune(everything(theirs, kind), Global(), sparsity, generator=generator(), invert=True)
    masking.apply(wrong.masks, theirs)
    scales = [mask for name, mask in wrong.masks.items() if mask.dim() == 1 and name.endswith("weight")]
    assert sum(int(mask.sum()) for mask in scales) < 0.1 * sum(mask.numel() for mask in scales)
    assert signal(theirs) < 1e-6

    criterion: Criterion = Magnitude() if kind == "magnitude" else Snip()
    scores = score(Scoring(criterion=criterion, batches=[images()], shape=IMAGES, generator=generator()), ours)
    right = masking.prune(scores, Global(), sparsity, generator=generator(), invert=True)
    assert all(mask.dim() > 1 for mask in right.masks.values())
    masking.apply(right.masks, ours)
    assert signal(ours) > 1e-3


def test_a_criterion_with_nothing_to_prune_is_an_error() -> None:
    """Trap 4, a SynFlow that pruned nothing: a list of prunable layers that was empty went unnoticed."""
    network = nn.Sequential(nn.BatchNorm2d(3), nn.Flatten())
    with pytest.raises(MethodError, match="nothing to prune"):
        score(Scoring(criterion=SynFlow(), shape=IMAGES, generator=generator()), network)
    with pytest.raises(MethodError, match="nothing to prune"):
        prune_in_rounds(
            Scoring(criterion=SynFlow(), shape=IMAGES, generator=generator()),
            network,
            Cut(units=SingleWeights(), scope=Global()),
            0.5,
            SynFlow().own_rounds(),
        )


def test_synflow_stays_finite_on_resnet_110_where_float32_does_not() -> None:
    """Trap 6, "SynFlow hardly prunes" in James (2022): R overflows float32, and nothing is below a NaN threshold."""
    network = ResNet110().build(IMAGES, 10)
    scores = score(Scoring(criterion=SynFlow(), shape=IMAGES, generator=generator()), network)
    assert all(bool(each.isfinite().all()) and bool((each > 0).any()) for each in scores.values())
    assert max(float(each.max()) for each in scores.values()) > torch.finfo(torch.float32).max
    single = type("Single", (SynFlow,), {"precision": "float32"})()
    with pytest.raises(MethodError, match="not finite"):
        score(Scoring(criterion=single, shape=IMAGES, generator=generator()), network)


def test_grasp_removes_what_is_asked_although_it_is_signed() -> None:
    """Trap 2, the 50 % of James (2022): |score| against one threshold, or one for both signs, halves the pruning."""
    network = small_network()
    scores = score(Scoring(criterion=Grasp(), batches=[batch()], shape=SHAPE, generator=generator()), network)
    assert 0.2 < float(torch.cat([each.flatten() < 0 for each in scores.values()]).double().mean()) < 0.8
    pruned = masking.prune(scores, Global(), 0.75, generator=generator())
    n = sum(mask.numel() for mask in pruned.masks.values())
    assert sum(int((~mask).sum()) for mask in pruned.masks.values()) == round(0.75 * n)


def test_ties_at_zero_do_not_change_how_much_goes() -> None:
    """Trap 5: a third of the scores at zero, fewer and more asked for than that."""
    scores = {"a": torch.cat([torch.zeros(300), torch.rand(600, generator=generator()) + 0.1]).view(30, 30)}
    for sparsity, tied_pruned in ((0.2, 180), (0.5, 1)):
        pruned = masking.prune(scores, Global(), sparsity, generator=generator())
        assert int((~pruned.masks["a"]).sum()) == round(sparsity * 900)
        assert pruned.tied_pruned == tied_pruned


def test_a_layer_of_more_than_2_to_the_24_weights() -> None:
    """Trap 13, the whole way: score, allocate, select, mask, pack."""
    network = nn.Sequential(nn.Flatten(), nn.Linear(4, 4100), nn.ReLU(), nn.Linear(4100, 4100, bias=False))
    scores = score(Scoring(criterion=Magnitude(), shape=(1, 2, 2), generator=generator()), network)
    pruned = masking.prune(scores, Global(), 0.999999, generator=generator())
    n = 4 * 4100 + 4100 * 4100
    assert sum(int(mask.count_nonzero()) for mask in pruned.masks.values()) == n - round(0.999999 * n)
    assert list(prunable(network)) == list(pruned.masks)
    packed = masking.pack(pruned.masks)
    shapes = {name: tuple(mask.shape) for name, mask in pruned.masks.items()}
    assert all(torch.equal(mask, pruned.masks[name]) for name, mask in masking.unpack(packed, shapes).items())
