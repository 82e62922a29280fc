"""What a study file becomes: entries, tuples, defaults and the sparsities asked for."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from prunectl.base.keys import canonical
from prunectl.catalog.code import code_of
from prunectl.catalog.entry import CODE
from prunectl.catalog.problems import problems_of
from prunectl.catalog.values import PruningMoment
from prunectl.pruning.ablations.none import Unmodified
from prunectl.pruning.rounds.iterative import Iterative
from prunectl.pruning.structures.weights import Weights
from prunectl.study.arms import scopes_of
from prunectl.study.data_section import DataSection
from prunectl.study.levels import LevelsSection
from prunectl.study.schema import (
    Claim,
    PruneSection,
    Study,
    SweepSection,
    TrainSection,
)
from prunectl.training.optimizers.sgd import Sgd
from prunectl.training.retrainings.none import NoRetraining
from prunectl.training.schedules.constant import Constant
from prunectl.training.schedules.cosine import Cosine

if TYPE_CHECKING:
    from unit.study.conftest import LoadText


def problems(section: type[Any], table: dict[str, Any]) -> dict[str, str]:
    """What is wrong with a table, by path."""
    with pytest.raises(ValidationError) as caught:
        section.model_validate(table)
    return {problem.key: problem.message for problem in problems_of(caught.value, table)}


def test_defaults_are_those_of_the_field() -> None:
    section = PruneSection.model_validate({"criterion": "magnitude"})
    assert section.scope is None
    assert [scope.name for scope in scopes_of(section, section.criterion[0])] == ["global"]
    assert section.at == ("init",)
    assert section.rounds is None
    assert section.ablation == (Unmodified(),)
    assert section.retrain == (NoRetraining(),)
    assert section.structure == (Weights(),)
    assert (section.init, section.budget) == (None, None)
    train = TrainSection(epochs=1)
    assert (train.lr, train.optimizer, train.weight_decay, train.schedule) == (0.1, Sgd(), 1e-4, Constant())


def test_flat_tables_hold_the_entry_beside_their_own_keys() -> None:
    section = DataSection.model_validate({"name": "images", "side": 32, "train_limit": 10})
    chosen = {"name": "images", "version": 1, "side": 32, "colour": True}
    assert section.dataset.preimage() == {CODE: code_of(type(section.dataset)), **chosen}
    assert section.train_limit == 10
    assert DataSection(dataset=section.dataset) == DataSection.model_validate({"name": "images", "side": 32})


def test_the_key_of_the_model_is_not_a_key_of_the_file() -> None:
    assert set(problems(DataSection, {"dataset": "digits"})) == {"dataset"}


@pytest.mark.parametrize("value", ["magnitude", ["magnitude"], {"name": "magnitude"}, [{"name": "magnitude"}]])
def test_one_or_a_list_and_a_name_or_a_table_mean_the_same(value: object) -> None:
    section = PruneSection.model_validate({"criterion": value})
    assert section == PruneSection.model_validate({"criterion": "magnitude"})


@pytest.mark.parametrize(
    ("table", "asked"),
    [
        ({"sparsities": [0.9, 0, 0.5]}, (0.0, 0.5, 0.9)),
        ({"sparsities": [-0.0, 0.5]}, (0.0, 0.5)),
        ({"compression": [4, 1, 2]}, (0.0, 0.5, 0.75)),
        ({"levels": {"rate": 0.2, "count": 2}}, (0.0, 1 - 0.8, 1 - 0.8**2)),
    ],
)
def test_the_sparsities_asked_for_ascend(table: dict[str, Any], asked: tuple[float, ...]) -> None:
    found = SweepSection.model_validate(table).asked
    assert found == asked
    assert str(found[0]) == "0.0"


def test_a_count_of_seeds_stands_for_the_seeds_from_one() -> None:
    assert SweepSection.model_validate({"sparsities": [0], "seeds": 3}).seeds == (1, 2, 3)
    assert SweepSection.model_validate({"sparsities": [0], "seeds": [3, 0]}).seeds == (3, 0)


@pytest.mark.parametrize("moment", [{"epoch": 0}, {"step": 0}])
def test_no_epoch_at_all_is_the_initialization(moment: dict[str, int]) -> None:
    assert PruneSection.model_validate({"criterion": "snip", "at": moment}).at == ("init",)


def test_moments_rounds_and_schedules_may_be_words() -> None:
    section = PruneSection.model_validate({"criterion": "snip", "at": {"step": 5}, "rounds": "iterative"})
    assert section.at == (PruningMoment(step=5),)
    assert section.rounds == (Iterative(),)
    assert TrainSection.model_validate({"epochs": 1, "schedule": "cosine"}).schedule == Cosine()


@pytest.mark.parametrize(
    ("section", "table", "wrong"),
    [
        (SweepSection, {}, {""}),
        (SweepSection, {"sparsities": [0], "compression": [1]}, {"compression"}),
        (SweepSection, {"sparsities": [0, 0.0]}, {"sparsities[1]"}),
        (SweepSection, {"compression": [0.5]}, {"compression[0]"}),
        (SweepSection, {"compression": [2, 2.0]}, {"compression[1]"}),
        (SweepSection, {"sparsities": [0], "seeds": [-1]}, {"seeds[0]"}),
        (SweepSection, {"sparsities": [0], "seeds": [1, True]}, {"seeds[1]"}),
        (SweepSection, {"sparsities": [0], "seeds": True}, {"seeds"}),
        (SweepSection, {"sparsities": [0], "seeds": []}, {"seeds"}),
        (SweepSection, {"sparsities": [0], "seeds": 10**12}, {"seeds"}),
        (LevelsSection, {"rate": 0.999, "count": 100}, {"count"}),
        (LevelsSection, {"rate": 1, "count": 101}, {"rate", "count"}),
        (PruneSection, {"criterion": "snip", "rounds": {"count": 3}}, {"rounds.name"}),
        (PruneSection, {"criterion": "snip", "rounds": "linear"}, {"rounds.count"}),
        (PruneSection, {"criterion": "snip", "rounds": {"name": "linear"}}, {"rounds.count"}),
        (PruneSection, {"criterion": "snip", "rounds": {"name": "linear", "count": 3, "rate": 0.1}}, {"rounds.rate"}),
        (PruneSection, {"criterion": "snip", "rounds": {"kind": "linear", "count": 3}}, {"rounds.kind"}),
        (PruneSection, {"criterion": "snip", "rounds": {"name": "one-shot", "count": 3}}, {"rounds.count"}),
        (PruneSection, {"criterion": "snip", "init": "kaiming"}, {"init"}),
        (PruneSection, {"criterion": "snip", "budget": [0.5, 0]}, {"budget[1]"}),
        (PruneSection, {"criterion": "snip", "budget": [0.5, 101]}, {"budget[1]"}),
        (PruneSection, {"criterion": "snip", "budget": {"epochs": 3, "steps": 3}}, {"budget.steps"}),
        (PruneSection, {"criterion": "snip", "budget": {}}, {"budget"}),
        (PruneSection, {"criterion": "snip", "budget": "all"}, {"budget"}),
        (PruneSection, {"criterion": "snip", "structure": "n-of-m"}, {"structure.n", "structure.m"}),
        (PruneSection, {"criterion": "snip", "structure": {"name": "n-of-m", "n": 4, "m": 4}}, {"structure"}),
        (PruneSection, {"criterion": "snip", "retrain": {"name": "finetune", "epochs": 0}}, {"retrain.epochs"}),
        (PruneSection, {"criterion": "snip", "retrain": {"name": "finetune", "epochs": 1, "steps": 1}},
         {"retrain.steps"}),
        (PruneSection, {"criterion": "snip", "retrain": {"name": "weight-rewind", "to": "start"}}, {"retrain.to"}),
        (PruneSection, {"criterion": "snip", "retrain": {"name": "lr-rewind", "to": "init"}}, {"retrain.to"}),
        (PruneSection, {}, {"criterion"}),
        (PruneSection, {"criterion": []}, {"criterion"}),
        (PruneSection, {"criterion": ["snip", {"name": "snip", "samples_per_class": 10}]}, {"criterion[1]"}),
        (PruneSection, {"criterion": "snip", "at": [3]}, {"at[0]"}),
        (PruneSection, {"criterion": "snip", "at": ["init", {"epoch": 0}]}, {"at[1]"}),
        (PruneSection, {"criterion": "snip", "at": {}}, {"at"}),
        (TrainSection, {"epochs": 1, "lr": 10**400}, {"lr"}),
        (TrainSection, {"epochs": 1.0}, {"epochs"}),
        (TrainSection, {"epochs": 1, "momentum": 0.9, "nesterov": True}, {"momentum", "nesterov"}),
        (TrainSection, {"epochs": 1, "schedule": {"kind": "cosine"}}, {"schedule.kind"}),
        (
            TrainSection,
            {"epochs": 1, "schedule": {"name": "cosine", "milestones": [3], "gamma": 0.5}},
            {"schedule.milestones", "schedule.gamma"},
        ),
        (TrainSection, {"epochs": 1, "schedule": "step"}, {"schedule.milestones"}),
        (TrainSection, {"epochs": 1, "schedule": {"name": "step"}}, {"schedule.milestones"}),
        (TrainSection, {"epochs": 1, "schedule": {"name": "step", "milestones": []}}, {"schedule.milestones"}),
        (
            TrainSection,
            {"epochs": 1, "schedule": {"name": "step", "milestones": [3, 3, 1]}},
            {"schedule.milestones[1]", "schedule.milestones[2]"},
        ),
        (
            TrainSection,
            {"epochs": 1, "optimizer": {"name": "sgd", "momentum": 0, "nesterov": True}},
            {"optimizer.nesterov"},
        ),
        (TrainSection, {"epochs": 1, "optimizer": {"name": "sgd", "momentum": 1}}, {"optimizer.momentum"}),
        (TrainSection, {"epochs": 1, "optimizer": {"name": "adam", "nesterov": True}}, {"optimizer.nesterov"}),
        (TrainSection, {"epochs": 10**30}, {"epochs"}),
        (Claim, {"text": "x", "better": {}, "than": {"at": "init"}}, {"better"}),
        (Claim, {"text": "x", "better": {"at": "init"}, "than": {"at": "init"}}, {"than"}),
        (Claim, {"text": "x", "better": {"seed": 1}, "than": 3}, {"better.seed", "than"}),
    ],
)  # fmt: skip
def test_what_is_refused(section: type[Any], table: dict[str, Any], wrong: set[str]) -> None:
    assert set(problems(section, table)) == wrong


def test_sections_that_go_into_keys_are_frozen_and_hashable(good: str, load_text: LoadText) -> None:
    study = load_text(good).study
    for section in (study.data, study.model, study.train, study.sweep, study.prunable, *study.prune):
        assert hash(section) == hash(section.model_copy(deep=True))
        with pytest.raises(ValidationError):
            section.__setattr__(next(iter(type(section).model_fields)), None)


def test_a_study_dumps_its_entries_with_their_parameters(good: str, load_text: LoadText) -> None:
    dumped = load_text(good).study.model_dump(mode="json")
    assert dumped["data"]["dataset"] == {"name": "digits"}
    assert dumped["prune"][0]["criterion"][1] == {"name": "snip", "samples_per_class": 5}
    assert canonical(dumped)


def test_a_refusal_reads_well_without_the_loader() -> None:
    with pytest.raises(ValidationError, match="there is no arm"):
        Study.model_validate({"name": "x", "prune": []})


def test_the_schema_is_imported_in_a_moment() -> None:
    code = "import prunectl.study.schema, time; print(time.process_time())"
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert float(told) < 0.35
