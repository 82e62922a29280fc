"""Images per second of training on a GPU: prunectl's steps called, recorded as a CUDA graph, and several trainings at
once, against a plain PyTorch loop, in the same run.

    python bench/gpu.py [--networks resnet-20 vgg16 resnet-50] [--at-once 4] [--repeats 3] [--seconds 3]
    python bench/gpu.py --device cpu --quick        # a trial of the script itself, without a GPU

Batches of 128, of uint8 images made up in memory: 32×32 for ResNet-20 and VGG-16, 224×224 for ResNet-50. The plain loop
has torchvision's transforms, a DataLoader with worker processes and pinned memory, SGD, and bfloat16 autocast, which
prunectl's loop is measured with too. Each figure is the median of its repeats, which take turns; ratios are to the
plain loop.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from statistics import median
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from prunectl.base.rng import generator
from prunectl.catalog.lookup import entry_type
from prunectl.catalog.model import Model
from prunectl.catalog.recipe import Precision, Recipe
from prunectl.execute.hardware import device_name, settle
from prunectl.models.initialization import initialize
from prunectl.training import graphed
from prunectl.training.augmentations.flip import Flip
from prunectl.training.augmentations.pad_crop import PadCrop
from prunectl.training.loop import advance
from prunectl.training.optimizers.sgd import Sgd
from prunectl.training.pixels import Normalize, memory_format
from prunectl.training.schedules.constant import Constant
from prunectl.training.source import InMemory
from prunectl.training.trainee import Material, Training, begin

SIDES = {"resnet-20": 32, "vgg16": 32, "resnet-50": 224}
PARAMETERS: dict[str, dict[str, str]] = {"resnet-50": {"stem": "imagenet"}}
CLASSES = 10
WARM = 8
"""Steps before the clock starts: kernels are loaded, and a step is recorded."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What one process measures."""

    network: str
    way: str
    """"plain", "called" or "recorded"."""
    precision: Precision
    device: str
    batch: int
    images: int
    loaders: int


Steps = Callable[[int], None]
"""Does this many steps of a training, and waits for the last of them."""


def pixels(asked: Asked) -> tuple[Tensor, Tensor]:
    """Made-up images, uint8 (N, 3, H, W), and labels."""
    draws, side = torch.Generator().manual_seed(0), SIDES[asked.network]
    images = torch.randint(0, 256, (asked.images, 3, side, side), dtype=torch.uint8, generator=draws)
    return images, torch.randint(0, CLASSES, (asked.images,), generator=draws)


def network(asked: Asked) -> nn.Module:
    """The network, drawn the same every time, on the device."""
    side = SIDES[asked.network]
    model = entry_type("models", asked.network, Model).model_validate(PARAMETERS.get(asked.network, {}))
    built = model.build((3, side, side), CLASSES)
    initialize(built, init="kaiming-normal", bn_init="ones", generator=generator(1, "init"))
    return built.to(asked.device)


def finished(device: torch.device) -> None:
    """Wait for everything that a GPU was asked to do."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def ours(asked: Asked) -> Steps:
    """prunectl's loop."""
    device, (images, labels), net = torch.device(asked.device), pixels(asked), network(asked)
    recipe = Recipe(
        steps=10**9,
        steps_per_epoch=-(-asked.images // asked.batch),
        batch_size=asked.batch,
        optimizer=Sgd(),
        lr=0.01,
        weight_decay=1e-4,
        schedule=Constant(),
        augment=(PadCrop(), Flip()),
        precision=asked.precision,
    )
    data = Material(
        train=InMemory(images.contiguous(memory_format=memory_format(net)).to(device), labels.to(device)),
        test=InMemory(images[:1].to(device), labels[:1].to(device)),
        normalize=Normalize([0.5] * 3, [0.25] * 3, device),
    )
    trainee = begin(net, Training(material=data, recipe=recipe, seed=1))
    if asked.way == "called":
        graphed.WARM = 10**9  # the number of steps after which one is recorded

    def steps(count: int) -> None:
        advance(trainee, trainee.step + count)
        finished(device)

    return steps


class Pictures(Dataset[tuple[Tensor, int]]):
    """One image at a time, through torchvision's transforms."""

    def __init__(self, images: Tensor, labels: Tensor) -> None:
        self.images, self.labels = images, labels.tolist()
        crop = transforms.RandomCrop(images.shape[-1], padding=4)
        normalize = transforms.Normalize([0.5] * 3, [0.25] * 3)
        self.transform = transforms.Compose(
            [transforms.ToPILImage(), crop, transforms.RandomHorizontalFlip(), transforms.ToTensor(), normalize]
        )

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.transform(self.images[index]), self.labels[index]


def plain(asked: Asked) -> Steps:
    """What most code in the field does."""
    device, net = torch.device(asked.device), network(asked).train()
    loader = DataLoader(
        Pictures(*pixels(asked)),
        batch_size=asked.batch,
        shuffle=True,
        num_workers=asked.loaders,
        persistent_workers=asked.loaders > 0,
        pin_memory=device.type == "cuda",
    )
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9, weight_decay=1e-4)
    loss_of, batches = nn.CrossEntropyLoss(), endless(loader)

    def steps(count: int) -> None:
        for _ in range(count):
            inputs, targets = (tensor.to(device, non_blocking=True) for tensor in next(batches))
            optimizer.zero_grad()
            with torch.autocast(device.type, torch.bfloat16, enabled=asked.precision == "bfloat16"):
                loss = loss_of(net(inputs), targets)
            loss.backward()
            optimizer.step()
        finished(device)

    return steps


def endless(loader: DataLoader[tuple[Tensor, int]]) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches of one epoch after another."""
    while True:
        yield from cast("Any", loader)


def worker(connection: Connection, asked: Asked) -> None:
    """A process with one training: does as many steps as it receives, answers with the seconds they took, and so on."""
    if asked.way != "plain":
        settle(1)
    steps = (plain if asked.way == "plain" else ours)(asked)
    while True:
        count = connection.recv()
        begun = time.perf_counter()
        steps(count)
        connection.send(time.perf_counter() - begun)


@contextmanager
def processes(asked: Asked, count: int) -> Iterator[list[Connection]]:
    """Trainings of one kind, each in a process of its own, warm."""
    context = get_context("forkserver")
    context.set_forkserver_preload(["prunectl.training.trainee", "torchvision.transforms"])  # imported once
    ends: list[Connection] = []
    running = []
    for _ in range(count):
        here, there = context.Pipe()
        process = context.Process(target=worker, args=(there, asked))
        process.start()
        there.close()
        ends.append(here)
        running.append(process)
    try:
        together(ends, WARM)
        yield ends
    finally:
        for process in running:
            process.kill()  # a DataLoader in the middle of an epoch takes a minute to end by itself
            process.join()


def together(ends: list[Connection], steps: int) -> float:
    """Seconds until all of them have done this many steps."""
    begun = time.perf_counter()
    for end in ends:
        end.send(steps)
    for end in ends:
        end.recv()
    return time.perf_counter() - begun


def rate(ends: list[Connection], batch: int, seconds: float) -> float:
    """Images per second of all of them, over about this many seconds."""
    a_step = together(ends, 2) / 2
    steps = max(2, round(seconds / a_step))
    return len(ends) * steps * batch / together(ends, steps)


def measured(name: str, precision: Precision, asked: argparse.Namespace) -> dict[str, list[float]]:
    """Images per second in each way, once a repeat."""
    ways = {"plain": ("plain", 1), "called": ("called", 1), "graph": ("recorded", 1)}
    ways[f"graph × {asked.at_once}"] = ("recorded", asked.at_once)
    rates: dict[str, list[float]] = {title: [] for title in ways}
    side = SIDES[name]
    images = asked.images or (8 * asked.batch if side > 64 else 50_000)
    for _ in range(asked.repeats):
        for title, (way, count) in ways.items():
            part = Asked(
                network=name,
                way=way,
                precision=precision,
                device=asked.device,
                batch=asked.batch,
                images=images,
                loaders=asked.loaders,
            )
            begun = time.perf_counter()
            with processes(part, count) as ends:
                rates[title].append(rate(ends, asked.batch, asked.seconds))
            took = time.perf_counter() - begun
            line = f"# {name} {precision} {title}: {rates[title][-1]:,.0f} images/s, {took:.0f} s in all"
            print(line, file=sys.stderr, flush=True)
    return rates


def main() -> None:
    """Measure each network in float32 and bfloat16, and print a line for each way."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", default=list(SIDES), choices=SIDES)
    parser.add_argument("--precisions", nargs="+", default=["float32", "bfloat16"])
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--at-once", type=int, default=4, help="trainings on the device at the same time")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0, help="how long each figure is measured")
    parser.add_argument("--images", type=int, help="how many images are made up")
    parser.add_argument("--loaders", type=int, default=min(8, os.cpu_count() or 1), help="processes of the DataLoader")
    parser.add_argument("--quick", action="store_true", help="one small measurement, to see that everything works")
    asked = parser.parse_args()
    if asked.quick:
        asked.networks, asked.precisions, asked.repeats, asked.seconds = ["resnet-20"], ["float32"], 1, 0.1
        asked.batch, asked.images, asked.at_once, asked.loaders = 8, 64, 2, 1
    print(f"{device_name(torch.device(asked.device))}, torch {torch.__version__}, CUDA {torch.version.cuda},", end=" ")
    print(f"batch {asked.batch}, {asked.loaders} loaders, medians of {asked.repeats}")
    print(f"{'network':<12}{'precision':<12}{'way':<12}{'images/s':>12}{'ratio':>8}")
    for name in asked.networks:
        for precision in asked.precisions:
            rates = {way: median(each) for way, each in measured(name, precision, asked).items()}
            for way, images in rates.items():
                print(f"{name:<12}{precision:<12}{way:<12}{images:>12,.0f}{images / rates['plain']:>8.2f}", flush=True)


if __name__ == "__main__":
    main()
