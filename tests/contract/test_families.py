"""The families of networks that people use: scored, pruned, trained and counted, or refused with the layer's name."""

from __future__ import annotations

from functools import cache

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from families import CLASSES, FAMILIES, SHAPE, LanguageModel, Transformer, mobilenet
from prunectl.base.errors import MethodError
from prunectl.catalog.criterion import Criterion
from prunectl.catalog.lookup import entry_type, names
from prunectl.catalog.masks import layer_of
from prunectl.models.flops import flops_of
from prunectl.models.initialization import initialize
from prunectl.models.survey import survey
from prunectl.pruning import mask as masking
from prunectl.pruning.cut import Cut
from prunectl.pruning.engines.channel_graph import channels_of
from prunectl.pruning.engines.channel_masks import WholeChannels
from prunectl.pruning.engines.compact import compact
from prunectl.pruning.engines.paths import effective
from prunectl.pruning.engines.single_weights import SingleWeights
from prunectl.pruning.in_rounds import prune_in_rounds
from prunectl.pruning.prunable import prunable, refusals
from prunectl.pruning.rounds.exponential import Exponential
from prunectl.pruning.scopes.global_ import Global
from prunectl.pruning.scopes.layerwise import Layerwise
from prunectl.pruning.scoring import Scoring, score
from prunectl.pruning.structures.channels import Channels
from prunectl.training.loop import advance
from prunectl.training.pixels import Normalize
from prunectl.training.source import InMemory
from prunectl.training.trainee import Material, Training, begin
from trainings import RECIPE

TIED = "language model with a tied head"
ATTENTION = "ViT with nn.MultiheadAttention"
EXCLUDE = {TIED: ["head"]}

UNSEEN = "encoder.layers.encoder_layer_0.self_attention.in_proj"
REFUSED = {
    **{(name, ATTENTION): UNSEEN for name in ("activation", "fisher", "lap", "obd", "obs")},
    ("lap", "ConvNeXt"): r"features\.0\.1 \(LayerNorm2d\)",
    **{("lap", name): r"positions \(Embedding\)" for name in FAMILIES if name.startswith("transformer")},
    **{("lap", name): r"words \(Embedding\)" for name in FAMILIES if name.startswith("language")},
}
"""What cannot be scored, with the layer that the message names."""

SATURATED = {("synflow", "MobileNet"): "fc"}
"""Scores of 0 in whole layers: flow without bounds leaves no slope in the gates of squeeze and excitation."""

CHANNELS = {
    "ConvNeXt": "permute(features_0_0) in layer features.0.1",
    "MobileNet": None,
    ATTENTION: "reshape(conv_proj, getitem, mul) after layer conv_proj",
    "transformer with embedded positions": "flatten(patches) after layer patches",
    "transformer whose blocks share weights": "blocks.0.norm1.weight and blocks.1.norm1.weight are one parameter",
    "language model": "mean(images)",
    TIED: "words.weight and head.weight are one parameter",
}
"""Why whole channels cannot be followed; None where they can be."""

every_family = pytest.mark.parametrize("family", FAMILIES)
CRITERIA = [name for name in names("criteria") if entry_type("criteria", name, Criterion).structures is None]


@cache
def drawn(family: str) -> nn.Module:
    """The network with its own initialization. Tests leave it as it is."""
    torch.manual_seed(0)
    return FAMILIES[family]().eval()


def fresh(family: str) -> nn.Module:
    network = FAMILIES[family]()
    network.load_state_dict(drawn(family).state_dict())
    return network


def batch(count: int = 6) -> tuple[Tensor, Tensor]:
    return torch.randn(count, *SHAPE, generator=torch.Generator().manual_seed(count)), torch.arange(count) % CLASSES


@every_family
@pytest.mark.parametrize("name", CRITERIA)
def test_it_is_scored_and_pruned_exactly_or_refused_with_the_layer(name: str, family: str) -> None:
    network, exclude = drawn(family), EXCLUDE.get(family, [])
    criterion = entry_type("criteria", name, Criterion)()
    rng = torch.Generator().manual_seed(3)
    batches = [batch()] if criterion.needs_data else []
    weights = prunable(network, exclude)
    if (name, family) in REFUSED:
        with pytest.raises(MethodError, match=REFUSED[name, family]) as caught:
            score(Scoring(criterion=criterion, exclude=exclude, batches=batches, shape=SHAPE, generator=rng), network)
        assert next(criterion.check(network, weights, SHAPE)) == str(caught.value), "before the first training"
        return
    before = {key: value.clone() for key, value in network.state_dict().items()}
    scores = score(Scoring(criterion=criterion, exclude=exclude, batches=batches, shape=SHAPE, generator=rng), network)
    dead = [layer_of(weight) for weight, values in scores.items() if not bool(values.any())]
    expected = SATURATED.get((name, family))
    assert all(expected is not None and expected in layer for layer in dead), dead
    pruned = prune_in_rounds(
        Scoring(criterion=criterion, exclude=exclude, batches=batches, shape=SHAPE, generator=rng),
        network,
        Cut(units=SingleWeights(), scope=Global()),
        0.5,
        Exponential(count=2),
    )
    total = sum(weight.numel() for weight in weights.values())
    assert sum(int((~mask).sum()) for mask in pruned.masks.values()) == round(0.5 * total)
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())


@every_family
def test_every_prunable_layer_is_called_and_trained_under_its_mask(family: str) -> None:
    network, exclude = fresh(family), EXCLUDE.get(family, [])
    weights = prunable(network, exclude)
    found = survey(network, SHAPE, CLASSES)
    assert {layer_of(name) for name in weights} <= found.called and weights.keys() <= found.reached
    masks = masking.dense(weights)
    for mask in masks.values():
        mask.view(-1)[::2] = False
    before = {name: weight.detach().clone() for name, weight in weights.items()}
    images = InMemory(torch.randint(0, 256, (40, *SHAPE), dtype=torch.uint8), torch.arange(40) % CLASSES)
    material = Material(train=images, test=images, normalize=Normalize([0.5] * 3, [0.25] * 3, torch.device("cpu")))
    advance(begin(network, Training(material=material, recipe=RECIPE, seed=1), masks=masks), 2)
    assert all(not bool(weight[~masks[name]].any()) for name, weight in weights.items())
    assert all(not torch.equal(weight, before[name]) for name, weight in weights.items())
    assert network.eval()(batch()[0]).shape == (6, CLASSES)


@every_family
def test_its_weights_are_counted_once_and_its_flops_by_every_use(family: str) -> None:
    network, exclude = drawn(family), EXCLUDE.get(family, [])
    masks = masking.dense(prunable(network, exclude))
    counted = flops_of(network, SHAPE, list(masks))
    assert counted.pruned(masks) == counted.dense and counted.doubt is None
    nothing = {name: torch.zeros_like(mask) for name, mask in masks.items()}
    assert 0 <= counted.pruned(nothing) < counted.dense / 4, "what is left multiplies activations alone"


@pytest.mark.parametrize("family", ["ConvNeXt", "MobileNet"])
def test_weights_on_a_path_are_known_of_depthwise_convolutions(family: str) -> None:
    network = drawn(family)
    masks = masking.dense(prunable(network))
    on_path = effective(network, masks, SHAPE)
    for name, mask in on_path.items():
        padding = family == "ConvNeXt" and mask.shape[-1] == 7  # a window of 7 over 2 or 1 places, the rest padding
        assert bool(mask.any()) if padding else bool(mask.all()), name


@every_family
def test_its_channels_are_followed_or_refused_by_layer(family: str) -> None:
    network = drawn(family)
    reasons = list(Channels().check(network, prunable(network, EXCLUDE.get(family, [])), SHAPE))
    expected = CHANNELS[family]
    assert reasons == [] if expected is None else expected in reasons[0]


def test_channels_are_followed_through_branches_that_training_leaves_out() -> None:
    from torchvision.ops import StochasticDepth

    class Branch(nn.Sequential):
        def forward(self, images: Tensor) -> Tensor:
            inner = images
            for layer in self:
                inner = layer(inner)
            return images + inner

    branch = Branch(nn.Conv2d(4, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 4, 1), StochasticDepth(0.5, "row"))
    network = nn.Sequential(nn.Conv2d(3, 4, 3), branch, nn.ReLU(), nn.Flatten(), nn.Linear(144, CLASSES)).eval()
    channels = channels_of(network, SHAPE)
    assert torch.equal(channels.rows["1.2.weight"], channels.rows["0.weight"])
    scores = {name: weight.detach().abs() for name, weight in prunable(network).items()}
    masks = WholeChannels(channels).prune(scores, Layerwise(), 0.5, generator=torch.Generator().manual_seed(0)).masks
    masking.apply(masks, network)
    assert compact(network, masks, SHAPE).channels[0] < 16, "checked against the masked network"


def test_a_network_that_cannot_be_traced_is_refused_with_the_layer() -> None:
    class Choosing(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            return images if images.sum() > 0 else -images

    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Sequential(nn.ReLU(), Choosing()), nn.Flatten(), nn.Linear(144, 3))
    (reason,) = Channels().check(network, prunable(network), SHAPE)
    assert reason.startswith("the network cannot be traced in layer 1.1: ")


def test_a_head_that_is_tied_to_an_embedding_is_refused_with_both_names_and_the_line_to_write() -> None:
    """Embeddings are never pruned, and zeros in one of the two places would be zeros in the other."""
    (reason,) = refusals(drawn(TIED), ())
    assert reason == (
        "the weight of layer head is also a parameter of words (Embedding), which is not pruned: exclude it "
        '([prunable] exclude = ["head"])'
    )
    assert list(refusals(drawn(TIED), ["head"])) == []


def test_a_tied_weight_is_one_parameter_before_and_after_training() -> None:
    network = LanguageModel(tie=True)
    untied = LanguageModel(tie=False)
    sizes = [sum(parameter.numel() for parameter in each.parameters()) for each in (network, untied)]
    assert sizes[1] - sizes[0] == untied.head.weight.numel()
    shared = Transformer(shared=True)
    assert len(prunable(shared)) == len(prunable(Transformer())) - 4
    initialize(shared.blocks, init="kaiming-normal", bn_init="ones", generator=torch.Generator().manual_seed(0))
    assert shared.blocks[0] is shared.blocks[1]


# --- what the families needed ---


def squared_gradients(network: nn.Module, weight: Tensor) -> Tensor:
    """E[g²] over single images, one image at a time."""
    images, labels = batch()
    total = torch.zeros_like(weight)
    for image, label in zip(images, labels, strict=True):
        loss = functional.cross_entropy(network(image[None]), label[None])
        total += torch.autograd.grad(loss, [weight])[0].square()
    return total / len(images)


@pytest.mark.parametrize("family", ["ConvNeXt", "transformer whose blocks share weights", "language model"])
def test_curvature_of_linear_layers_along_a_sequence_is_that_of_each_image(family: str) -> None:
    network = drawn(family)
    criterion = entry_type("criteria", "fisher", Criterion)()
    scores = score(Scoring(criterion=criterion, batches=[batch()], shape=SHAPE, generator=torch.Generator()), network)
    for name, weight in prunable(network).items():
        expected = weight.detach().square() * squared_gradients(network, weight)
        torch.testing.assert_close(scores[name], expected, rtol=1e-3, atol=1e-9, msg=name)


class Noisy(nn.Module):
    """Adds noise in evaluation, too."""

    def forward(self, images: Tensor) -> Tensor:
        return images + torch.randn_like(images)


@pytest.mark.parametrize("name", ["activation", "fisher", "lap", "obd", "obs"])
def test_looking_at_a_network_before_it_is_scored_draws_nothing_and_leaves_it_alone(name: str) -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), Noisy(), nn.Flatten(), nn.Linear(144, 3))
    state, random = {key: kept.clone() for key, kept in network.state_dict().items()}, torch.random.get_rng_state()
    assert list(entry_type("criteria", name, Criterion)().check(network, prunable(network), SHAPE)) == []
    assert torch.equal(torch.random.get_rng_state(), random)
    assert all(torch.equal(kept, state[key]) for key, kept in network.state_dict().items())
    assert network.training and all(parameter.requires_grad for parameter in network.parameters())


class Rows(nn.Module):
    """Puts the places of all images into one list of rows."""

    def __init__(self) -> None:
        super().__init__()
        self.fc, self.head = nn.Linear(8, 8), nn.Linear(8, CLASSES)

    def forward(self, images: Tensor) -> Tensor:
        rows = self.fc(images.flatten(0, 2))
        logits: Tensor = self.head(rows.relu().view(len(images), -1, 8).mean(1))
        return logits


@pytest.mark.parametrize("name", ["fisher", "obd", "obs"])
def test_curvature_is_refused_where_rows_of_several_images_are_in_one_list(name: str) -> None:
    """Each row would count as an image: the squares of parts are not the square of their sum."""
    criterion = entry_type("criteria", name, Criterion)()
    with pytest.raises(MethodError, match="layer fc is called with 24 rows for 1 image: ") as caught:
        score(Scoring(criterion=criterion, batches=[batch()], shape=SHAPE, generator=torch.Generator()), Rows())
    assert next(criterion.check(Rows(), prunable(Rows()), SHAPE)) == str(caught.value)


def test_second_derivatives_of_hardsigmoid_and_fused_attention_are_those_of_their_definitions() -> None:
    """GraSP's H · g against the difference of two gradients."""
    for network in (mobilenet(), Transformer()):
        network.double().eval()
        criterion = entry_type("criteria", "grasp", Criterion).model_validate({"batch_norm": "eval"})
        scores = score(
            Scoring(criterion=criterion, batches=[batch()], shape=SHAPE, generator=torch.Generator()), network.float()
        )
        network.double()
        images, labels = batch()
        weights = prunable(network)

        def gradients() -> list[Tensor]:
            loss = functional.cross_entropy(network(images.double()) / 200, labels)  # noqa: B023  # called here
            return list(torch.autograd.grad(loss, list(weights.values())))  # noqa: B023

        first, step = gradients(), 1e-3
        with torch.no_grad():
            for weight, gradient in zip(weights.values(), first, strict=True):
                weight.add_(gradient, alpha=step)
        second = gradients()
        for (name, weight), before, after in zip(weights.items(), first, second, strict=True):
            expected = (weight.detach() - step * before) * (after - before) / step
            torch.testing.assert_close(scores[name].double(), expected, rtol=2e-2, atol=1e-9, msg=name)
