"""`prunectl run`: the table, the files, the exit code."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from cli import write_study
from prunectl.api.run import Completed
from prunectl.api.session import Session, open_study
from prunectl.base.errors import PrunectlError
from prunectl.execute.driver import Tally
from prunectl.plan.steps import Key
from small import SMALL

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


def test_a_baseline_that_failed_ends_the_command_with_1_though_every_row_is_done(
    prunectl: Prunectl, own: Session
) -> None:
    part = open_study(own.path, only="sparsity=0.5", store=own.store.root)
    baseline = part.plan.trials[0].baseline
    for key in (part.plan.trials[0].baseline_measure, baseline):
        own.store.delete(key)
    own.store.record_failure(baseline, "method", "the loss is not finite", "")
    said = prunectl("run", own.path, "--only", "sparsity=0.5", "--json", "--store", own.store.root)
    assert said.code == 1
    assert [(trial["status"], trial["reason"]) for trial in said.json()["trials"]] == [
        ("done", "the dense baseline failed: the loss is not finite")
    ] * 2
    assert said.json()["steps"]["failed"] == 1 and said.json()["steps"]["skipped"] == 1


def test_another_study_of_the_same_name_does_not_overwrite_results(prunectl: Prunectl, own: Session) -> None:
    prunectl("run", "STUDY", "--quiet")
    table = Path("results/small/table.csv").read_bytes()
    own.path.write_text("# another\n" + own.path.read_text())
    said = prunectl("run", own.path, "--store", own.store.root)
    assert said.code == 0, said.err
    assert "it is left as it is, and results go to results/small-2" in said.err
    assert Path("results/small/table.csv").read_bytes() == table
    assert Path("results/small-2/table.csv").exists()


def test_the_table_and_the_page_show_what_they_are_restricted_to(prunectl: Prunectl) -> None:
    said = prunectl("run", "STUDY", "--only", "criterion=random")
    assert said.out.splitlines()[1] == "Run with --only criterion=random"
    assert "--only criterion=random" in Path("results/small+criterion=random/report.html").read_text()


@pytest.mark.parametrize("command", ["run", "plan", "train", "export"])
def test_without_a_study_those_at_hand_are_listed(command: str, prunectl: Prunectl, tmp_path: Path) -> None:
    write_study(tmp_path, SMALL, "mine.toml")
    said = prunectl(command)
    assert said.code == 2
    assert said.err.startswith("error: no study is named\n  studies here:\n    mine.toml\n")


def test_a_moment_that_cannot_be_used_is_refused_before_anything_else(prunectl: Prunectl) -> None:
    ran = prunectl("run", "nowhere.toml", "--until", "2 hours")
    assert ran.code == 2 and "--until '2 hours' cannot be used" in ran.err and "did you mean 2h?" in ran.err


def test_a_run_that_leaves_the_rest_to_others_prints_why_there_is_no_table(
    prunectl: Prunectl, monkeypatch: pytest.MonkeyPatch
) -> None:
    def left(*given: object, **more: object) -> Tally:
        return Tally(done={Key("a")}, left={Key("b"), Key("c")})

    monkeypatch.setattr("prunectl.api.make.make", left)
    for command in ("run", "retrain"):
        ran = prunectl(command, "STUDY", "--share", "--json")
        assert (ran.code, ran.json()["steps"]["left to others"]) == (0, 2)
        assert "nothing is left that this run could do: other runs make the last 2 steps of small" in ran.err


def test_a_folder_that_cannot_be_written_is_reported_before_any_work(
    prunectl: Prunectl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr("prunectl.api.run.complete", lambda *arguments, **more: pytest.fail("work was begun"))
    ran = prunectl("run", "STUDY", "--output", "file/results")
    assert ran.code == 2
    assert ran.err.startswith("error: file/results cannot be written: Not a directory")
    assert "--output DIR" in ran.err


def test_the_table_is_printed_although_the_disk_is_full_by_then(
    prunectl: Prunectl, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object, **more: object) -> None:
        raise PrunectlError("results/small cannot be written: No space left on device")

    monkeypatch.setattr("prunectl.api.output.save", full)
    ran = prunectl("run", "STUDY")
    assert ran.code == 2
    assert "magnitude" in ran.out
    assert "No space left" in ran.err


def test_a_tracker_that_is_missing_is_reported_before_anything_is_imported_ahead(
    prunectl: Prunectl, monkeypatch: pytest.MonkeyPatch
) -> None:
    imported: list[object] = []
    monkeypatch.setattr("prunectl.cli.run.import_ahead", imported.append)
    monkeypatch.setattr("prunectl.api.track.find_spec", lambda name: None)
    ran = prunectl("run", "STUDY", "--track", "wandb")
    assert ran.code == 2 and "needs the package wandb" in ran.err
    assert not imported
