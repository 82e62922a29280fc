"""The tiny network learns."""

from __future__ import annotations

from pathlib import Path

import torch
from torch.nn import functional

from prunectl.datasets.digits import Digits
from prunectl.datasets.load import load
from prunectl.models.initialization import initialize
from prunectl.models.tiny import TinyCnn


def test_ten_epochs_on_digits_reach_95_percent() -> None:
    draws = torch.Generator().manual_seed(0)
    data = load(Digits(), Path())
    train, test = ((x / 255 - Digits.mean[0]) / Digits.std[0] for x in (data.train_images, data.test_images))
    network = TinyCnn().build(Digits.shape, Digits.classes)
    initialize(network, init="kaiming-normal", bn_init="ones", generator=draws)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4)
    for _ in range(10):
        for chosen in torch.randperm(len(train), generator=draws)[:1408].view(-1, 64):
            optimizer.zero_grad()
            functional.cross_entropy(network(train[chosen]), data.train_labels[chosen]).backward()  # type: ignore[no-untyped-call]  # missing in torch
            optimizer.step()
    right = network.eval()(test).argmax(1) == data.test_labels
    assert float(right.float().mean()) >= 0.95
