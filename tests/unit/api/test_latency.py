"""Timing the networks of a study: steps in the store, one at a time, found again by reports."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from in_process import ENGINES
from prunectl.api.latency import conditions_of, latency, with_latencies
from prunectl.api.machine import Machine
from prunectl.api.results import results_of, table_of
from prunectl.api.run import complete
from prunectl.api.runs import recorded
from prunectl.api.session import Session, open_study
from prunectl.base.errors import PrunectlError
from prunectl.plan.conditions import Conditions
from prunectl.report.charts import charts
from prunectl.work import onnx_file, stopwatch
from small import HERE


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra, whose exporter takes seconds, and with a single call in each measurement."""
    monkeypatch.setattr(stopwatch, "SAMPLE_S", 0.0)
    monkeypatch.setattr(onnx_file, "missing", lambda: "onnx")


@pytest.fixture
def conditions() -> Conditions:
    return conditions_of(HERE, (1,), 1)


def test_what_was_measured_is_in_the_table_the_results_and_a_chart(own: Session, conditions: Conditions) -> None:
    found = latency(own, HERE, conditions)
    assert found.study == "small"
    assert len(found.tally.done) == 3, "the baseline, which two trials are, and two masks"
    assert ENGINES[-1].started[0].device == "cpu" and ENGINES[-1].started[0].jobs == 1
    assert found.rows.filter(variant="dense")["ms"].null_count() == 0
    again = open_study(own.path, store=own.store.root)
    assert again.plan == own.plan, "it is no part of the study"
    results = results_of(again)
    assert results.latencies.height == found.rows.height
    assert results.trials["latency_ms"].null_count() == results.trials["latency_dense_ms"].null_count() == 0
    assert table_of(again).equals(results.trials)
    assert "top1-latency" in [chart.name for chart in charts(results)["cost"]]


def test_it_is_measured_once_for_each_machine(own: Session, conditions: Conditions) -> None:
    latency(own, HERE, conditions)
    second = latency(own, HERE, conditions)
    assert not second.tally.done and second.rows.height
    elsewhere = latency(own, HERE, replace(conditions, machine="another"))
    assert len(elsewhere.tally.done) == 3
    assert set(results_of(own).latencies["machine"]) == {"another"}, "a table is of one machine: the last"


def test_a_later_run_shows_it_and_does_not_give_it_up(own: Session, conditions: Conditions) -> None:
    latency(own, HERE, conditions)
    assert complete(own, HERE).results.trials["latency_ms"].null_count() == 0
    asked = with_latencies(own).plan.asked
    runs = recorded(own.store)
    assert asked and asked <= {key for run in runs for key in run.keys}
    assert [bool(run.caption.apart) for run in runs].count(True) == 1


def test_a_study_that_was_never_timed_is_as_it_was(session: Session) -> None:
    assert with_latencies(session) is session
    assert results_of(session).trials["latency_ms"].null_count() == 4


def test_the_conditions_are_those_of_this_machine() -> None:
    here = conditions_of(Machine(device="cpu", threads=2), (128, 1, 1), 5)
    assert here.machine.endswith(" cores") and (here.device, here.threads) == ("cpu", 2)
    assert (here.batch_sizes, here.repeats) == ((1, 128), 5)


@pytest.mark.parametrize("executor", ["ray", "slurm"])
def test_an_executor_that_works_elsewhere_is_refused(executor: str) -> None:
    with pytest.raises(PrunectlError, match="latency is measured on this machine") as raised:
        conditions_of(Machine(executor=executor))
    assert raised.value.hint is not None and "leave --executor out" in raised.value.hint


def test_on_a_shared_store_a_machine_of_another_kind_measures_again_and_names_itself(
    session: Session, tmp_path: Path, conditions: Conditions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The milliseconds in a machine's table are those that were last asked for on it, never another machine's."""

    def opened(machine: str) -> Session:
        monkeypatch.setenv("PRUNECTL_CACHE", str(tmp_path / machine))
        return open_study(session.path, store=f"file://{tmp_path}/bucket", only="criterion=random,sparsity=0.5")

    first = latency(opened("a"), HERE, conditions)
    assert first.tally.done and table_of(opened("a"))["latency_ms"].null_count() == 0
    assert table_of(opened("b"))["latency_ms"].null_count() == 1
    same = latency(opened("b"), HERE, conditions)
    assert not same.tally.done and same.rows.equals(first.rows), "a machine of the same kind finds them in the store"
    other = latency(opened("c"), HERE, replace(conditions, machine="another processor"))
    assert len(other.tally.done) == 1 and set(other.rows["machine"]) == {"another processor"}
    assert set(results_of(opened("b")).latencies["machine"]) == {conditions.machine}
