"""The most used networks of torchvision and timm: checked, pruned, trained, exported; and what is refused.

    pip install -e '.[timm,onnx]'
    python bench/any_network.py [--output FILE] [--size 32] [--only resnet] [--sparsity 0.9] [--rounds 3]

Random images, weights that each network draws itself, one thread. For each network: the checks before the first
training; masks by magnitude, SNIP and SynFlow (with few rounds, because their number does not decide whether it works),
and what SNIP's mask leaves of the FLOPs; ten training steps under a mask by magnitude in each layer, so that no layer
is empty, after which every pruned weight is zero; that network exported as `prunectl export` does, in both formats, and
compared with what is read back; whether whole channels can be followed.
The table is Markdown, with a row as soon as it is known. With --output a second run adds the rows that are missing.
The last column is CPU time in seconds.
"""

from __future__ import annotations

import argparse
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor, nn

from prunectl.base.batch_norm import batch_norms
from prunectl.base.errors import MethodError, PrunectlError, described
from prunectl.base.onnx_extra import missing
from prunectl.base.text import plural, shortened
from prunectl.catalog.criterion import Criterion
from prunectl.catalog.lookup import entry_type
from prunectl.catalog.masks import Pruned
from prunectl.catalog.model import Model
from prunectl.catalog.recipe import Recipe
from prunectl.catalog.scope import Scope
from prunectl.execute.hardware import settle
from prunectl.models.flops import flops_of
from prunectl.plan.steps import Network
from prunectl.pruning.cut import Cut
from prunectl.pruning.engines.single_weights import SingleWeights
from prunectl.pruning.in_rounds import prune_in_rounds
from prunectl.pruning.prunable import prunable
from prunectl.pruning.rounds.exponential import Exponential
from prunectl.pruning.rounds.one_shot import OneShot
from prunectl.pruning.scopes.global_ import Global
from prunectl.pruning.scopes.layerwise import Layerwise
from prunectl.pruning.scoring import Scoring
from prunectl.pruning.structures.channels import Channels
from prunectl.store import layout
from prunectl.training.loop import advance
from prunectl.training.optimizers.sgd import Sgd
from prunectl.training.pixels import Normalize
from prunectl.training.recalibrate import recalibrate
from prunectl.training.schedules.constant import Constant
from prunectl.training.source import InMemory
from prunectl.training.state import network_tensors
from prunectl.training.trainee import Material, Training, begin
from prunectl.work.export import export
from prunectl.work.masks import write_masks
from prunectl.work.networks import drawn
from prunectl.work.preflight_layers import surveyed, unprunable
from prunectl.work.tensors import write_tensors

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
CLASSES, BATCH, STEPS, SEED = 10, 8, 10, 1
LONGEST = 200
"""Characters of a reason in a cell."""
HEADS = (
    "network", "parameters", "prunable", "magnitude", "SNIP", "SynFlow", "10 steps", "FLOPs", "export", "channels",
    "CPU s",
)  # fmt: skip


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, help="the file of the table; its rows are kept")
    parser.add_argument("--size", type=int, default=32, help="height and width of the images")
    parser.add_argument("--only", default="", help="networks whose name has this in it")
    parser.add_argument("--sparsity", type=float, default=0.9)
    parser.add_argument("--rounds", type=int, default=3, help="of SynFlow")
    chosen = parser.parse_args()
    settle(1)
    warnings.simplefilter("ignore")
    written = chosen.output.read_text() if chosen.output and chosen.output.exists() else ""
    if not written:
        add(chosen.output, f"| {' | '.join(HEADS)} |\n|{'---|' * len(HEADS)}")
    for name in NETWORKS:
        if chosen.only in name and f"| `{name}` |" not in written:
            begun = time.process_time()
            cells = [*row(name, (3, chosen.size, chosen.size), chosen.sparsity, chosen.rounds)]
            cells += ["–"] * (len(HEADS) - 2 - len(cells))
            add(chosen.output, f"| `{name}` | {' | '.join(cells)} | {time.process_time() - begun:.0f} |")


def add(file: Path | None, line: str) -> None:
    """A line of the table, on the terminal and in the file."""
    print(line, flush=True)
    if file is not None:
        with file.open("a") as lines:
            lines.write(line + "\n")


def row(name: str, shape: tuple[int, int, int], sparsity: float, rounds: int) -> Iterator[str]:
    """The cells of one network, as far as it gets."""
    try:
        model = entry_type("models", name, Model)()
        network = Network(model=model, init="own", bn_init="ones", shape=shape, classes=CLASSES)
        built = drawn(network, SEED, "init")
    except Exception as error:  # whatever a library raises
        yield f"refused: {described(error)}"
        return
    weights = prunable(built)
    yield f"{sum(parameter.numel() for parameter in built.parameters()):,}"
    yield f"{sum(weight.numel() for weight in weights.values()):,}"
    found, problems = surveyed(built, network)
    problems += list(unprunable(built, (), found)) if found else []
    if problems:
        yield shortened(f"refused: {'; '.join(problem.message for problem in problems)}", LONGEST)
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
    shares = share_of_flops(built, shape, snip)
    by_layers = masks_of("magnitude", built, shape, sparsity, 1, scope=Layerwise())
    if isinstance(by_layers, str):
        yield by_layers
        return
    yield trained(built, by_layers, shape)
    yield shares
    yield written_out(network, built, by_layers)
    reasons = list(Channels().check(built, weights, shape))
    yield "followed" if not reasons else f"refused: {reasons[0]}"


def masks_of(
    name: str,
    network: nn.Module,
    shape: tuple[int, int, int],
    sparsity: float,
    rounds: int,
    scope: Scope = Global(),  # noqa: B008  # an entry is frozen
) -> dict[str, Tensor] | str:
    """The masks of a criterion, or why there are none."""
    criterion = entry_type("criteria", name, Criterion)()
    draws = torch.Generator().manual_seed(1)
    batches = [(torch.randn((CLASSES, *shape), generator=draws), torch.arange(CLASSES))] if criterion.needs_data else []
    way = OneShot() if rounds == 1 else Exponential(count=rounds)
    try:
        return prune_in_rounds(
            Scoring(criterion=criterion, batches=batches, shape=shape, generator=draws),
            network,
            Cut(units=SingleWeights(), scope=scope),
            sparsity,
            way,
        ).masks
    except (MethodError, RuntimeError) as error:
        return f"refused: {described(error)}"


def trained(network: nn.Module, masks: dict[str, Tensor], shape: tuple[int, int, int]) -> str:
    """Ten steps under masks; then BatchNorm's statistics, which ten steps leave far from those of the images."""
    draws = torch.Generator().manual_seed(2)
    pixels = torch.randint(0, 256, (BATCH * 4, *shape), generator=draws, dtype=torch.uint8)
    images = InMemory(pixels, torch.arange(BATCH * 4) % CLASSES)
    recipe = Recipe(
        steps=STEPS, steps_per_epoch=4, batch_size=BATCH, optimizer=Sgd(), lr=0.01, weight_decay=1e-4,
        schedule=Constant(), augment=(),
    )  # fmt: skip
    normalize = Normalize([0.5] * 3, [0.25] * 3, torch.device("cpu"))
    training = Training(material=Material(train=images, test=images, normalize=normalize), recipe=recipe, seed=1)
    try:
        trainee = begin(network, training, masks=masks)
        advance(trainee, STEPS)
        if batch_norms(trainee.network):
            recalibrate(trainee.network, images, normalize)
    except (MethodError, RuntimeError) as error:
        return f"failed: {described(error)}"
    parameters = dict(trainee.network.named_parameters())
    assert all(not bool(parameters[name][~mask].any()) for name, mask in masks.items()), "a pruned weight is zero"
    return "done"


def written_out(network: Network, built: nn.Module, masks: dict[str, Tensor]) -> str:
    """The formats that the network was exported in, and the largest difference of what ONNX Runtime computes."""
    with tempfile.TemporaryDirectory() as place:
        state, mask = Path(place, "state"), Path(place, "mask")
        state.mkdir()
        mask.mkdir()
        write_tensors(state / layout.STATE, network_tensors(built))
        write_masks(mask, Pruned(masks=masks, tied=0, tied_pruned=0), network, SEED)
        try:
            export(network, state, mask, Path(place, "a"), seed=SEED, about={}, smaller=False)
        except (PrunectlError, RuntimeError) as error:
            return f"refused: {described(error)}"
        if missing():
            return "safetensors"
        try:
            document = export(network, state, mask, Path(place, "b"), seed=SEED, about={}, smaller=False, format="onnx")
        except (PrunectlError, RuntimeError) as error:
            return f"safetensors; ONNX refused: {described(error)}"
    return f"safetensors, ONNX ({document['onnx']['difference']:.0e})"


def share_of_flops(network: nn.Module, shape: tuple[int, int, int], masks: dict[str, Tensor]) -> str:
    """What a mask leaves of the FLOPs, or why that is not known."""
    try:
        counted = flops_of(network, shape, masks)
        return f"{counted.pruned(masks) / counted.dense:.0%}"
    except ValueError as error:
        return f"not known: {error}"


if __name__ == "__main__":
    main()
