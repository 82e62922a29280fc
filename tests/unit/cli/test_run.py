"""`prunectl run`: the table, the files, the exit code."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from prunectl.api.run import Completed
from prunectl.cli.options import Selected
from prunectl.execute.driver import Tally
from prunectl.plan.steps import Key

Prunectl = Callable[..., Any]


def test_the_table_is_printed_and_written(prunectl: Prunectl, tmp_path: Path) -> None:
    said = prunectl("run", "STUDY")
    assert said.code == 0, said.err
    assert "magnitude · at init" in said.out
    assert "0 done, 8 reused, 0 failed, 0 skipped" in said.err
    assert said.err.endswith("wrote results/small/table.csv, results/small/report.html\n")
    assert (tmp_path / "results" / "small" / "report.html").exists()


def test_quiet_prints_results_only(prunectl: Prunectl) -> None:
    said = prunectl("run", "STUDY", "--quiet")
    assert said.err == "" and "magnitude · at init" in said.out


def test_json_is_one_document(prunectl: Prunectl, tmp_path: Path) -> None:
    document = prunectl("run", "STUDY", "--json", "-o", "mine").json()
    assert document["study"] == "small"
    assert document["steps"] == {"done": 0, "reused": 8, "failed": 0, "skipped": 0}
    assert document["files"] == ["mine/table.csv", "mine/report.html"]
    assert [trial["status"] for trial in document["trials"]] == ["done"] * 4


def test_repeated_selectors_mean_or(prunectl: Prunectl) -> None:
    two = prunectl("run", "STUDY", "--json", "--only", "criterion=random,sparsity=0", "--only", "sparsity=0.5").json()
    assert [(trial["criterion"], trial["sparsity"]) for trial in two["trials"]] == [
        ("magnitude", 0.5),
        ("random", 0.0),
        ("random", 0.5),
    ]


def test_a_part_of_a_study_does_not_overwrite_the_results_of_the_whole(prunectl: Prunectl, tmp_path: Path) -> None:
    prunectl("run", "STUDY")
    part = prunectl("run", "STUDY", "--only", "criterion=random,sparsity=0")
    assert part.err.count("results/small+criterion=random,sparsity=0/") == 2
    folders = {folder.name: folder for folder in (tmp_path / "results").iterdir()}
    rows = {name: len(pl.read_csv(folder / "table.csv")) for name, folder in folders.items()}
    assert rows == {"small": 4, "small+criterion=random,sparsity=0": 1}


def test_each_part_and_variant_has_a_folder_of_its_own() -> None:
    parts = [
        Selected(),
        Selected(profile="quick"),
        Selected(set_=["train.epochs=2"], only=["seed=1"]),
        Selected(only=["seed>1"]),
        Selected(only=["seed<1"]),
        Selected(only=["seed=1,sparsity=0." + "1" * 300]),
        Selected(set_=["../../x=/y"]),
    ]
    folders = [part.results("small") for part in parts]
    assert [folder.name for folder in folders[:3]] == ["small", "small+profile=quick", "small+train.epochs=2+seed=1"]
    assert len(set(folders)) == len(parts)
    assert all(folder.parent == Path("results") and len(folder.name) < 100 for folder in folders)


def test_a_failed_trial_ends_the_command_with_1(
    prunectl: Prunectl, completed: tuple[Path, Completed], monkeypatch: pytest.MonkeyPatch
) -> None:
    results = completed[1].results
    failed = results.trials.with_columns(status=pl.lit("failed"), reason=pl.lit("no answer"))
    ended = Completed(
        results=type(results)(**{**vars(results), "trials": failed}),
        tally=Tally(failed={Key("a"): "no answer"}, skipped={Key("b"): "no answer"}),
    )
    monkeypatch.setattr("prunectl.api.run.complete", lambda *arguments, **options: ended)
    said = prunectl("run", "STUDY")
    assert said.code == 1
    assert "1 failed, 1 skipped" in said.err


@pytest.mark.parametrize(
    "arguments", [["--executor", "locl"], ["--executor", "{ name ="], ["--device", "tpu"], ["--jobs", "0"]]
)
def test_a_machine_that_does_not_exist_is_an_error_of_usage(arguments: list[str], prunectl: Prunectl) -> None:
    said = prunectl("run", "STUDY", *arguments)
    assert said.code == 2
    assert "Traceback" not in said.err


def test_an_executor_is_given_as_a_table_too(prunectl: Prunectl) -> None:
    assert prunectl("run", "STUDY", "-q", "--executor", '{ name = "local" }').code == 0
