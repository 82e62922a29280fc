"""One meaning of a selector: checks, claims and --only pick the same arms, and a cell says exactly what was chosen."""

from __future__ import annotations

from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from planning import BASE, DATA, plan
from prunectl.base.cells import cell
from prunectl.base.errors import StudyError
from prunectl.plan.build import build
from prunectl.plan.graph import Plan
from prunectl.plan.only import narrowed, only
from prunectl.results.cases import selected
from prunectl.study.arms import COLUMNS
from prunectl.study.load import validate
from prunectl.study.reading import choices

MOMENTS: list[Any] = ["init", {"epoch": 0}, {"epoch": 2}, {"step": 20}, {"epoch": 2, "schedule": "restart"}, "end"]
CRITERIA: list[Any] = [
    "magnitude",
    "snip",
    {"name": "snip", "wrt": "weight"},
    {"name": "snip", "batches": 2},
    "synflow",
]
SCOPES: list[Any] = ["global", "layerwise", "erk", {"name": "rates", "per_layer": {"*": 0.5}}]
ROUNDS: list[Any] = ["one-shot", {"name": "exponential", "count": 3}, {"name": "linear", "count": 3}]
ABLATIONS: list[Any] = ["none", "shuffle", "reinit", "invert"]
RETRAININGS: list[Any] = [
    "none", "recalibrate", "finetune", {"name": "finetune", "lr": 0.01}, {"name": "finetune", "epochs": 2}, "lr-rewind",
    "weight-rewind", {"name": "weight-rewind", "to": "end"}, {"name": "weight-rewind", "to": {"epoch": 2}},
]  # fmt: skip
BUDGETS: list[Any] = [0.25, 0.5, 1.0, {"epochs": 2}, {"steps": 20}]
INITS: list[Any] = ["kaiming-normal", "orthogonal"]


def some(values: list[Any], most: int = 3) -> st.SearchStrategy[list[Any]]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=most, unique_by=repr)


EARLY = st.fixed_dictionaries(
    {"criterion": some(CRITERIA), "at": some(MOMENTS[:5])},
    optional={"scope": some(SCOPES), "rounds": some(ROUNDS, 2), "ablation": some(ABLATIONS), "init": some(INITS)},
)
LATE = st.fixed_dictionaries(
    {"criterion": some(CRITERIA), "at": st.just("end"), "retrain": some(RETRAININGS, 4)},
    optional={"scope": some(SCOPES, 2), "ablation": some(ABLATIONS, 2), "budget": some(BUDGETS), "init": some(INITS)},
)
VALUES: dict[str, list[Any]] = {
    "criterion": [*CRITERIA, {"wrt": "mask"}, {"name": "snip", "batches": 1}, "grasp"],
    "scope": [*SCOPES, "lamp"],
    "structure": ["weights", "channels"],
    "at": [*MOMENTS, {"schedule": "restart"}, {"schedule": "continue"}],
    "rounds": [*ROUNDS, "exponential", {"name": "exponential", "count": 100}],
    "init": [*INITS, "xavier-normal"],
    "ablation": ABLATIONS,
    "retrain": [*RETRAININGS, {"name": "weight-rewind", "to": "init"}, {"name": "finetune", "lr": 0.001}],
    "budget": [*BUDGETS, 1, 0.75],
}
SELECTORS = st.fixed_dictionaries({}, optional={name: st.sampled_from(values) for name, values in VALUES.items()})


def planned(tables: list[dict[str, Any]]) -> Plan | None:
    """The plan of a study with these tables; none where they contradict each other, alone or with the data's size."""
    study, problems = validate({**BASE, "prune": tables, "sweep": {"sparsities": [0.5], "seeds": [1]}})
    if study is None or problems:
        return None
    try:
        return build(study, study.data.dataset.declared(DATA))
    except StudyError:  # as 20 steps of retraining for drawn weights, whose recipe is longer
        return None


def test_tables_that_only_the_data_contradict_have_no_plan() -> None:
    assert planned([{"criterion": "magnitude", "at": "end", "ablation": "reinit", "budget": {"epochs": 2}}]) is None


@given(st.lists(st.one_of(EARLY, LATE), min_size=1, max_size=3), SELECTORS.filter(bool))
@settings(max_examples=150, deadline=None)
def test_checks_claims_and_only_mean_the_same_arms(tables: list[dict[str, Any]], selector: dict[str, Any]) -> None:
    whole = planned(tables)
    if whole is None:
        return
    meant = [label for label, placed in whole.arms.items() if placed.arm.matches(selector)]
    trials = pl.DataFrame({"arm": [trial.arm.label for trial in whole.trials]})
    assert selected(trials, whole.arms, selector)["arm"].to_list() == meant
    text = ",".join(f"{name}={cell(value)}" for name, value in selector.items())
    try:
        picked = [trial.arm.label for trial in only(whole, [text]).trials]
    except StudyError:
        picked = []
    assert picked == meant
    claim = {"text": "t", "better": selector, "than": {"structure": "weights"}}
    if selector != claim["than"]:
        _, problems = validate({**BASE, "prune": tables, "claim": [claim]})
        assert any("no arm of the study" in problem.message for problem in problems) == (not meant)


@given(st.lists(st.one_of(EARLY, LATE), min_size=1, max_size=3))
@settings(max_examples=100, deadline=None)
def test_cells_say_what_was_chosen_and_labels_are_one_per_arm(tables: list[dict[str, Any]]) -> None:
    whole = planned(tables)
    if whole is None:
        return
    arms = [placed.arm for placed in whole.arms.values()]
    for arm in arms:
        columns = arm.columns()
        assert choices(columns) == {name: getattr(arm, name) for name in COLUMNS}
    assert len({tuple(arm.columns().items()) for arm in arms}) == len(arms)


@given(st.lists(st.one_of(EARLY, LATE), min_size=1, max_size=2))
@settings(max_examples=50, deadline=None)
def test_what_is_suggested_narrows_to_one_arm(tables: list[dict[str, Any]]) -> None:
    whole = planned(tables)
    if whole is None or len(whole.trials) == 1:
        return
    for trial in whole.trials[:5]:
        assert only(whole, [narrowed(trial, whole.trials)]).trials == (trial,)


def test_the_generated_studies_are_mostly_valid() -> None:
    """Else the properties above would prove little."""
    early = {"criterion": CRITERIA, "at": MOMENTS[2:5:2], "ablation": ABLATIONS, "init": INITS}
    late = {"criterion": "magnitude", "at": "end", "retrain": [*RETRAININGS[:4], "lr-rewind"], "budget": BUDGETS}
    assert planned([early, late]) is not None
    assert len(plan(early).arms) == 5 * 2 * 4 * 2
