"""The most used networks of torchvision and timm through prunectl: planned, pruned, trained; and what is refused.

    pip install -e '.[timm]'
    python bench/any_network.py [--size 64] [--only resnet] [--sparsity 0.9] [--rounds 5]

Random images, weights that each network draws itself, one thread. For each network: the checks before the first
training; masks by magnitude, SNIP and SynFlow (with few rounds, because their number does not decide whether it works);
ten training steps under SNIP's mask, after which every pruned weight is zero; whether whole channels can be followed.
The table is printed in Markdown, a row as soon as it is known.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from prunectl.base.errors import MethodError, described
from prunectl.base.text import plural
from prunectl.catalog.criterion import Criterion
from prunectl.catalog.model import Model
from prunectl.catalog.recipe import Recipe
from prunectl.catalog.tables import entry_type
from prunectl.execute.hardware import settle
from prunectl.models.flops import flops_of
from prunectl.plan.steps import Network
from prunectl.pruning.engines.single_weights import SingleWeights
from prunectl.pruning.prunable import prunable
from prunectl.pruning.rounds.exponential import Exponential
from prunectl.pruning.rounds.one_shot import OneShot
from prunectl.pruning.scopes.global_ import Global
from prunectl.pruning.scoring import prune_in_rounds
from prunectl.pruning.structures.channels import Channels
from prunectl.training.loop import advance
from prunectl.training.optimizers.sgd import Sgd
from prunectl.training.pixels import Normalize
from prunectl.training.schedules.constant import Constant
from prunectl.training.source import Held
from prunectl.training.trainee import Material, Training, begin
from prunectl.work.networks import drawn
from prunectl.work.surveyed import surveyed, unprunable

NETWORKS = (
    *("torchvision:" + name for name in (
        "resnet18", "resnet50", "mobilenet_v2", "mobilenet_v3_large", "efficientnet_b0", "vgg16", "densenet121",
        "convnext_tiny", "vit_b_16", "swin_t",
    )),
    *("timm:" + name for name in (
        "resnet50", "vit_tiny_patch16_224", "deit_small_patch16_224", "convnext_tiny", "efficientnet_b0",
        "mobilenetv3_large_100", "swin_tiny_patch4_window7_224", "regnety_016", "mixer_s16_224", "xception41",
    )),
)  # fmt: skip
CLASSES, BATCH, STEPS = 10, 8, 10


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=64, help="height and width of the images")
    parser.add_argument("--only", default="", help="networks whose name has this in it")
    parser.add_argument("--sparsity", type=float, default=0.9)
    parser.add_argument("--rounds", type=int, default=5, help="of SynFlow")
    chosen = parser.parse_args()
    settle(1)
    warnings.simplefilter("ignore")
    heads = ("network", "parameters", "prunable", "magnitude", "SNIP", "SynFlow", "10 steps", "FLOPs", "channels", "s")
    print(f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
    for name in NETWORKS:
        if chosen.only in name:
            begun = time.perf_counter()
            cells = [*row(name, (3, chosen.size, chosen.size), chosen.sparsity, chosen.rounds)]
            cells += ["–"] * (len(heads) - 2 - len(cells))
            print(f"| `{name}` | {' | '.join(cells)} | {time.perf_counter() - begun:.0f} |", flush=True)


def row(name: str, shape: tuple[int, int, int], sparsity: float, rounds: int) -> Iterator[str]:
    """The cells of one network, as far as it gets."""
    try:
        model = entry_type("models", name, Model)()
        network = Network(model=model, init="own", bn_init="ones", shape=shape, classes=CLASSES)
        built = drawn(network, 1, "init")
    except Exception as error:  # whatever a library raises
        yield f"refused: {described(error)}"
        return
    weights = prunable(built)
    yield f"{sum(parameter.numel() for parameter in built.parameters()):,}"
    yield f"{sum(weight.numel() for weight in weights.values()):,}"
    found, problems = surveyed(built, network)
    problems += list(unprunable(built, (), found)) if found else []
    if problems:
        yield f"refused: {'; '.join(problem.message for problem in problems)}"
        return
    snip: dict[str, Tensor] = {}
    for criterion, count in (("magnitude", 1), ("snip", 1), ("synflow", rounds)):
        masks = masks_of(criterion, built, shape, sparsity, count)
        if isinstance(masks, str):
            yield masks
            continue
        gone = sum(int((~mask).sum()) for mask in masks.values())
        empty = sum(not bool(mask.any()) for mask in masks.values())
        yield f"{gone / sum(map(Tensor.numel, masks.values())):.4f}" + (
            f", {plural(empty, 'layer')} empty" if empty else ""
        )
        snip = masks if criterion == "snip" else snip
    yield trained(built, snip, shape)
    yield share_of_flops(built, shape, snip)
    reasons = list(Channels().check(built, weights, shape))
    yield "followed" if not reasons else f"refused: {reasons[0]}"


def masks_of(
    name: str, network: nn.Module, shape: tuple[int, int, int], sparsity: float, rounds: int
) -> dict[str, Tensor] | str:
    """The masks of a criterion, or why there are none."""
    criterion = entry_type("criteria", name, Criterion)()
    draws = torch.Generator().manual_seed(1)
    batches = [(torch.randn((CLASSES, *shape), generator=draws), torch.arange(CLASSES))] if criterion.needs_data else []
    way = OneShot() if rounds == 1 else Exponential(count=rounds)
    try:
        return prune_in_rounds(
            criterion, network, SingleWeights(), Global(), sparsity, way, batches=batches, shape=shape, generator=draws
        ).masks
    except (MethodError, RuntimeError) as error:
        return f"refused: {described(error)}"


def trained(network: nn.Module, masks: dict[str, Tensor], shape: tuple[int, int, int]) -> str:
    """Ten steps under masks."""
    draws = torch.Generator().manual_seed(2)
    pixels = torch.randint(0, 256, (BATCH * 4, *shape), generator=draws, dtype=torch.uint8)
    images = Held(pixels, torch.arange(BATCH * 4) % CLASSES)
    recipe = Recipe(
        steps=STEPS, steps_per_epoch=4, batch_size=BATCH, optimizer=Sgd(), lr=0.01, weight_decay=1e-4,
        schedule=Constant(), augment=(),
    )  # fmt: skip
    normalize = Normalize([0.5] * 3, [0.25] * 3, torch.device("cpu"))
    training = Training(material=Material(train=images, test=images, normalize=normalize), recipe=recipe, seed=1)
    try:
        trainee = begin(network, training, masks=masks)
        advance(trainee, STEPS)
    except (MethodError, RuntimeError) as error:
        return f"failed: {described(error)}"
    parameters = dict(trainee.network.named_parameters())
    assert all(not bool(parameters[name][~mask].any()) for name, mask in masks.items()), "a pruned weight is zero"
    return "done"


def share_of_flops(network: nn.Module, shape: tuple[int, int, int], masks: dict[str, Tensor]) -> str:
    """What a mask leaves of the FLOPs, or why that is not known."""
    try:
        counted = flops_of(network, shape, masks)
        return f"{counted.pruned(masks) / counted.dense:.0%}"
    except ValueError as error:
        return f"not known: {error}"


if __name__ == "__main__":
    main()
