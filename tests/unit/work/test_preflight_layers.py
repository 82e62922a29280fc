"""Networks that cannot be trained or pruned as they are: each is refused before the first training, with the remedy."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import pytest
import torch
from torch import nn

import odd_networks as odd
from networks import CLASSES, SHAPE
from prunectl.catalog.model import Model
from prunectl.models.tiny import TinyCnn
from prunectl.plan.steps import Network
from prunectl.work.preflight_layers import surveyed, unprunable

NETWORK = Network(model=TinyCnn(), init="kaiming-normal", bn_init="ones", shape=SHAPE, classes=CLASSES)


UNCALLED = "never called in the forward passes that were tried (does forward choose by its input?)"


def texts(built: nn.Module, *exclude: str) -> list[str]:
    found, problems = surveyed(built, NETWORK)
    if found is not None:
        problems += unprunable(built, exclude, found)
    return [f"{problem.key}: {problem.message}" for problem in problems]


@pytest.mark.parametrize(
    "make", [odd.Plain, odd.InPlace, odd.frozen, odd.channels_last, odd.transposed, odd.tied, odd.two_names]
)
def test_unusual_networks_that_are_right_have_no_problems(make: Callable[[], nn.Module]) -> None:
    built = make()
    before = {name: tensor.clone() for name, tensor in built.state_dict().items()}
    random = torch.random.get_rng_state()
    assert texts(built) == []
    assert all(torch.equal(tensor, before[name]) for name, tensor in built.state_dict().items())
    assert torch.equal(torch.random.get_rng_state(), random)


def test_a_layer_that_is_never_called_is_named_with_the_line_to_write() -> None:
    expected = f'prunable.exclude: layer aux is {UNCALLED}: exclude it ([prunable] exclude = ["aux"])'
    assert texts(odd.WithAux()) == [expected]
    assert texts(odd.WithAux(), "aux") == []


def test_a_layer_that_the_input_chooses_is_unused_only_for_the_images_that_were_tried() -> None:
    class Choosing(odd.WithAux):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            logits = super().forward(images)
            return logits + self.aux(images[:, 0, 0]) if images.mean() > 1e6 else logits

    (found,) = texts(Choosing())
    assert f"layer aux is {UNCALLED}" in found


def test_the_line_to_write_has_what_is_excluded_already() -> None:
    (found,) = texts(odd.WithAux(), "head")
    assert found.endswith('exclude it ([prunable] exclude = ["head", "aux"])')


def test_several_layers_that_are_never_called_are_one_problem() -> None:
    built = odd.WithAux()
    built.other = nn.Conv2d(1, 1, 1)
    (found,) = texts(built)
    assert f"layers aux and other are {UNCALLED}: exclude them" in found
    assert found.endswith('([prunable] exclude = ["aux", "other"])')


def test_a_layer_that_is_called_in_training_alone_is_refused_unless_excluded() -> None:
    (found,) = texts(odd.AuxInTraining())
    assert "layer aux is called in training only, and networks are scored and measured in evaluation: exclude" in found
    assert texts(odd.AuxInTraining(), "aux") == []


def test_a_weight_that_is_used_without_its_layer_is_refused_unless_excluded() -> None:
    found = texts(odd.Functional())
    assert [text.partition(" ([")[0] for text in found] == [
        "prunable.exclude: layer fc is never called, but used in another way (as by F.linear), "
        "which cannot be followed: exclude it",
        f"prunable.exclude: layer conv2 is {UNCALLED}: exclude it",
    ]
    assert texts(odd.Functional(), "fc", "conv2") == []


def test_a_layer_that_no_gradient_reaches_is_refused() -> None:
    built = odd.Detached()
    built.conv2 = nn.Identity()  # type: ignore[assignment]  # it is not called
    (found,) = texts(built)
    assert "layer conv1 is called, but no gradient of the logits reaches its weight" in found


def old_spectral(layer: nn.Module) -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        return nn.utils.spectral_norm(layer)


@pytest.mark.parametrize(
    "wrap",
    [old_spectral, nn.utils.parametrizations.spectral_norm, nn.utils.parametrizations.weight_norm],
)
def test_a_weight_that_is_computed_from_others_is_refused_unless_excluded(wrap: Callable[..., nn.Module]) -> None:
    (found,) = texts(odd.normalized(wrap))
    assert found == (
        "prunable.exclude: the weight of layer fc is computed from other parameters (spectral_norm, weight_norm or "
        'another parametrization), so that zeros in it would not last: exclude it ([prunable] exclude = ["fc"])'
    )
    assert texts(odd.normalized(wrap), "fc") == []


def test_a_tied_weight_cannot_be_excluded_in_one_place_alone() -> None:
    (found,) = texts(odd.tied(), "5")
    assert found == (
        "prunable.exclude: layer 3 and layer 5, which is excluded, share one weight: exclude both or neither; "
        'to exclude both, exclude them ([prunable] exclude = ["5", "3"])'
    )
    assert texts(odd.tied(), "3", "5") == []


def test_a_weight_that_is_shared_with_something_that_is_not_pruned_is_refused() -> None:
    built = odd.Plain()
    built.embed = nn.Embedding(8, 16)
    built.fc.weight = built.embed.weight
    (found,) = texts(built)
    assert "the weight of layer fc is also a parameter of embed (Embedding), which is not pruned" in found
    assert texts(built, "fc") == []


def test_a_weight_of_size_zero_is_refused_unless_excluded() -> None:
    built = odd.Plain()
    built.none = nn.Linear(3, 1)
    built.none.weight = nn.Parameter(torch.empty(0, 3))
    assert "the weight of layer none is of size zero: exclude it" in texts(built)[0]
    assert texts(built, "none") == []


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64, torch.complex64])
def test_other_types_than_float32_are_refused(dtype: torch.dtype) -> None:
    built = odd.Plain()
    built.fc.weight, built.fc.bias = (nn.Parameter(kept.detach().to(dtype)) for kept in built.fc.parameters())
    (found,) = texts(built)
    assert found == f"model: tiny-cnn has fc.weight in {str(dtype)[6:]} (2 parameters are of other types than float32)"


def test_images_that_are_changed_in_place_are_refused() -> None:
    (found,) = texts(odd.ChangesImages())
    assert found == "model: tiny-cnn changes the images that it is given in place, which others look at after it"


@pytest.mark.parametrize("give", [lambda logits: (logits, logits), lambda logits: {"logits": logits}])
def test_outputs_that_are_not_logits_in_training_are_refused(give: Callable[..., object]) -> None:
    kind = type(give(torch.zeros(2, 3))).__name__
    (found,) = texts(odd.Returning(give, always=False))
    assert found == f"model: tiny-cnn gives outputs of {kind} for two images in training, not (2, 3)"


def test_a_network_in_which_nothing_learns_is_refused() -> None:
    (found,) = texts(odd.Plain().requires_grad_(False))
    assert found == "model: tiny-cnn has nothing to train: requires_grad is False for each of its parameters"


def test_logits_without_a_gradient_are_refused() -> None:
    (found,) = texts(odd.Returning(lambda logits: logits.detach()))
    assert "gives logits without a gradient" in found


class Spoiled(odd.Plain):
    """Changes in place what the way back needs."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        inner = self.act(self.norm(self.conv1(images)))
        inner += self.conv2(inner)
        logits: torch.Tensor = self.head(self.act(self.fc(self.pool(inner).flatten(1))))
        return logits


def test_a_network_that_cannot_go_back_is_refused_with_the_reason() -> None:
    (found,) = texts(Spoiled())
    assert found.startswith(
        "model: tiny-cnn cannot be trained on images of (1, 6, 6): RuntimeError: one of the variables"
    )


def test_models_of_the_catalogue_are_as_the_survey_wants_them() -> None:
    model: Model = TinyCnn()
    assert texts(model.build(SHAPE, CLASSES)) == []
