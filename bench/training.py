"""Images per second of prunectl's training loop, against a plain PyTorch loop, in the same run.

    pip install -e .
    python bench/training.py [--data DIR] [--repeats 5] [--networks lenet-300-100 tiny-cnn resnet-20]

The plain loop is what most code in the field does: torchvision's transforms, a DataLoader, SGD. Same network,
same batch of 128, one thread and one process each; the two take turns, and the median of the ratios is printed.
Without real data in DIR the images are random (the work is the same).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Generator
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median

import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from prunectl.base.errors import DataError
from prunectl.base.rng import generator
from prunectl.catalog.augmentation import Augmentation
from prunectl.catalog.dataset import Dataset as Declared
from prunectl.catalog.lookup import entry_type
from prunectl.catalog.model import Model
from prunectl.catalog.recipe import Recipe
from prunectl.datasets.load import load
from prunectl.execute.hardware import settle
from prunectl.models.initialization import initialize
from prunectl.training.loop import advance
from prunectl.training.optimizers.sgd import Sgd
from prunectl.training.pixels import Normalize, memory_format
from prunectl.training.schedules.constant import Constant
from prunectl.training.source import InMemory
from prunectl.training.trainee import Material, Training, begin

BATCH = 128
WARM = 5
STEPS = {"lenet-300-100": 200, "tiny-cnn": 40, "lenet-5": 60, "resnet-20": 5, "vgg16": 2}
DATA = {"lenet-300-100": "mnist", "tiny-cnn": "mnist", "lenet-5": "mnist", "resnet-20": "cifar10", "vgg16": "cifar10"}


class Pictures(Dataset[tuple[Tensor, int]]):
    """Images as torchvision's data sets give them: one PIL image at a time, through transforms."""

    def __init__(self, images: Tensor, labels: Tensor, steps: list[Callable[..., object]]) -> None:
        self.images = images.permute(0, 2, 3, 1).contiguous().numpy()
        self.labels = labels.tolist()
        self.transform = transforms.Compose(steps)

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        image = self.images[index]
        picture = Image.fromarray(image[:, :, 0] if image.shape[2] == 1 else image)
        return self.transform(picture), self.labels[index]


def material(dataset: Declared, root: Path) -> tuple[Tensor, Tensor]:
    """Training images and labels: the real ones, or the same number of random ones."""
    try:
        images = load(dataset, root)
        return images.train_images, images.train_labels
    except DataError:
        draws = torch.Generator().manual_seed(0)
        count = dataset.train_size
        pixels = torch.randint(0, 256, (count, *dataset.shape), dtype=torch.uint8, generator=draws)
        return pixels, torch.randint(0, dataset.classes, (count,), generator=draws)


def network(model: Model, dataset: Declared) -> nn.Module:
    """The network, drawn the same every time."""
    built = model.build(dataset.shape, dataset.classes)
    initialize(built, init="kaiming-normal", bn_init="ones", generator=generator(1, "init"))
    return built


def ours(model: Model, dataset: Declared, images: Tensor, labels: Tensor, augment: bool) -> Generator[float, int, None]:
    """Images per second of prunectl's loop, for `steps` more steps at each request."""
    net = network(model, dataset)
    layout = memory_format(net)
    names = ("pad-crop", "flip") if augment else ()
    recipe = Recipe(
        steps=10**9,
        steps_per_epoch=-(-len(labels) // BATCH),
        batch_size=BATCH,
        optimizer=Sgd(),
        lr=0.01,
        weight_decay=1e-4,
        schedule=Constant(),
        augment=tuple(entry_type("augmentations", name, Augmentation)() for name in names),
    )
    data = Material(
        train=InMemory(images.contiguous(memory_format=layout), labels),
        test=InMemory(images[:1], labels[:1]),
        normalize=Normalize(dataset.mean, dataset.std, torch.device("cpu")),
    )
    trainee = begin(net, Training(material=data, recipe=recipe, seed=1))
    steps = yield 0.0
    while True:
        begun, first = time.perf_counter(), trainee.step
        advance(trainee, first + steps)
        steps = yield BATCH * steps / (time.perf_counter() - begun)


def plain(
    model: Model, dataset: Declared, images: Tensor, labels: Tensor, augment: bool
) -> Generator[float, int, None]:
    """Images per second of the plain loop."""
    before: list[Callable[..., object]] = []
    if augment:
        before = [transforms.RandomCrop(dataset.shape[1], padding=4), transforms.RandomHorizontalFlip()]
    pictures = Pictures(
        images, labels, [*before, transforms.ToTensor(), transforms.Normalize(dataset.mean, dataset.std)]
    )
    loader = DataLoader(pictures, batch_size=BATCH, shuffle=True)
    net = network(model, dataset).train()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9, weight_decay=1e-4)
    loss_of = nn.CrossEntropyLoss()
    batches = iter(loader)
    steps = yield 0.0
    while True:
        begun = time.perf_counter()
        for _ in range(steps):
            try:
                inputs, targets = next(batches)
            except StopIteration:
                batches = iter(loader)
                inputs, targets = next(batches)
            optimizer.zero_grad()
            loss_of(net(inputs), targets).backward()
            optimizer.step()
        steps = yield BATCH * steps / (time.perf_counter() - begun)


def worker(connection: Connection, kind: str, name: str, root: Path) -> None:
    """A process with one loop: for each number of steps that it receives, it returns the images per second."""
    if kind == "ours":
        settle(1)  # as every step of a study begins
    torch.set_num_threads(1)
    model, dataset = entry_type("models", name)(), entry_type("datasets", DATA[name])()
    assert isinstance(model, Model)
    assert isinstance(dataset, Declared)
    images, labels = material(dataset, root)
    loop = (ours if kind == "ours" else plain)(model, dataset, images, labels, DATA[name] == "cifar10")
    next(loop)
    while steps := connection.recv():
        connection.send(loop.send(steps))


def main() -> None:
    """Measure each network and print one line for it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--networks", nargs="+", default=["lenet-300-100", "tiny-cnn", "resnet-20"], choices=DATA)
    asked = parser.parse_args()
    print(f"torch {torch.__version__}, one thread, batch {BATCH}, medians of {asked.repeats}")
    print(f"{'network':<16}{'data':<10}{'prunectl img/s':>16}{'plain img/s':>14}{'ratio':>8}   (min to max)")
    for name in asked.networks:
        rates = measured(name, asked.data, asked.repeats)
        ratios = sorted(one / other for one, other in rates)
        print(
            f"{name:<16}{DATA[name]:<10}{median(r[0] for r in rates):>16,.0f}{median(r[1] for r in rates):>14,.0f}"
            f"{median(ratios):>8.2f}   ({ratios[0]:.2f} to {ratios[-1]:.2f})"
        )


def measured(name: str, root: Path, repeats: int) -> list[tuple[float, float]]:
    """Images per second of the two loops, in turns, for about a second each."""
    context = get_context("spawn")
    ends: list[Connection] = []
    for kind in ("ours", "plain"):
        here, there = context.Pipe()
        context.Process(target=worker, args=(there, kind, name, root), daemon=True).start()
        ends.append(here)
    rates: list[list[float]] = [[], []]
    for end in ends:
        end.send(WARM)
        end.recv()
    for _ in range(repeats):
        for end, found in zip(ends, rates, strict=True):
            end.send(STEPS[name])
            found.append(end.recv())
    for end in ends:
        end.send(0)
    return list(zip(*rates, strict=True))


if __name__ == "__main__":
    main()
