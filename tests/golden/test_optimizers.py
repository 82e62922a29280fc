"""Optimizers against their papers' formulas, written out in numpy in double precision."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from prunectl.catalog.optimizer import Optimizer
from prunectl.training.optimizers.adam import Adam
from prunectl.training.optimizers.adamw import AdamW
from prunectl.training.optimizers.rmsprop import RmsProp
from prunectl.training.optimizers.sgd import Sgd

Array = NDArray[np.float64]
LR, DECAY, STEPS = 0.03, 0.02, 6
START = np.array([0.5, -1.0, 2.0, 0.25])
GRADIENTS = np.random.default_rng(0).normal(size=(STEPS, 4))


def sgd(momentum: float, nesterov: bool) -> Array:
    """Sutskever et al. (2013), in torch's form."""
    w, v = START.copy(), np.zeros(4)
    for gradient in GRADIENTS:
        g = gradient + DECAY * w
        v = momentum * v + g
        w = w - LR * (g + momentum * v if nesterov else v)
    return w


def adam(beta1: float, beta2: float, eps: float, apart: bool) -> Array:
    """Kingma and Ba (2015), Algorithm 1; with weight decay apart, Loshchilov and Hutter (2019), Algorithm 2."""
    w, m, v = START.copy(), np.zeros(4), np.zeros(4)
    for t, gradient in enumerate(GRADIENTS, start=1):
        g = gradient if apart else gradient + DECAY * w
        m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g**2
        decayed = w * (1 - LR * DECAY) if apart else w
        w = decayed - LR * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps)
    return w


def rmsprop(alpha: float, eps: float, momentum: float, centered: bool) -> Array:
    """Hinton (2012), lecture 6e; centred as in Graves (2013), Section 2.1."""
    w, square, mean, v = START.copy(), np.zeros(4), np.zeros(4), np.zeros(4)
    for gradient in GRADIENTS:
        g = gradient + DECAY * w
        square = alpha * square + (1 - alpha) * g**2
        mean = alpha * mean + (1 - alpha) * g
        scaled = g / (np.sqrt(square - mean**2 if centered else square) + eps)
        v = momentum * v + scaled
        w = w - LR * v
    return w


CASES: list[tuple[Optimizer, Callable[[], Array]]] = [
    (Sgd(), lambda: sgd(0.9, False)),
    (Sgd(momentum=0.0), lambda: sgd(0.0, False)),
    (Sgd(momentum=0.8, nesterov=True), lambda: sgd(0.8, True)),
    (Adam(), lambda: adam(0.9, 0.999, 1e-8, False)),
    (Adam(beta1=0.5, beta2=0.9, eps=1e-3), lambda: adam(0.5, 0.9, 1e-3, False)),
    (AdamW(), lambda: adam(0.9, 0.999, 1e-8, True)),
    (AdamW(beta1=0.0, beta2=0.99, eps=0.1), lambda: adam(0.0, 0.99, 0.1, True)),
    (RmsProp(), lambda: rmsprop(0.99, 1e-8, 0.0, False)),
    (RmsProp(alpha=0.9, eps=1e-3, momentum=0.5), lambda: rmsprop(0.9, 1e-3, 0.5, False)),
    (RmsProp(alpha=0.9, centered=True), lambda: rmsprop(0.9, 1e-8, 0.0, True)),
]


@pytest.mark.parametrize(("entry", "formula"), CASES, ids=[entry.label() for entry, _ in CASES])
def test_steps_are_those_of_the_paper(entry: Optimizer, formula: Callable[[], Array]) -> None:
    weight = torch.nn.Parameter(torch.tensor(START, dtype=torch.float64))
    optimizer = entry.build([weight], lr=LR, weight_decay=DECAY)
    for gradient in GRADIENTS:
        weight.grad = torch.tensor(gradient)
        optimizer.step()
    np.testing.assert_allclose(weight.detach().numpy(), formula(), rtol=1e-9)
