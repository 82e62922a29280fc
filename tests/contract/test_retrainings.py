"""What every kind of retraining of the catalogue promises."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from planning import BASE, END, plan, trial
from prunectl.base.cells import cell, parsed
from prunectl.base.keys import canonical
from prunectl.catalog.lookup import entry_type, names, read_entry
from prunectl.catalog.retraining import Retraining
from prunectl.catalog.tables import CATALOGS
from prunectl.catalog.values import Length
from prunectl.plan.steps import Train
from prunectl.study.load import validate

DOCS = Path(__file__).parents[2] / "docs"
WRITTEN: dict[str, list[dict[str, Any]]] = {
    "none": [{}],
    "recalibrate": [{}],
    "finetune": [
        {},
        {"lr": 0.5, "epochs": 2},
        {"optimizer_state": "fresh"},
        {"optimizer": {"name": "adam", "beta1": 0.8}, "schedule": "cosine", "optimizer_state": "fresh"},
    ],
    "weight-rewind": [{}, {"to": "end"}, {"to": {"epoch": 2}}, {"optimizer_state": "fresh"}],
    "lr-rewind": [{}, {"optimizer_state": "fresh"}],
}
"""Ways to write each one; of an entry that is new here, its name alone."""

every = pytest.mark.parametrize("name", names("retrainings"))
every_way = pytest.mark.parametrize(
    "written", [{"name": name, **table} for name in names("retrainings") for table in WRITTEN.get(name, [{}])], ids=str
)


def made(written: str | dict[str, Any]) -> Retraining:
    return read_entry("retrainings", written, Retraining)


@every
def test_it_declares_what_it_is(name: str) -> None:
    kind = entry_type("retrainings", name, Retraining)
    assert kind.name == name
    assert kind.summary
    assert kind.__doc__
    assert all(field.description for field in kind.model_fields.values())
    assert kind.budgeted <= kind.trains  # what takes no time has no budget
    assert kind.early <= (not kind.trains)  # pruned earlier, a network has the rest of the recipe anyway
    assert kind.within_recipe <= kind.budgeted


def test_the_default_does_nothing_and_is_the_only_one_for_pruning_before_the_end() -> None:
    assert [name for name in names("retrainings") if entry_type("retrainings", name, Retraining).early] == ["none"]


@every_way
def test_it_is_frozen_hashable_and_read_back(written: dict[str, Any]) -> None:
    entry, again = made(written), made(written)
    assert (entry, hash(entry)) == (again, hash(again))
    assert canonical(entry.preimage()) == canonical(again.preimage())
    assert made(parsed(cell(entry.written()))) == entry
    for key in type(entry).model_fields:
        with pytest.raises(ValidationError, match="frozen"):
            setattr(entry, key, None)


@every_way
@pytest.mark.parametrize("budget", [None, 0.5, 1.0, Length(epochs=3)], ids=str)
def test_a_settled_choice_is_settled(written: dict[str, Any], budget: float | Length | None) -> None:
    """However a choice is written, its row is the same, and has a budget exactly if that says how long it takes."""
    entry = made(written)
    if budget is not None and entry.own_length() is not None:
        return  # `check` refuses it
    settled, length = entry.settled(budget)
    assert settled.settled(length) == (settled, length)
    assert (length is None) == (not entry.budgeted or entry.own_length() is not None)
    assert length in (None, budget if budget is not None else 1.0)


@every_way
def test_a_study_of_it_plans_and_its_row_says_what_was_chosen(written: dict[str, Any]) -> None:
    planned = plan({**END, "retrain": written})
    chosen = trial(planned)
    assert chosen.arm.matches({"retrain": written["name"]})
    assert made(parsed(chosen.arm.columns()["retrain"] or "")) == chosen.arm.retrain
    assert (chosen.arm.columns()["budget"] is None) == (chosen.arm.budget is None)
    end = planned.steps[chosen.state]
    assert isinstance(end, Train) or not chosen.arm.retrain.trains
    assert (chosen.placed.share is not None) == chosen.arm.retrain.trains
    assert (chosen.measure_before is not None) == (written["name"] != "none")


@every_way
def test_each_budget_is_an_arm_unless_it_has_none(written: dict[str, Any]) -> None:
    budgets = [0.25, 1.0, {"epochs": 3}]
    table = {**END, "retrain": [written, "lr-rewind"] if written["name"] != "lr-rewind" else written}
    study, problems = validate({**BASE, "prune": [{**table, "budget": budgets}]})
    if made(written).own_length() is not None:
        assert [problem.message for problem in problems if "and so does budget" in problem.message]
        return
    assert study is not None and not problems
    chosen = [
        each for each in plan({**table, "budget": budgets}).arms.values() if each.arm.retrain.name == written["name"]
    ]
    assert [each.arm.budget for each in chosen] == ([0.25, 1.0, Length(epochs=3)] if made(written).budgeted else [None])
    for each in chosen:
        length = each.after.steps
        assert length == {0.25: 25, 1.0: 100, Length(epochs=3): 30, None: 0}[each.arm.budget]


@every
def test_it_follows_pruning_at_the_end_only_unless_it_says_otherwise(name: str) -> None:
    _, problems = validate({**BASE, "prune": [{"criterion": "magnitude", "at": {"epoch": 3}, "retrain": name}]})
    refused = [problem for problem in problems if f'"{name}" follows pruning at = "end"' in problem.message]
    assert bool(refused) != entry_type("retrainings", name, Retraining).early


@every
def test_iterative_rounds_take_it_exactly_if_it_trains(name: str) -> None:
    _, problems = validate({**BASE, "prune": [{**END, "rounds": "iterative", "retrain": name}]})
    assert (not problems) == entry_type("retrainings", name, Retraining).trains


@every
def test_the_docs_name_it(name: str) -> None:
    for page in ("study.md", "methods.md"):
        assert re.search(rf"`{name}`", (DOCS / page).read_text(encoding="utf-8")), page


def test_they_are_imported_without_torch() -> None:
    places = [place.partition(":")[0] for place in CATALOGS["retrainings"].entries.values()]
    code = f"import sys, importlib; [importlib.import_module(each) for each in {places}]; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
