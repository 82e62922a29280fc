"""What every ablation of the catalogue promises."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from networks import SHAPE, small_network
from prunectl.base.keys import canonical
from prunectl.catalog.ablation import Ablation
from prunectl.catalog.lookup import names, read_entry
from prunectl.catalog.masks import Masks
from prunectl.catalog.structure import Structure
from prunectl.pruning.prunable import prunable
from prunectl.pruning.scopes.global_ import Global

STRUCTURES: list[str | dict[str, Any]] = ["weights", "channels", {"name": "n-of-m", "n": 1, "m": 3}]

every = pytest.mark.parametrize("name", names("ablations"))


def made(name: str) -> Ablation:
    return read_entry("ablations", name, Ablation)


@every
def test_it_declares_what_it_changes_and_its_words(name: str) -> None:
    ablation = made(name)
    assert type(ablation).name == name
    assert ablation.summary
    assert ablation.noun
    assert ablation.verb
    assert ablation.changes in ("nothing", "mask", "weights", "ranking")
    assert canonical(ablation.preimage())
    assert all(ablation.refusal(read_entry("structures", each, Structure)) is None for each in STRUCTURES[:1])


def test_exactly_one_changes_nothing_and_it_is_the_default() -> None:
    assert [name for name in names("ablations") if made(name).changes == "nothing"] == ["none"]


@every
@pytest.mark.parametrize("written", STRUCTURES, ids=str)
def test_a_changed_mask_keeps_its_sparsity_in_every_structure_that_is_accepted(
    name: str, written: str | dict[str, Any]
) -> None:
    ablation, structure, network = made(name), read_entry("structures", written, Structure), small_network()
    if ablation.changes != "mask" or ablation.refusal(structure) is not None:
        return
    units = structure.units(network, SHAPE)
    weights = prunable(network, ["0", "3.conv"])
    scores = {key: weight.detach().abs() for key, weight in weights.items()}
    masks = units.prune(scores, Global(), 2 / 3, generator=torch.Generator().manual_seed(0)).masks
    changed = ablation.masks(masks, units, torch.Generator().manual_seed(1))
    assert _kept(changed) == _kept(masks)
    assert {key: mask.shape for key, mask in changed.items()} == {key: mask.shape for key, mask in masks.items()}
    assert any(not torch.equal(mask, changed[key]) for key, mask in masks.items())


def _kept(masks: Masks) -> int:
    return sum(int(mask.sum()) for mask in masks.values())
