"""Randomness without a state: a draw depends on its seed, its purpose and its place, and on nothing else."""

from __future__ import annotations

import random

import torch
from hypothesis import given
from hypothesis import strategies as st

from prunectl.base.rng import generator, seed_of


def test_seeds_are_pinned() -> None:
    """A change here changes every result of every study."""
    assert seed_of(1, "order", 57) == 328703207378572721
    assert torch.rand(3, generator=generator(1, "order", 57)).tolist() == [
        0.8669520616531372,
        0.05450922250747681,
        0.5771036148071289,
    ]


@given(st.integers(0, 2**31 - 1), st.text(), st.lists(st.integers(0, 10**9), max_size=3))
def test_a_seed_fits_into_63_bits_and_is_the_same_every_time(seed: int, purpose: str, counters: list[int]) -> None:
    value = seed_of(seed, purpose, *counters)
    assert 0 <= value < 2**63
    assert value == seed_of(seed, purpose, *counters)


def test_another_seed_purpose_or_place_gives_other_draws() -> None:
    seeds = [
        seed_of(1, "order"), seed_of(2, "order"), seed_of(1, "augment"), seed_of(1, "order", 0),
        seed_of(1, "order", 1), seed_of(1, "order", 0, 1), seed_of(1, "order", 1, 0), seed_of(1, "order", 10),
    ]  # fmt: skip
    assert len(set(seeds)) == len(seeds)


def test_a_draw_neither_reads_nor_moves_the_global_generators() -> None:
    torch.manual_seed(5)
    random.seed(5)
    before = torch.get_rng_state(), random.getstate()
    first = torch.rand(4, generator=generator(3, "init"))
    assert torch.equal(before[0], torch.get_rng_state())
    assert before[1] == random.getstate()
    torch.manual_seed(6)
    assert torch.equal(first, torch.rand(4, generator=generator(3, "init")))
