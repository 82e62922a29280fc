"""A report as one JSON document, described by its schema."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import made_up
from prunectl.results.claims import verdicts
from prunectl.results.document import FORMAT, VERSION, document, to_json
from prunectl.results.document_schema import schema
from prunectl.results.table import CURVES, Results
from prunectl.results.table_files import curves, read_table
from prunectl.study.selection import Selection


@pytest.fixture(scope="module")
def results() -> Results:
    """Two seeds, of which one trial failed."""
    return made_up.results(seeds=3, failed=1, epochs=2)


def test_a_document_is_what_its_schema_describes(results: Results) -> None:
    jsonschema.Draft202012Validator.check_schema(schema())
    jsonschema.validate(json.loads(to_json(results)), schema())
    nothing = made_up.results(seeds=1, failed=0, epochs=2)
    jsonschema.validate(json.loads(to_json(nothing)), schema())


def test_a_claim_that_a_selection_leaves_no_trials_for_is_not_asked(results: Results) -> None:
    trials = results.trials.filter(pl.col("criterion") == "synflow")
    found = json.loads(to_json(replace(results, trials=trials, selection=Selection(only=("criterion=synflow",)))))
    jsonschema.validate(found, schema())
    assert {claim["answer"] for claim in found["claims"]} == {"not asked"}


def test_the_schema_names_every_field(results: Results) -> None:
    found = json.loads(to_json(results))
    assert set(found) == set(schema()["properties"]), "a field that nothing describes is no contract"
    assert set(found["summary"]) == set(schema()["properties"]["summary"]["properties"])
    assert set(found["claims"][0]) == set(schema()["properties"]["claims"]["items"]["properties"])
    assert (found["format"], found["version"]) == (FORMAT, VERSION)


def test_it_holds_verdicts_with_their_cases_and_what_is_missing(results: Results) -> None:
    found = document(results)
    assert [claim["answer"] for claim in found["claims"]] == [verdict.answer for verdict in verdicts(results)]
    assert len(found["claims"][0]["details"]) == 4
    assert [(row["status"], row["reason"]) for row in found["missing"]] == [
        ("failed", "the loss is not finite at step 12 (lr 0.1)")
    ]
    assert found["counts"] == {"done": results.trials.height - 1, "failed": 1, "missing": 0}


def test_the_figures_of_the_summary_are_numbers(results: Results) -> None:
    found = document(results)["summary"]
    cell = next(row for row in found["arms"] if row["arm"] == "snip · at init" and row["sparsity"] == 0.9)
    numbers = results.trials.filter((pl.col("arm") == "snip · at init") & (pl.col("sparsity") == 0.9))["top1"]
    assert cell["mean"] == pytest.approx(numbers.mean()) and cell["seeds"] == numbers.to_list()
    assert found["dense"][0]["n"] == 3 and found["sentences"]
    assert {row["arm"] for row in found["matching"]} >= {"snip · at init"}
    assert {row["ablation"] for row in found["ablations"]} == {"shuffle", "reinit", "invert"}


def test_training_curves_are_a_table_with_the_trials_columns(results: Results) -> None:
    frame = curves(results)
    assert frame.columns == ["study", "arm", "sparsity", "seed", *CURVES]
    trained = results.trials.filter(pl.col("status") == "done").height
    assert frame.height == 2 * trained, "two epochs of every trial"
    last = frame.filter((pl.col("arm") == "snip · at init") & (pl.col("sparsity") == 0.9) & (pl.col("seed") == 1))
    assert last["epoch"].to_list() == [1.0, 2.0]


def test_a_report_is_a_results_file(results: Results, tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    file.write_text(to_json(results), encoding="utf-8")
    assert_frame_equal(read_table(file), results.trials)
