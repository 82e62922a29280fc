"""The check before the first training: each problem that only torch can find, named with its remedy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from prunectl.base.errors import DataError, Problem
from prunectl.catalog.dataset import Arrays
from prunectl.catalog.model import Model
from prunectl.datasets.digits import Digits
from prunectl.models.tiny import TinyCnn
from prunectl.plan.build import build
from prunectl.plan.preflight import preflight
from prunectl.pruning.scopes.global_ import Global
from prunectl.pruning.structures.channels import Channels
from prunectl.study.load import validate
from prunectl.work.preflight import problems_of

STUDY: dict[str, Any] = {
    "name": "t",
    "data": {"name": "digits"},
    "model": {"name": "tiny-cnn"},
    "train": {"epochs": 1, "lr": 0.1},
    "sweep": {"sparsities": [0.5], "seeds": [1]},
    "prune": [{"criterion": "magnitude"}],
}


def problems(**changed: Any) -> tuple[Problem, ...]:
    """What the check finds in the study with other tables."""
    study, slips = validate(STUDY | changed)
    assert study is not None, slips
    content = study.data.dataset.declared(Digits.fingerprint or "")
    return problems_of(preflight(study, build(study, content), content), Path())


def texts(**changed: Any) -> list[str]:
    return [f"{problem.key}: {problem.message}" for problem in problems(**changed)]


def built_as(monkeypatch: pytest.MonkeyPatch, make: Callable[[], nn.Module]) -> None:
    """Let the study's model build something else."""
    monkeypatch.setattr(Model, "build", lambda self, shape, classes: make())


def test_a_sound_study_has_no_problems() -> None:
    arms = [
        {"criterion": ["snip", "synflow"], "scope": ["global", "layerwise", "uniform+", "erk", "lamp"]},
        {"criterion": "magnitude", "structure": "channels"},
    ]
    assert problems(prune=arms) == ()


def test_patterns_that_match_no_layer_are_all_reported_with_the_nearest_name() -> None:
    found = texts(prunable={"exclude": ["hed", "conv*", "x9"]})
    assert len(found) == 2
    assert found[0].startswith("prunable.exclude[0]: ") and "'hed' matches no layer" in found[0]
    assert "did you mean 'head'?" in found[0]
    assert found[1].startswith("prunable.exclude[2]: ") and "there are conv" in found[1]


@pytest.mark.parametrize("sweep", [{"sparsities": [0.5, 0.98]}, {"compression": [2, 50]}], ids=str)
def test_a_sparsity_of_all_parameters_that_cannot_be_reached_is_reported_with_the_highest(sweep: Any) -> None:
    """Without the output layer the small network has 4,752 of 6,138 parameters to prune."""
    exclude = {"exclude": ["head"]}
    (found,) = texts(sweep={**sweep, "of": "all"}, prunable=exclude)
    assert found.startswith(f"sweep.{next(iter(sweep))}: a sparsity of 0.98 (compression 50) of all 6,138 parameters")
    assert "the 4,752 weights that may be pruned; the highest that can be reached is 0.774" in found
    assert texts(sweep={"sparsities": [0.5, 0.774], "of": "all"}, prunable=exclude) == []
    assert texts(sweep=sweep, prunable=exclude) == []


def test_criteria_of_channels_name_the_layers_without_a_batch_norm() -> None:
    channels = {"structure": "channels"}
    found = texts(
        model={"name": "lenet-5"},
        data={"name": "mnist"},
        prune=[{"criterion": "magnitude", **channels}, {"criterion": ["l1-norm", "bn-scale"], **channels}],
    )
    (reason,) = [each for each in found if each.startswith("prune[1].criterion")]
    assert "bn-scale looks at the BatchNorm after a layer, and there is none after conv1, conv2" in reason


def test_a_penalty_without_a_batch_norm_is_reported() -> None:
    train = {"epochs": 1, "bn_l1": 1e-4}
    assert not any("bn_l1" in each for each in texts(train=train))
    found = texts(train=train, model={"name": "lenet-300-100"})
    assert any(each.startswith("train.bn_l1: has no effect: the network has no BatchNorm") for each in found)


def test_nothing_to_prune_is_reported() -> None:
    assert texts(prunable={"exclude": ["conv*", "head"]}) == [
        "prunable.exclude: nothing to prune: the network has no convolution or linear layer that is not excluded"
    ]


def test_rates_that_name_no_layer_are_reported_at_their_table() -> None:
    rates = {"name": "rates", "per_layer": {"conv9": 0.5}}
    (found,) = texts(prune=[{"criterion": "magnitude"}, {"criterion": ["magnitude", "snip"], "scope": rates}])
    assert found.startswith("prune[1].scope: scope rates") and "'conv9' matches no layer; did you mean" in found


def test_rates_that_name_a_layer_twice_are_reported() -> None:
    rates = {"name": "rates", "per_layer": {"conv*": 0.5, "conv1": 0.2}}
    (found,) = texts(prune=[{"criterion": "magnitude", "scope": rates}])
    assert "conv1 has two rates" in found


def test_a_sparsity_that_cannot_be_reached_is_left_to_its_trial() -> None:
    """It is an outcome of that trial: the others go on."""
    rates = {"name": "rates", "per_layer": {"conv1": 0.5}}
    assert problems(prune=[{"criterion": "magnitude", "scope": rates}], sweep={"sparsities": [0.99]}) == ()


class Gathering(nn.Module):
    """An operation that the channel graph does not know."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)
        self.head = nn.Linear(4, 10)

    def forward(self, images_NCHW: Tensor) -> Tensor:
        logits: Tensor = self.head(self.conv(images_NCHW).amax((2, 3)))
        return logits


def test_channels_that_cannot_be_followed_are_reported_once(monkeypatch: pytest.MonkeyPatch) -> None:
    built_as(monkeypatch, Gathering)
    channels = {"criterion": ["magnitude", "random"], "structure": "channels"}
    (found,) = texts(prune=[{"criterion": "magnitude"}, channels])
    assert found.startswith("prune[1].structure: structure channels: ")
    assert "does to channels is not known" in found
    assert problems() == (), "weights can be pruned in it"


def test_a_network_that_cannot_be_built_is_the_one_problem_with_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> nn.Module:
        raise KeyError("width")

    built_as(monkeypatch, broken)
    (found,) = texts(prunable={"exclude": ["hed"]})
    line = broken.__code__.co_firstlineno + 1
    assert (
        found
        == f"model: tiny-cnn cannot be built: KeyError: 'width' (tests/unit/work/test_preflight.py:{line}, in broken)"
    )


class Squeezing(nn.Module):
    def forward(self, images_NCHW: Tensor) -> Tensor:
        return images_NCHW.reshape(1, 7, 7)


def test_a_network_that_cannot_take_an_image_is_reported_with_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    built_as(monkeypatch, Squeezing)
    (found,) = texts()
    assert found.startswith("model: tiny-cnn cannot take an image of (1, 8, 8): RuntimeError: ")
    line = Squeezing.forward.__code__.co_firstlineno + 1
    assert found.endswith(f"(tests/unit/work/test_preflight.py:{line}, in forward)")


def test_outputs_of_another_shape_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    built_as(monkeypatch, lambda: nn.Sequential(nn.Flatten(), nn.Linear(64, 7)))
    assert texts() == ["model: tiny-cnn gives outputs of (1, 7) for an image of (1, 8, 8), not (1, 10)"]


def pooled(norm: bool) -> nn.Module:
    """One value per channel after pooling."""
    layers = [nn.AdaptiveAvgPool2d(1), nn.BatchNorm2d(1) if norm else nn.Identity(), nn.Flatten(), nn.Linear(1, 10)]
    return nn.Sequential(*layers)


@pytest.mark.parametrize(("batch_size", "alone"), [(20, True), (1, True), (32, False)])
def test_a_last_batch_of_one_image_is_reported_where_batch_norm_cannot_take_it(
    batch_size: int, alone: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, train = {"name": "digits", "train_limit": 101}, {"epochs": 1, "lr": 0.1, "batch_size": batch_size}
    built_as(monkeypatch, lambda: pooled(norm=True))
    found = problems(data=data, train=train)
    assert [problem.key for problem in found] == ["train.batch_size"] * alone
    if found:
        assert "the last of 101 training images" in found[0].message
        assert found[0].hint == "choose another batch_size or train_limit"
    built_as(monkeypatch, lambda: pooled(norm=False))
    assert problems(data=data, train=train) == ()


def test_batch_norm_over_many_pixels_takes_a_single_image() -> None:
    data, train = {"name": "digits", "train_limit": 101}, {"epochs": 1, "lr": 0.1, "batch_size": 20}
    assert any(isinstance(module, nn.BatchNorm2d) for module in TinyCnn().build((1, 8, 8), 10).modules())
    assert problems(data=data, train=train) == ()


@pytest.mark.parametrize(
    ("kind", "method", "asked", "expected"),
    [
        (Global, "groups", {"scope": "global"}, "prune[0].scope: scope global cannot be applied"),
        (Channels, "check", {"structure": "channels"}, "prune[0].structure: structure channels cannot be checked"),
    ],
)
def test_whatever_a_scope_or_structure_raises_is_reported_with_the_line(
    monkeypatch: pytest.MonkeyPatch, kind: type, method: str, asked: dict[str, Any], expected: str
) -> None:
    def broken(*_: Any) -> Any:
        raise KeyError("conv9")

    monkeypatch.setattr(kind, method, broken)
    (found,) = texts(prune=[{"criterion": "magnitude", **asked}])
    assert found.startswith(f"{expected}: KeyError: 'conv9' (")
    assert found.endswith(f"test_preflight.py:{broken.__code__.co_firstlineno + 1}, in broken)")


def test_problems_that_a_structure_finds_before_it_fails_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> Iterator[str]:
        yield "first"
        raise KeyError("conv9")

    monkeypatch.setattr(Channels, "check", broken)
    first, second = texts(prune=[{"criterion": "magnitude", "structure": "channels"}])
    assert first == "prune[0].structure: structure channels: first"
    assert "cannot be checked: KeyError" in second


def test_data_that_are_missing_are_reported_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(self: Digits, root: Path) -> Arrays:
        raise DataError("digits are missing", hint="download them")

    monkeypatch.setattr(Digits, "arrays", missing)
    found = problems(prunable={"exclude": ["hed"]})
    assert Problem(path=("data",), message="digits are missing", hint="download them") in found
    assert len(found) == 2, "the network is checked all the same"


def test_data_that_cannot_be_read_are_reported_with_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Digits, root: Path) -> Arrays:
        raise ZeroDivisionError("no images")

    monkeypatch.setattr(Digits, "arrays", broken)
    (found,) = texts()
    assert found.startswith("data: digits cannot be read: ZeroDivisionError: no images (")
    assert f"test_preflight.py:{broken.__code__.co_firstlineno + 1}, in broken)" in found


def test_the_network_is_left_alone_by_the_check(monkeypatch: pytest.MonkeyPatch) -> None:
    """A training pass would change running statistics, and so what is checked after it."""
    network = pooled(norm=True)
    built_as(monkeypatch, lambda: network)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    problems(data={"name": "digits", "train_limit": 101}, train={"epochs": 1, "lr": 0.1, "batch_size": 20})
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


def test_a_criterion_of_single_images_is_refused_where_they_depend_on_each_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What `chunk` is would change the masks. Criteria that score whole batches are not refused."""

    def make() -> nn.Module:
        norm = nn.BatchNorm2d(8, track_running_stats=False)
        return nn.Sequential(nn.Conv2d(1, 8, 3), norm, nn.ReLU(), nn.Flatten(), nn.Linear(288, 10))

    built_as(monkeypatch, make)
    assert problems(prune=[{"criterion": ["snip", "magnitude"]}]) == ()
    other, problem = problems(prune=[{"criterion": "snip"}, {"criterion": [{"name": "fisher", "chunk": 8}, "obd"]}])
    assert problem.key == other.key == "prune[1].criterion"
    assert problem.message == (
        "fisher(chunk=8) looks at single images, and in evaluation 1 (BatchNorm2d) makes the images of a batch depend "
        "on each other"
    )
    assert problem.hint is not None
    assert "track_running_stats=True" in problem.hint


def test_tf32_without_a_gpu_is_reported_before_the_first_training() -> None:
    (problem,) = problems(train={"epochs": 1, "lr": 0.1, "precision": "tf32"})
    assert problem.key == "train.precision"
    assert problem.message == 'precision = "tf32" needs a GPU of NVIDIA, and steps run on cpu'
    assert problem.hint == 'write precision = "float32" in [train], or choose such a GPU with --device'


class Converting(nn.Module):
    """Puts its logits into a float32 tensor, by an operation that converts no types."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        """Logits."""
        logits = self.head(x.flatten(1))
        return torch.zeros(len(x), 10).index_add(0, torch.arange(len(x)), logits)


def test_a_network_that_cannot_be_trained_in_bfloat16_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    built_as(monkeypatch, Converting)
    recipe = {"epochs": 1, "lr": 0.1}
    assert not [text for text in texts(train=recipe) if text.startswith("train.")]
    (text,) = [text for text in texts(train={**recipe, "precision": "bfloat16"}) if text.startswith("train.")]
    assert text.startswith("train.precision: tiny-cnn cannot be trained in bfloat16: ")


def test_a_floor_above_what_the_highest_sparsity_leaves_is_refused_with_what_it_reaches() -> None:
    arms = [{"criterion": "magnitude", "scope": {"name": "global", "floor": 0.6}}]
    [problem] = problems(prune=arms, sweep={"sparsities": [0.3, 0.5], "seeds": [1]})
    assert problem.key == "prune[0].scope"
    assert "keeps at least 3,620 of 6,032 weights" in problem.message
    assert problem.hint == "choose a smaller floor, or sparsities up to 0.3998"
    assert problems(prune=arms, sweep={"sparsities": [0.3], "seeds": [1]}) == ()
