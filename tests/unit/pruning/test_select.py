"""The k lowest, found with a sampled bracket, are those that a plain sort finds."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from prunectl.base.errors import MethodError
from prunectl.pruning.engines import select
from prunectl.pruning.engines.select import lowest, lowest_among


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def small_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks and samples so small that a few thousand scores take every way through."""
    monkeypatch.setattr(select, "BLOCK", 97)
    monkeypatch.setattr(select, "SAMPLE", 64)
    monkeypatch.setattr(select, "WIDTH", 1.0)


KINDS = ("smooth", "mostly zero", "few values", "all the same", "sorted", "huge", "tiny")


def some_scores(kind: str, n: int, seed: int, dtype: torch.dtype) -> torch.Tensor:
    draws = torch.randn(n, generator=generator(seed), dtype=dtype)
    made = {
        "smooth": draws,
        "mostly zero": draws.abs() * (torch.rand(n, generator=generator(seed)) > 0.8),
        "few values": draws.round(),
        "all the same": torch.full((n,), -2.5, dtype=dtype),
        "sorted": draws.sort().values,
        "huge": draws * 1e37,  # the sum overflows float32
        "tiny": draws * 1e-40,
    }
    return made[kind]


@given(
    st.sampled_from(KINDS), st.sampled_from([torch.float32, torch.float64]), st.integers(1, 3000), st.integers(1, 4),
    st.floats(0, 1), st.booleans(), st.integers(0, 50),
)  # fmt: skip
@settings(max_examples=300, deadline=None)
@pytest.mark.usefixtures("small_sample")
def test_the_k_lowest_alive_are_those_of_a_sort(
    kind: str, dtype: torch.dtype, n: int, layers: int, share: float, highest: bool, seed: int
) -> None:
    scores = some_scores(kind, n, seed, dtype)
    alive = torch.rand(n, generator=generator(seed + 1)) < 0.6
    k = round(share * int(alive.sum()))
    chosen, tie = lowest_among(
        list(scores.tensor_split(layers)), list(alive.tensor_split(layers)), k, generator(), highest=highest
    )
    flat = torch.cat(chosen)
    assert int(flat.sum()) == k
    assert not bool((flat & ~alive).any())
    ranked = np.sort((-scores if highest else scores)[alive].numpy())
    found = np.sort((-scores if highest else scores)[flat].numpy())
    assert np.array_equal(found, ranked[:k])
    if k:
        assert tie.scores == int((ranked == ranked[k - 1]).sum())
        assert tie.pruned == int((found == ranked[k - 1]).sum())


def test_every_tied_set_is_equally_likely() -> None:
    """Two of four places: six sets, each about a sixth of the time; the lower one always."""
    scores = torch.tensor([1.0, 1.0, 0.0, 1.0, 1.0])
    seen: dict[tuple[int, ...], int] = {}
    for seed in range(1200):
        chosen, tie = lowest(scores, 3, generator(seed))
        places = tuple(chosen.nonzero().flatten().tolist())
        seen[places] = seen.get(places, 0) + 1
        assert (tie.scores, tie.pruned) == (4, 2)
    assert len(seen) == 6
    assert all(2 in places for places in seen)
    assert all(150 <= count <= 250 for count in seen.values())


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("n", [3, 100_000])
@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_one_score_that_is_not_finite_is_an_error(bad: float, n: int, share: float) -> None:
    """Trap 6, wherever it stands, and whatever is to be chosen."""
    scores = torch.rand(n, generator=generator())
    scores[n // 2] = bad
    with pytest.raises(MethodError, match=r"1 of .* not finite"):
        lowest(scores, round(share * n), generator())


def test_more_than_is_there_cannot_be_chosen() -> None:
    with pytest.raises(ValueError, match="cannot choose 4 of 3"):
        lowest(torch.ones(3), 4, generator())


def test_half_precision_and_strides_are_ranked_as_they_are() -> None:
    scores = torch.rand(20, 30, generator=generator()).to(torch.bfloat16).t()
    chosen, _ = lowest(scores, 100, generator())
    assert chosen.shape == scores.shape
    assert scores[chosen].max() <= scores[~chosen].min()


def test_more_than_2_to_the_24_scores() -> None:
    """Trap 13: counts beyond what float32 can count, where torch.quantile refuses."""
    n = (1 << 24) + 3
    scores = torch.rand(n, generator=generator())
    k = n - 5
    chosen, _ = lowest(scores, k, generator())
    assert int(chosen.count_nonzero()) == k
    assert scores[chosen].max() <= scores[~chosen].min()
