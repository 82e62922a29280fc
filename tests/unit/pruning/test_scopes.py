"""Scopes: hand-derived allocations, exact counts, masks that only shrink."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from networks import SHAPE, small_network
from prunectl.base.errors import MethodError
from prunectl.catalog.lookup import entry_type, names
from prunectl.catalog.rounds import Rounds
from prunectl.catalog.scope import Scope, Shapes
from prunectl.pruning import mask as masking
from prunectl.pruning.criteria.lamp import Lamp
from prunectl.pruning.criteria.magnitude import Magnitude
from prunectl.pruning.cut import Cut
from prunectl.pruning.engines.allocation import fill
from prunectl.pruning.engines.single_weights import SingleWeights
from prunectl.pruning.in_rounds import prune_in_rounds
from prunectl.pruning.rounds.exponential import Exponential
from prunectl.pruning.rounds.linear import Linear
from prunectl.pruning.scopes.er import Er
from prunectl.pruning.scopes.erk import Erk
from prunectl.pruning.scopes.global_ import Global
from prunectl.pruning.scopes.lamp import LampAllocation
from prunectl.pruning.scopes.layerwise import Layerwise, Uniform
from prunectl.pruning.scopes.rates import Rates
from prunectl.pruning.scopes.uniform_plus import UniformPlus
from prunectl.pruning.scoring import Scoring, score

VGG_LIKE = {"conv1": (64, 3, 3, 3), "conv2": (64, 64, 3, 3), "conv3": (128, 64, 3, 3), "head": (10, 128)}


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def scopes() -> list[Scope]:
    made = [entry_type("scopes", name)() for name in names("scopes")]
    return [scope for scope in made if isinstance(scope, Scope)]


def kept(scope: Scope, shapes: Shapes, sparsity: float) -> dict[str, float]:
    """The density of every layer."""
    groups = scope.groups(shapes, sparsity, {})
    return {names[0]: 1 - gone / math.prod(shapes[names[0]]) for names, gone in groups}


def test_rates_by_hand() -> None:
    """Fractions of 2 : 1 over conv2 and conv3, the others whole; beyond conv2's last weight conv3 gives the rest."""
    rates = Rates.model_validate({"per_layer": {"conv2": 0.8, "conv[3-9]": 0.4}})
    found = kept(rates, VGG_LIKE, 0.3)
    gone = 0.3 * (1728 + 36864 + 73728 + 1280)
    share = gone / (2 * 36864 + 73728)
    assert found["conv1"] == found["head"] == 1.0
    assert found["conv2"] == pytest.approx(1 - 2 * share, abs=2 / 36864)
    assert found["conv3"] == pytest.approx(1 - share, abs=2 / 73728)
    most = kept(rates, VGG_LIKE, 0.8)
    assert most["conv2"] == 0.0
    with pytest.raises(MethodError, match="110,592 of 113,600"):
        rates.groups(VGG_LIKE, 0.98, {})
    with pytest.raises(MethodError, match=r"'conv9' matches no layer; did you mean 'conv"):
        Rates.model_validate({"per_layer": {"conv9": 0.5}}).groups(VGG_LIKE, 0.5, {})
    with pytest.raises(MethodError, match="two rates"):
        Rates.model_validate({"per_layer": {"conv2": 0.5, "conv*": 0.4}}).groups(VGG_LIKE, 0.5, {})
    one, other = ({"a": 0.5, "b": 0.1}, {"b": 0.1, "a": 0.5})
    assert Rates.model_validate({"per_layer": one}) == Rates.model_validate({"per_layer": other})


def test_erk_by_hand() -> None:
    """Evci et al. (2020): sides over sizes, conv1 and head dense, ε solved again for the other two.

    Sides: 73, 134, 198, 138. Kept at 90 %: 11,373 of 113,728. With all four open ε is 20.9 and head would keep
    2,890 of 1,280; without it ε is 24.9 and conv1 would keep 1,819 of 1,728; without both it is 25.2.
    """
    n = 1728 + 36864 + 73728 + 1280
    epsilon = ((1 - 0.9) * n - 1280 - 1728) / (134 + 198 + 3 - 3)
    found = kept(Erk(), VGG_LIKE, 0.9)
    assert found["head"] == found["conv1"] == 1.0
    assert found["conv2"] == pytest.approx(epsilon * 134 / 36864, abs=1 / 36864)
    assert found["conv3"] == pytest.approx(epsilon * 198 / 73728, abs=1 / 73728)


def test_er_by_hand() -> None:
    """Mocanu et al. (2018), eq. 1: kept in proportion to (n_in + n_out) times the size of a kernel.

    Of 113,600 weights 11,360 stay. With all four open ε is 3.14, and conv1 would keep 67 · 9 · 3.14 of 1,728.
    """
    epsilon = (0.1 * (1728 + 36864 + 73728 + 1280) - 1728) / (128 * 9 + 192 * 9 + 138)
    found = kept(Er(), VGG_LIKE, 0.9)
    assert found["conv1"] == 1.0
    assert found["conv2"] == pytest.approx(epsilon * 128 * 9 / 36864, abs=1 / 36864)
    assert found["conv3"] == pytest.approx(epsilon * 192 * 9 / 73728, abs=1 / 73728)
    assert found["head"] == pytest.approx(epsilon * 138 / 1280, abs=1 / 1280)


def test_erk_of_linear_layers_is_erdos_renyi() -> None:
    """Mocanu et al. (2018), eq. 1, on LeNet-300-100: ε (n_in + n_out) / (n_in n_out), no layer over 1 at 95 %."""
    shapes = {"fc1": (300, 784), "fc2": (100, 300), "head": (10, 100)}
    epsilon = 0.05 * (235200 + 30000 + 1000) / (1084 + 400 + 110)
    found = kept(Erk(), shapes, 0.95)
    for name, sides in (("fc1", 1084), ("fc2", 400), ("head", 110)):
        size = math.prod(shapes[name])
        assert found[name] == pytest.approx(min(1.0, epsilon * sides / size), abs=0.01 if name == "head" else 1e-3)


def test_uniform_plus_keeps_the_first_convolution_and_a_fifth_of_the_head() -> None:
    found = kept(UniformPlus(), VGG_LIKE, 0.9)
    assert found["conv1"] == 1.0
    assert found["head"] == pytest.approx(0.2)
    rest = ((1 - 0.9) * 113600 - 1728 - 256) / (36864 + 73728)
    assert found["conv2"] == pytest.approx(rest, abs=1e-4)
    assert found["conv3"] == pytest.approx(rest, abs=1e-4)
    mild = kept(UniformPlus(), VGG_LIKE, 0.5)
    assert mild["head"] == pytest.approx(mild["conv2"], abs=1e-3)  # above a fifth it is like the others


def test_uniform_plus_of_linear_layers_has_no_dense_first_layer() -> None:
    found = kept(UniformPlus(), {"fc1": (300, 784), "head": (10, 300)}, 0.9)
    assert found["fc1"] < 0.1
    assert found["head"] == pytest.approx(0.2)


def test_uniform_plus_says_where_it_ends() -> None:
    """1,728 weights and a fifth of 1,280 are 1.75 % of the network: 98.5 % cannot be reached."""
    with pytest.raises(MethodError, match="leaves between 1,984 and 113,600 of 113,600"):
        UniformPlus().groups(VGG_LIKE, 0.985, {})


def test_uniform_is_layerwise_by_another_name() -> None:
    assert Uniform().groups(VGG_LIKE, 0.37, {}) == Layerwise().groups(VGG_LIKE, 0.37, {})
    assert Uniform().settled() == Layerwise()
    assert Uniform().preimage()["name"] == Uniform().name == "uniform"


def test_the_lamp_scope_with_magnitude_is_the_lamp_criterion() -> None:
    """Lee et al. (2021), Section 3: LAMP is a choice of layer sparsities for magnitude pruning."""
    network = small_network()
    weights = dict(network.named_parameters())
    lamp, magnitude = (
        score(Scoring(criterion=c, shape=SHAPE, generator=generator()), network) for c in (Lamp(), Magnitude())
    )
    for sparsity in (0.1, 0.5, 0.9, 0.99):
        by_criterion = masking.prune(lamp, Global(), sparsity, generator=generator())
        by_scope = masking.prune(magnitude, LampAllocation(), sparsity, generator=generator(), weights=weights)
        for name, mask in by_criterion.masks.items():
            assert torch.equal(mask, by_scope.masks[name])


def test_the_lamp_scope_needs_weights() -> None:
    with pytest.raises(ValueError, match="needs the weights"):
        masking.prune({"a": torch.ones(3, 3)}, LampAllocation(), 0.5, generator=generator())


@given(
    st.sampled_from(scopes()),
    st.lists(st.tuples(st.integers(1, 12), st.integers(1, 12), st.integers(1, 3)), min_size=1, max_size=5),
    st.lists(st.floats(0, 0.95), min_size=1, max_size=4),
    st.booleans(),
    st.sampled_from(scopes()),
)
@settings(max_examples=300, deadline=None)
def test_every_scope_removes_exactly_what_is_asked_and_never_gives_back(
    scope: Scope, sides: list[tuple[int, int, int]], targets: list[float], convolutions: bool, other: Scope
) -> None:
    """round(s · n), level after level, also where the first level was pruned by another scope."""
    shapes = {
        f"layer{i}": (out, inputs, kernel, kernel) if convolutions else (out, inputs)
        for i, (out, inputs, kernel) in enumerate(sides)
    }
    weights = {name: torch.randn(shape, generator=generator(i)) for i, (name, shape) in enumerate(shapes.items())}
    scores = {name: weight.abs().round(decimals=1) for name, weight in weights.items()}
    n = sum(map(torch.Tensor.numel, weights.values()))
    before = None
    for level, target in enumerate(sorted(targets)):
        by = other if level == 0 else scope
        try:
            pruned = masking.prune(scores, by, target, generator=generator(), before=before, weights=weights)
        except MethodError as error:
            assume(by.name == "uniform+")
            assert "leaves between" in str(error)
            return
        assert sum(int((~mask).sum()) for mask in pruned.masks.values()) == round(target * n)
        if before is not None:
            assert all(bool((mask <= before[name]).all()) for name, mask in pruned.masks.items())
        before = pruned.masks


@pytest.mark.parametrize("scope", scopes(), ids=lambda scope: scope.name)
@pytest.mark.parametrize("rounds", [Exponential(count=7), Linear(count=7)], ids=lambda rounds: rounds.name)
def test_every_scope_goes_with_rounds(scope: Scope, rounds: Rounds) -> None:
    pruned = prune_in_rounds(
        Scoring(criterion=Magnitude(), shape=SHAPE, generator=generator()),
        small_network(),
        Cut(units=SingleWeights(), scope=scope),
        0.8,
        rounds,
    )
    n = sum(mask.numel() for mask in pruned.masks.values())
    assert sum(int((~mask).sum()) for mask in pruned.masks.values()) == round(0.8 * n)


BOUNDS = st.tuples(st.floats(0.1, 50), st.floats(0, 10), st.floats(0, 40))


@given(st.lists(BOUNDS, min_size=1, max_size=6), st.floats(0, 1))
def test_filling_up_meets_the_total_within_the_bounds(rows: list[tuple[float, float, float]], share: float) -> None:
    shares, low, high = [row[0] for row in rows], [row[1] for row in rows], [row[1] + row[2] for row in rows]
    total = sum(low) + share * (sum(high) - sum(low))
    found = fill(shares, total, low, high)
    assert sum(found) == pytest.approx(total, abs=1e-6)
    assert all(lo <= value <= hi for value, lo, hi in zip(found, low, high, strict=True))
    open_ = {round(x / s, 6) for x, s, lo, hi in zip(found, shares, low, high, strict=True) if lo < x < hi}
    assert len(open_) <= 1 or max(open_) - min(open_) < 1e-5  # one level for all that are at no bound
