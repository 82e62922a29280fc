"""What scoring and selecting cost, compared with the straightforward way and with the floor, in the same run.

    python bench/scoring.py [--quick] [--repeats 3] [--only synflow single selection criteria]

One thread. The ways take turns, and medians are printed with their ratio to the floor: the forward and backward passes
(or the single pass over the scores) that no way can do without. Images are random, which changes nothing in the work.
"""

from __future__ import annotations

import argparse
import copy
import time
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path
from statistics import median

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from prunectl.base.rng import generator
from prunectl.catalog.criterion import Criterion
from prunectl.catalog.lookup import entry_type, names
from prunectl.catalog.model import Model
from prunectl.catalog.rounds import Rounds
from prunectl.models.initialization import initialize
from prunectl.pruning.cut import Cut
from prunectl.pruning.engines.select import lowest
from prunectl.pruning.engines.single_weights import SingleWeights
from prunectl.pruning.in_rounds import prune_in_rounds
from prunectl.pruning.prunable import prunable
from prunectl.pruning.rounds.exponential import Exponential
from prunectl.pruning.scopes.global_ import Global
from prunectl.pruning.scoring import Scoring, score

Ways = dict[str, Callable[[], object]]
"""What is timed in turn; the first is the floor."""
Batch = tuple[Tensor, Tensor]

SHAPE = (3, 32, 32)
CLASSES = 10
TRAINING_IMAGES = 50_000
BATCH = 128


def main() -> None:
    """Run everything, or the parts that `--only` names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="smaller networks, fewer rounds, fewer scores")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=list(PARTS), default=list(PARTS))
    given = parser.parse_args()
    torch.set_num_threads(1)
    for part in given.only:
        PARTS[part](given.quick, given.repeats)


def synflow(quick: bool, repeats: int) -> None:
    """SynFlow in rounds against the same number of bare passes, and against the usual way, in float64."""
    name, count = ("resnet-20", 10) if quick else ("vgg16", 100)
    rounds, net = Exponential(count=count), network(name)
    for sparsity in (0.9, 0.99):
        ways: Ways = {
            "bare forward and backward passes": lambda: bare_synflow(net, count),
            "prunectl": lambda: our_synflow(net, rounds, sparsity),  # noqa: B023  # timed before the next iteration
            "deep copy, cat, kthvalue": lambda: usual_synflow(net, rounds.targets(sparsity)),  # noqa: B023
        }
        report(f"SynFlow, {count} rounds to {sparsity:.0%}, {name}, float64", ways, repeats)


def bare_synflow(net: nn.Module, count: int) -> None:
    """The passes alone."""
    twin = copy.deepcopy(net).double().eval()
    for _ in range(count):
        torch.autograd.grad(twin(torch.ones(1, *SHAPE, dtype=torch.float64)).sum(), weights(twin))


def our_synflow(net: nn.Module, rounds: Rounds, sparsity: float) -> None:
    """The way of this package."""
    prune_in_rounds(
        Scoring(criterion=made("synflow"), shape=SHAPE, generator=torch.Generator()),
        net,
        Cut(units=SingleWeights(), scope=Global()),
        sparsity,
        rounds,
    )


def usual_synflow(net: nn.Module, levels: list[float]) -> None:
    """As most code has it: a copy and masks for every round, one long vector, a threshold."""
    masks = [torch.ones_like(weight, dtype=torch.float64) for weight in weights(net)]
    for level in levels:
        twin = copy.deepcopy(net).double().eval()
        with torch.no_grad():
            for parameter in twin.parameters():
                parameter.abs_()
            for weight, mask in zip(weights(twin), masks, strict=True):
                weight.mul_(mask)
        flow = twin(torch.ones(1, *SHAPE, dtype=torch.float64)).sum()
        found = torch.autograd.grad(flow, weights(twin))
        scores = torch.cat([(g * w).detach().abs().flatten() for g, w in zip(found, weights(twin), strict=True)])
        threshold, _ = torch.kthvalue(scores, max(1, round(level * len(scores))))
        pieces = torch.split(scores, [mask.numel() for mask in masks])
        masks = [(piece > threshold).double().view(mask.shape) for piece, mask in zip(pieces, masks, strict=True)]


def single(quick: bool, repeats: int) -> None:
    """SNIP and GraSP on one batch of 100 images against their bare passes, and against the usual ways."""
    for name in ("resnet-20",) if quick else ("resnet-20", "vgg16"):
        net, given = network(name).train(), batch(100)
        snip: Ways = {
            "bare pass": lambda: once(net, given),  # noqa: B023  # timed before the next iteration
            "prunectl": lambda: scored("snip", net, given),  # noqa: B023
            "masks as parameters": lambda: masked_snip(net, given),  # noqa: B023
        }
        grasp: Ways = {
            "bare double backward": lambda: twice(net, given),  # noqa: B023
            "prunectl": lambda: scored("grasp", net, given),  # noqa: B023
            "two passes": lambda: two_pass_grasp(net, given),  # noqa: B023
        }
        report(f"SNIP, 100 images, {name}", snip, repeats)
        report(f"GraSP, 100 images, {name}", grasp, repeats)


def once(net: nn.Module, given: Batch) -> None:
    """One forward and one backward pass."""
    torch.autograd.grad(loss(net, given), weights(net))


def twice(net: nn.Module, given: Batch) -> None:
    """One forward pass, and the backward pass of a backward pass."""
    found = torch.autograd.grad(loss(net, given), weights(net), create_graph=True)
    torch.autograd.grad(found, weights(net), [each.detach() for each in found])


def scored(criterion: str, net: nn.Module, given: Batch) -> None:
    """The way of this package."""
    score(Scoring(criterion=made(criterion), batches=[given], shape=SHAPE, generator=torch.Generator()), net)


def masked_snip(net: nn.Module, given: Batch) -> None:
    """As SNIP's followers do it: a mask of ones as a parameter in every layer, one long vector, normalised."""
    twin = copy.deepcopy(net)
    masks = [nn.Parameter(torch.ones_like(weight)) for weight in weights(twin)]
    values = {name: weight * mask for (name, weight), mask in zip(prunable(twin).items(), masks, strict=True)}
    value = functional.cross_entropy(torch.func.functional_call(twin, values, (given[0],)), given[1])
    found = torch.cat([each.abs().flatten() for each in torch.autograd.grad(value, masks)])
    found.div_(found.sum())


def two_pass_grasp(net: nn.Module, given: Batch) -> None:
    """As the authors' code does it: a gradient, then the same gradient again with its graph, and their product."""
    twin = copy.deepcopy(net)
    first = torch.autograd.grad(loss(twin, given, 200), weights(twin))
    second = torch.autograd.grad(loss(twin, given, 200), weights(twin), create_graph=True)
    flow = torch.stack([(a * b).sum() for a, b in zip(first, second, strict=True)]).sum()
    products = torch.autograd.grad(flow, weights(twin))
    torch.cat([(-w * p).detach().flatten() for w, p in zip(weights(twin), products, strict=True)])


def loss(net: nn.Module, given: Batch, temperature: float = 1.0) -> Tensor:
    """The mean cross-entropy of a batch."""
    return functional.cross_entropy(net(given[0]) / temperature, given[1])


def selection(quick: bool, repeats: int) -> None:
    """The k lowest of many scores, as a mask, against what finds a threshold only."""
    for n in (1_000_000,) if quick else (15_000_000, 100_000_000):
        for zeros in (0.0, 0.6):
            scores = torch.randn(n, generator=generator(1, "bench")).abs_()
            scores[torch.rand(n, generator=generator(2, "bench")) < zeros] = 0.0
            for k in (n // 2, n * 9 // 10):
                report(f"{k:,} of {n:,} float32 scores, {zeros:.0%} zero", selections(scores, k), repeats)


def selections(scores: Tensor, k: int) -> Ways:
    """Ways to the k-th lowest score; only ours also makes the mask, and draws among ties."""
    return {
        "one reading (scores < t)": lambda: scores < 0.5,
        "prunectl, mask and ties": lambda: lowest(scores, k, torch.Generator()),
        "numpy.partition": lambda: np.partition(scores.numpy(), k - 1),
        "torch.kthvalue": lambda: torch.kthvalue(scores, k),
        "torch.sort": lambda: torch.sort(scores),
    }


def criteria(quick: bool, repeats: int) -> None:
    """Every criterion once, with its defaults, in a new process, compared with one training epoch of the network."""
    for name in ("resnet-20",) if quick else ("vgg16", "resnet-56"):
        net, given = network(name).train(), batch(BATCH)
        epoch_s = min(timed(lambda: once(net, given)) for _ in range(2)) * TRAINING_IMAGES / BATCH  # noqa: B023
        print(f"\n{name}: all criteria, 100 images; an epoch of {TRAINING_IMAGES:,} is {epoch_s:,.0f} s")
        for criterion in names("criteria"):
            with get_context("spawn").Pool(1) as pool:
                spent_s, before, peak, notes = pool.apply(alone, (name, criterion))
            noted = "".join(f"  {key} {value:.3f}" for key, value in notes.items())
            print(
                f"  {criterion:<16} {spent_s:9.2f} s {spent_s / epoch_s:9.4f} epochs   "
                f"{before:,.0f} → {peak:,.0f} MB{noted}"
            )


def alone(name: str, criterion: str) -> tuple[float, float, float, dict[str, float]]:
    """One scoring: seconds, resident megabytes before it and at its peak, and what the criterion notes."""
    torch.set_num_threads(1)
    net, images, chosen = network(name), batch(100), made(criterion)
    notes: dict[str, float] = {}
    before = peak_mb()
    start = time.perf_counter()
    score(
        Scoring(
            criterion=chosen,
            batches=[images] if chosen.needs_data else [],
            shape=SHAPE,
            generator=torch.Generator(),
            notes=notes,
        ),
        net,
    )
    spent_s = time.perf_counter() - start
    return spent_s, before, peak_mb(), notes


def peak_mb() -> float:
    """The peak memory of this process in MB; the kernel's other figure for it includes that of the parent."""
    status = Path("/proc/self/status").read_text()
    return float(status.partition("VmHWM:")[2].split()[0]) / 1000


def report(title: str, ways: Ways, repeats: int) -> None:
    """Time the ways in turn; medians, and the median of their ratios to the first, which is the floor."""
    spent: dict[str, list[float]] = {way: [] for way in ways}
    for way in list(ways)[:2]:
        timed(ways[way])  # warm
    for _ in range(repeats):
        for way, work in ways.items():
            spent[way].append(timed(work))
    floor = next(iter(spent.values()))
    print(f"\n{title}")
    for way, times in spent.items():
        ratio = median(mine / theirs for mine, theirs in zip(times, floor, strict=True))
        print(f"  {way:<34} {median(times) * 1000:12.1f} ms {ratio:8.2f} x floor")


def timed(work: Callable[[], object]) -> float:
    """Seconds of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def network(name: str) -> nn.Module:
    """A network of the catalogue, drawn the same every time."""
    model = entry_type("models", name)()
    assert isinstance(model, Model)
    built = model.build(SHAPE, CLASSES)
    initialize(built, init="kaiming-normal", bn_init="ones", generator=generator(1, "init"))
    return built


def made(name: str) -> Criterion:
    """A criterion of the catalogue with its defaults."""
    criterion = entry_type("criteria", name)()
    assert isinstance(criterion, Criterion)
    return criterion


def weights(net: nn.Module) -> list[nn.Parameter]:
    """The prunable weights."""
    return list(prunable(net).values())


def batch(count: int) -> Batch:
    """Random images, balanced labels."""
    images = torch.randn(count, *SHAPE, generator=generator(1, "images"))
    return images, torch.arange(count) % CLASSES


PARTS: dict[str, Callable[[bool, int], None]] = {
    "synflow": synflow,
    "single": single,
    "selection": selection,
    "criteria": criteria,
}

if __name__ == "__main__":
    main()
