"""The step that finds a critical compression, against every number of weights kept, on a tiny network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from prunectl.base.errors import MethodError
from prunectl.base.rng import generator
from prunectl.datasets.content import content_of
from prunectl.plan.build import build
from prunectl.plan.steps import Collapse, Key
from prunectl.pruning import mask as masking
from prunectl.pruning.criteria.synflow import SynFlow
from prunectl.pruning.cut import Cut
from prunectl.pruning.engines.single_weights import SingleWeights
from prunectl.pruning.in_rounds import prune_in_rounds
from prunectl.pruning.scoring import Scoring
from prunectl.store import layout
from prunectl.study.load import validate
from prunectl.work.networks import restored
from prunectl.work.tensors import read_json, read_tensors
from unit.work.test_what_follows import STUDY, Workshop

CPU = torch.device("cpu")


def made(folder: Path, **arm: Any) -> tuple[Workshop, Key, Collapse, dict[str, Any]]:
    """The step of an arm at initialization, done, and what it has left."""
    study, problems = validate(
        {
            **STUDY, "sweep": {"sparsities": [0.5], "seeds": [1]}, "report": {"collapse": True},
            "prune": [{"criterion": "magnitude", "at": "init", **arm}],
        }
    )  # fmt: skip
    assert study is not None, problems
    plan = build(study, content_of(study.data.dataset, folder))
    (chosen,) = plan.trials
    assert chosen.collapse is not None
    step = plan.steps[chosen.collapse]
    assert isinstance(step, Collapse)
    workshop = Workshop(folder, plan)
    return workshop, chosen.collapse, step, read_json(workshop.made(chosen.collapse) / layout.INFO)


def scores_of(workshop: Workshop, step: Collapse) -> dict[str, torch.Tensor]:
    assert step.scores is not None
    return read_tensors(workshop.made(step.scores) / layout.SCORES)


@pytest.mark.parametrize(
    "arm",
    [
        {"criterion": "magnitude"},
        {"criterion": "snip"},
        {"criterion": "magnitude", "ablation": "invert"},
        {"criterion": "magnitude", "scope": "layerwise"},
        {"criterion": "magnitude", "scope": {"name": "global", "floor": 0.02}},
        {"criterion": "magnitude", "scope": "lamp"},
    ],
    ids=str,
)
def test_one_shot_it_is_the_lowest_number_of_all_with_which_no_layer_is_empty(
    tmp_path: Path, arm: dict[str, Any]
) -> None:
    workshop, _, step, info = made(tmp_path, **arm)
    scores = scores_of(workshop, step)
    weights = None
    if step.state is not None:
        network = restored(step.network, 1, workshop.made(step.state), CPU)
        weights = dict(network.named_parameters())
    total = sum(map(torch.numel, scores.values()))

    def works(kept: int) -> bool:
        try:
            masks = masking.prune(
                scores, step.scope, (total - kept) / total, generator=generator(1, "ties"), invert=step.invert,
                weights=weights,
            ).masks  # fmt: skip
        except MethodError:
            return False
        return all(bool(mask.any()) for mask in masks.values())

    assert works(info["kept"])
    assert not works(info["kept"] - 1)
    if arm.get("scope") != "layerwise":  # a layer's share of few weights, in whole numbers, is not monotone
        assert not any(map(works, range(1, info["kept"])))
    assert (info["n"], info["layers"]) == (total, len(scores))
    assert info["max_compression"] == total / len(scores)
    assert info["critical_compression"] == total / info["kept"] <= info["max_compression"]
    assert info["critical_by"] == ("found" if "scope" in arm else "exact")


def test_in_rounds_the_number_works_and_the_next_lower_does_not(tmp_path: Path) -> None:
    arm = {"criterion": "synflow", "rounds": {"name": "exponential", "count": 3}}
    workshop, _, step, info = made(tmp_path, **arm)
    assert step.scores is None and step.state is not None
    network = restored(step.network, 1, workshop.made(step.state), CPU)

    def works(kept: int) -> bool:
        masks = prune_in_rounds(
            Scoring(criterion=SynFlow(), shape=step.network.shape, generator=generator(1, "score-synflow")),
            network,
            Cut(units=SingleWeights(), scope=step.scope),
            (info["n"] - kept) / info["n"],
            step.rounds,
        ).masks
        return all(bool(mask.any()) for mask in masks.values())

    assert info["critical_by"] == "found"
    assert works(info["kept"]) and not works(info["kept"] - 1)
    assert info["kept"] == min(kept for kept in range(1, info["kept"] + 1) if works(kept))
    assert all(works(kept) == full for kept, full in info["tried"])


def test_synflow_in_rounds_comes_nearer_to_the_maximum_than_at_once(tmp_path: Path) -> None:
    """Tanaka et al. (2020), Theorem 3: iterative positive conservative scoring avoids collapse."""
    few = {"criterion": "synflow", "rounds": "one-shot"}
    many = {"criterion": "synflow", "rounds": {"name": "exponential", "count": 30}}
    at_once, in_rounds = (
        made(tmp_path, **arm)[3]["critical_compression"] for arm in (few, many)
    )  # fmt: skip
    assert in_rounds > at_once


def test_criteria_that_draw_batches_or_change_weights_have_one_too(tmp_path: Path) -> None:
    for arm in (
        {"criterion": "force", "rounds": {"name": "exponential", "count": 2}},
        {"criterion": {"name": "obs", "samples": 10, "block": 10}},
    ):
        _, _, step, info = made(tmp_path, **arm)
        assert step.scores is None and step.data is not None
        assert info["layers"] <= info["kept"] < info["n"]


def test_doing_it_twice_leaves_the_same_number(tmp_path: Path) -> None:
    arm = {"criterion": "force", "rounds": {"name": "exponential", "count": 2}}
    workshop, key, step, first = made(tmp_path, **arm)
    again = read_json(workshop.do(step, "again") / layout.INFO)
    assert workshop.made(key).is_dir()
    assert {**again, "collapse_s": 0} == {**first, "collapse_s": 0}


def test_a_sparsity_that_no_mask_reaches_is_the_reason_where_nothing_else_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workshop, _, step, _ = made(tmp_path, criterion="magnitude", scope="layerwise")

    def refuse(*_: object, **__: object) -> None:
        raise MethodError("no such mask")

    monkeypatch.setattr(masking, "prune", refuse)
    monkeypatch.setattr(SingleWeights, "prune", staticmethod(refuse))
    with pytest.raises(MethodError, match="no such mask"):
        workshop.do(step, "refused")
