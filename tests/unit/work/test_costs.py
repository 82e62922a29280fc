"""FLOPs that a process counts once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from prunectl.models.flops import flops_of
from prunectl.models.tiny import TinyCnn
from prunectl.plan.steps import Network
from prunectl.work import costs
from prunectl.work.networks import empty

TINY = Network(model=TinyCnn(), init="kaiming-normal", bn_init="ones", shape=(1, 8, 8), classes=10)


def test_a_network_is_counted_once_and_the_last_few_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    costs._COUNTED.clear()
    network, weights = empty(TINY, 1), ["conv1.weight"]
    first = costs.costs_of(TINY, 1, network, weights)
    assert costs.costs_of(TINY, 1, network, weights) is first
    assert first.dense == flops_of(network, TINY.shape, weights).dense
    for seed in range(2, 2 + costs.MOST):
        costs.costs_of(TINY, seed, network, weights)
    assert len(costs._COUNTED) == costs.MOST
    assert costs.costs_of(TINY, 1, network, weights) is not first
    other = replace(TINY, shape=(1, 16, 16))
    assert costs.costs_of(other, 1, empty(other, 1), weights).dense > first.dense
