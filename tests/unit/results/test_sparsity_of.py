"""A study whose sparsities are of all parameters, run once: masks, columns, notes and sentences agree."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from cli import write_study
from planning import END
from prunectl.api.results import results_of, rows_of
from prunectl.api.run import complete
from prunectl.api.session import Session, open_study
from prunectl.cli.stage import mask_lines
from prunectl.report import markdown, text
from prunectl.results import summary
from prunectl.results.pairing import pair
from prunectl.results.table import Results
from prunectl.store import layout
from small import HERE, SMALL
from unit.results.rows import table

OF_ALL = SMALL.replace("sparsities = [0.0, 0.5]", 'compression = [1, 4]\nof = "all"\n[prunable]\nexclude = ["head"]')
OF_ALL = (
    OF_ALL.replace("seeds = [1]\n", "", 1)
    .replace('"all"\n', '"all"\nseeds = [1]\n')
    .replace(
        'criterion = ["magnitude", "random"]',
        'criterion = ["magnitude", { name = "synflow", statistics = "running" }]\nablation = ["none", "invert"]',
    )
)


@pytest.fixture(scope="module")
def of_all(tmp_path_factory: pytest.TempPathFactory) -> Session:
    folder = tmp_path_factory.mktemp("of-all")
    session = open_study(write_study(folder, OF_ALL), store=folder / "store")
    complete(session, HERE)
    return open_study(folder / "study.toml", store=folder / "store")


@pytest.fixture(scope="module")
def results(of_all: Session) -> Results:
    return results_of(of_all)


def test_the_compression_of_all_parameters_is_what_was_asked_for(results: Results) -> None:
    """6,138 parameters, 4,752 of them prunable: 4,604 go, which is 96.9 % of the prunable weights."""
    pruned = results.trials.filter(pl.col("sparsity") > 0)
    assert pruned.height == 4
    assert set(pruned["sparsity_of"]) == {"all"}
    assert set(pruned.select("n_params", "n_prunable", "n_nonzero").rows()) == {(6138, 4752, 6138 - round(0.75 * 6138))}
    assert pruned["sparsity"].to_list() == [0.75] * 4
    assert pruned["sparsity_actual"].to_list() == pytest.approx([0.75] * 4, abs=1e-4)
    assert pruned["compression_actual"].to_list() == pytest.approx([4.0] * 4, abs=2e-3)
    assert pruned["compression_error"].abs().max() < 5e-4  # type: ignore[operator]  # never null
    kept = results.layers.filter(pl.col("sparsity") > 0).group_by("arm").agg(pl.col("kept").sum(), pl.col("n").sum())
    assert set(kept.select("kept", "n").rows()) == {(4752 - round(0.75 * 6138), 4752)}


def test_the_report_gives_all_three_numbers(results: Results) -> None:
    (sentence,) = (each for each in summary.sentences(results.trials) if each.startswith("Sparsity and compression"))
    assert sentence == (
        "Sparsity and compression are of all 6,138 parameters, of which 4,752 may be pruned: at compression 4 a "
        "network keeps 24.99 % of all parameters and 3.11 % of the prunable weights."
    )


def test_synflow_inverted_in_rounds_is_noted_with_its_masks_and_in_every_report(
    of_all: Session, results: Results
) -> None:
    (remark,) = summary.remarks(results.trials, results.arms)
    assert remark.startswith("SynFlow inverted in rounds has no meaning")
    assert remark.endswith("(synflow · at init · invert).")
    assert markdown.escaped(remark) in markdown.report(results, "mean")
    assert "SynFlow inverted in rounds has no meaning" in text.table(results, 100)
    notes = {}
    for trial in of_all.plan.trials:
        if trial.plain_mask is not None:
            info = json.loads(of_all.store.read(trial.plain_mask, layout.INFO))
            notes[trial.arm.label] = "remark" in info
    assert notes == {label: label == "synflow · at init · invert" for label in notes} and len(notes) == 4


def test_a_stage_shows_what_its_sparsities_are_of(of_all: Session) -> None:
    rows = rows_of(of_all, "prune")
    assert {row["sparsity_of"] for row in rows} == {"all"}
    assert [row["sparsity_actual"] for row in rows] == pytest.approx([0.75] * 4, abs=1e-4)
    lines = ["\n".join(mask_lines(row)) for row in rows]
    assert all("asked 75.0000 % of all parameters, achieved 75.00" in line for line in lines)
    assert sum("note: SynFlow inverted" in line for line in lines) == 1


def test_trials_on_two_axes_are_no_pairs_but_dense_networks_are() -> None:
    """A table without the column is of the prunable weights."""
    usual = table(END, sweep={"sparsities": [0.0, 0.5], "seeds": [1]})
    other, none = (usual.with_columns(sparsity_of=pl.lit(of, pl.String)) for of in ("all", "prunable"))
    assert pair(usual, other).frame["sparsity"].to_list() == [0.0]
    assert pair(usual, none).frame["sparsity"].to_list() == [0.0, 0.5]
    assert pair(usual.drop("sparsity_of"), none).frame["sparsity"].to_list() == [0.0, 0.5]
    assert "_of" not in pair(usual, other).unpaired.columns


def test_one_shot_synflow_and_synflow_as_it_is_have_no_note(tmp_path: Path) -> None:
    study = SMALL.replace('["magnitude", "random"]', '"synflow"\nrounds = "one-shot"\nablation = ["none", "invert"]')
    session = open_study(write_study(tmp_path, study), store=tmp_path / "store")
    assert [placed.arm.remark for placed in session.plan.arms.values()] == [None, None]
