"""Sparsities of all parameters: exact counts, and what cannot be reached."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from networks import small_network
from prunectl.base.errors import MethodError
from prunectl.models.lenet import MnistCnn
from prunectl.pruning.denominator import of_prunable
from prunectl.pruning.prunable import prunable

NETWORK = small_network()
TOTAL = sum(parameter.numel() for parameter in NETWORK.parameters())
WEIGHTS = prunable(NETWORK, ["10"])
COUNT = sum(weight.numel() for weight in WEIGHTS.values())


@given(st.floats(0, (COUNT - 1) / TOTAL))
def test_of_all_parameters_exactly_the_rounded_number_goes(sparsity: float) -> None:
    found = of_prunable(sparsity, "all", NETWORK, WEIGHTS)
    assert 0 <= found < 1
    assert round(found * COUNT) == round(sparsity * TOTAL)


@given(st.floats(0, 0.999))
def test_of_the_prunable_weights_nothing_is_changed(sparsity: float) -> None:
    assert of_prunable(sparsity, "prunable", NETWORK, WEIGHTS) == sparsity


def test_what_leaves_no_prunable_weight_is_refused_with_what_can_be_reached() -> None:
    beyond = COUNT / TOTAL
    with pytest.raises(
        MethodError, match=f"leave none of the {COUNT:,} weights .* highest that can be reached"
    ) as caught:
        of_prunable(beyond, "all", NETWORK, WEIGHTS)
    reachable = float(str(caught.value).partition("reached is ")[2].split()[0])
    assert 0 < of_prunable(reachable, "all", NETWORK, WEIGHTS) < 1
    assert reachable == pytest.approx((COUNT - 1) / TOTAL, abs=1e-4)


def test_compression_64_of_the_thesis_network_leaves_a_quarter_of_a_percent() -> None:
    """ShrinkBench leaves 0.41 % of what it prunes, biases included; without these it is 0.27 % of the weights."""
    network = MnistCnn().build((1, 28, 28), 10)
    weights = prunable(network, ["head"])
    kept = 1 - of_prunable(1 - 1 / 64, "all", network, weights)
    assert round(kept * 425_500) == 431_080 - round(431_080 * 63 / 64) - (431_080 - 425_500)
    assert kept == pytest.approx(0.0027, abs=5e-5)
    theirs = (431_080 / 64 - 5_010) / (431_080 - 5_010)
    assert theirs == pytest.approx(0.0041, abs=5e-5)
