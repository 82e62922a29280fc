"""Randomness without a state: a draw depends on its seed, its purpose and its place, and on nothing else."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from drawing import disturb, draws, global_state
from prunectl.base.rng import generator, preserved, seed_globals, seed_of, seeded


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


def test_draws_of_the_global_generators_are_pinned() -> None:
    """A change here changes every result of a network with dropout."""
    with seeded(1, "step", 57):
        assert float(torch.rand(())) == 0.5975123643875122
        assert float(np.random.rand()) == 0.38433433979925646
        assert random.random() == 0.2577854271891332


@given(st.integers(0, 2**31 - 1), st.text(), st.lists(st.integers(0, 10**9), max_size=2), st.integers(0, 2**31 - 1))
def test_global_draws_depend_on_seed_purpose_and_place_alone(
    seed: int, purpose: str, counters: list[int], before: int
) -> None:
    found = []
    for start in (before, before + 1):
        disturb(start)
        state = global_state()
        with seeded(seed, purpose, *counters):
            found.append([draws() for _ in range(3)])
        assert global_state() == state
    assert found[0] == found[1]
    with seeded(seed + 1, purpose, *counters):
        assert draws() != found[0][0]


def test_global_generators_are_put_back_after_an_error() -> None:
    disturb(3)
    state = global_state()
    with pytest.raises(ValueError, match="in between"), seeded(1, "step"):
        draws()
        raise ValueError("in between")
    assert global_state() == state


def test_generators_seeded_for_one_purpose_do_not_repeat_each_other() -> None:
    """numpy's and torch's are the same algorithm: with one seed of 32 bits they would give the same numbers."""
    with preserved():
        seed_globals(1, "init")
        ours = torch.rand(8, dtype=torch.float64).tolist()
        assert not {*ours} & {*np.random.rand(8).tolist()}
        assert not {*ours} & {*torch.rand(8, dtype=torch.float64, generator=generator(1, "init")).tolist()}
        assert torch.initial_seed() % 2**32 != seed_of(1, "global-init") >> 31


def test_the_generators_of_gpus_are_seeded_and_put_back_once_a_gpu_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    gpus = torch.Generator().manual_seed(1), torch.Generator().manual_seed(2)
    monkeypatch.setattr(torch.cuda, "default_generators", gpus)
    for used in (False, True):
        monkeypatch.setattr(torch.cuda, "is_initialized", lambda used=used: used)
        before = [gpu.get_state().tolist() for gpu in gpus]
        drawn = []
        for _ in range(2):
            with seeded(1, "step", 3):
                drawn += [float(torch.rand((), generator=gpu)) for gpu in gpus]
        assert (len(set(drawn)) == 1) is used
        if used:
            assert [gpu.get_state().tolist() for gpu in gpus] == before
