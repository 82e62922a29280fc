"""What every structure of the catalogue promises, with every criterion and scope that it accepts."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import nn

from networks import SHAPE, batch, small_network
from prunectl.base.keys import canonical
from prunectl.catalog.criterion import Criterion
from prunectl.catalog.lookup import names, read_entry
from prunectl.catalog.masks import Masks, Pruned
from prunectl.catalog.scope import Scope
from prunectl.catalog.structure import Structure
from prunectl.pruning import mask as masking
from prunectl.pruning.prunable import prunable
from prunectl.pruning.scopes.global_ import Global
from prunectl.pruning.scoring import Scoring, score

WRITTEN = {"n-of-m": {"name": "n-of-m", "n": 1, "m": 3}}
"""Structures with parameters that must be given."""

EXCLUDE = ("0", "3.conv")
"""Layers of the small network that do not divide into blocks of three."""

every = pytest.mark.parametrize("name", names("structures"))


def made(name: str) -> Structure:
    return read_entry("structures", WRITTEN.get(name, name), Structure)


def reachable(structure: Structure) -> float:
    """A sparsity of about 2/3 that the structure can reach."""
    return next(value for value in (2 / 3, 0.5, 0.75, 0.0) if structure.refusal(Global(), value) is None)


def pruned_by(structure: Structure, scope: Scope, criterion: Criterion, network: nn.Module) -> Pruned:
    scores = score(
        Scoring(
            criterion=criterion,
            exclude=EXCLUDE,
            batches=[batch()] if criterion.needs_data else [],
            shape=SHAPE,
            generator=torch.Generator().manual_seed(0),
        ),
        network,
    )
    return structure.units(network, SHAPE).prune(
        scores, scope, reachable(structure), generator=torch.Generator().manual_seed(0),
        weights=dict(network.named_parameters()),
    )  # fmt: skip


@every
def test_it_declares_what_it_is(name: str) -> None:
    structure = made(name)
    assert type(structure).name == name
    assert structure.summary
    assert structure.__doc__
    assert canonical(structure.preimage())
    assert structure.refusal(Global()) is None  # the default scope
    assert structure.refusal(Global(), 0.0) is None
    assert structure.any_sparsity == all(structure.refusal(Global(), k / 97) is None for k in range(97))


@every
def test_it_goes_with_every_criterion_and_every_scope_that_it_accepts(name: str) -> None:
    structure, network = made(name), small_network()
    scopes = [read_entry("scopes", scope, Scope) for scope in names("scopes")]
    accepted = [scope for scope in scopes if structure.refusal(scope) is None]
    criteria = [read_entry("criteria", criterion, Criterion) for criterion in names("criteria")]
    criteria = [criterion for criterion in criteria if criterion.structures is None]  # the others: `test_criteria.py`
    n = sum(weight.numel() for weight in prunable(network, EXCLUDE).values())
    for criterion, scope in itertools.product(criteria, accepted):
        masks = pruned_by(structure, scope, criterion, network).masks
        gone = sum(int((~mask).sum()) for mask in masking.of_weights(masks).values())
        assert gone == pytest.approx(reachable(structure) * n, abs=0.5 if structure.exact else 0.05 * n)
        assert all(mask.dtype == torch.bool for mask in masks.values())
        for parameter, mask in masks.items():
            assert mask.shape == network.get_parameter(parameter).shape


@every
def test_a_shuffle_keeps_every_count_and_moves_places(name: str) -> None:
    """Trap 7: a shuffle that shuffles nothing."""
    structure, network = made(name), small_network()
    masks = pruned_by(structure, Global(), read_entry("criteria", "magnitude", Criterion), network).masks
    units = structure.units(network, SHAPE)
    shuffled = units.shuffle(masks, torch.Generator().manual_seed(1))
    assert {key: int(mask.sum()) for key, mask in shuffled.items()} == {k: int(m.sum()) for k, m in masks.items()}
    assert any(not torch.equal(mask, masks[key]) for key, mask in shuffled.items())
    again = units.shuffle(masks, torch.Generator().manual_seed(1))
    assert all(torch.equal(mask, again[key]) for key, mask in shuffled.items())


@every
def test_ties_are_drawn_by_the_seed_alone(name: str) -> None:
    structure, network = made(name), small_network()
    units = structure.units(network, SHAPE)
    scores = {key: torch.ones(weight.shape) for key, weight in prunable(network, EXCLUDE).items()}

    def draw(seed: int) -> Masks:
        generator = torch.Generator().manual_seed(seed)
        return units.prune(scores, Global(), reachable(structure), generator=generator).masks

    first, again, other = draw(1), draw(1), draw(2)
    assert all(torch.equal(mask, again[key]) for key, mask in first.items())
    assert any(not torch.equal(mask, other[key]) for key, mask in first.items())


@every
def test_the_highest_go_when_inverted(name: str) -> None:
    structure, network = made(name), small_network()
    units = structure.units(network, SHAPE)
    scores = {key: weight.detach().abs() for key, weight in prunable(network, EXCLUDE).items()}
    kept = {}
    for invert in (False, True):
        pruned = units.prune(
            scores, Global(), reachable(structure), generator=torch.Generator().manual_seed(0), invert=invert
        )
        kept[invert] = torch.cat([scores[key][mask] for key, mask in pruned.masks.items() if key in scores]).mean()
    assert kept[True] < kept[False]


@every
def test_sparsity_zero_keeps_everything(name: str) -> None:
    structure, network = made(name), small_network()
    scores = {key: weight.detach().abs() for key, weight in prunable(network, EXCLUDE).items()}
    masks = structure.units(network, SHAPE).prune(scores, Global(), 0.0, generator=torch.Generator()).masks
    assert all(bool(mask.all()) for mask in masks.values())


@every
def test_a_network_that_it_can_prune_passes_its_check(name: str) -> None:
    network = small_network()
    assert list(made(name).check(network, prunable(network, EXCLUDE), SHAPE)) == []
