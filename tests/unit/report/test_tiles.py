"""The figures at the head of a report."""

from __future__ import annotations

import polars as pl

import made_up
from prunectl.report.tiles import best_rows, of_results
from prunectl.results.claims import verdicts
from prunectl.results.ranking import best
from unit.report import small


def test_the_answer_is_in_a_few_figures() -> None:
    results = made_up.results(seeds=3, failed=0, epochs=2)
    _, answer = of_results(results, verdicts(results))
    found = {name: (figure, note) for name, figure, note in answer.tiles}
    assert found["dense, top-1"][0] == "93.57 %"
    figure, note = found["best at 98 %"]
    assert figure == "91.67 %" and note == "magnitude (at end · finetune), −1.90 points to dense"
    furthest, arm = found["within 1 point of dense"]
    assert furthest == "up to 60 %" and "shuffle" not in arm, "an ablated network is no answer"
    assert found["inverting, on average"][1].endswith("16 cases: 11 worse, 0 better")
    assert found["claims"] == ("✓ 1  ✗ 1  ? 1", "supported, refuted, not settled")


def test_what_figures_show_is_in_no_note() -> None:
    results = made_up.results(seeds=3, failed=0, epochs=2)
    notes = " ".join(of_results(results, verdicts(results))[1].notes)
    for shown in ("is best", "on average", "Within 1 point", "Dense vgg16"):
        assert shown not in notes
    assert notes.count("bootstrap interval") == 1


def test_the_best_arm_of_every_sparsity_has_a_row() -> None:
    results = made_up.results(seeds=2, failed=0, epochs=2)
    rows = best_rows(list(best(results.trials, most=12)))
    assert [row[0] for row in rows] == ["30 %", "60 %", "90 %", "98 %"]
    assert {row[6] for row in rows} == {""}, "two seeds: no interval"
    assert all(row[3][0] in "+−" for row in rows), "the distance to the dense network"


def test_an_arm_that_is_best_in_several_places_is_named_once() -> None:
    trials = small.swept(sparsities=(0.0, 0.3, 0.5, 0.9))
    results = made_up.results(seeds=3, epochs=2)
    object.__setattr__(results, "trials", trials)
    _, answer = of_results(results, [])
    lines = [line for line in answer.lines if line.name.startswith("best at")]
    assert [line.name for line in lines] == ["best at 30 → 90 %"]
    assert lines[0].figure == "87.20 → 81.20 %" and lines[0].note.startswith("magnitude, −2.80 → −8.80 points")
    assert [row[1] for row in answer.rows] == ["magnitude"] * 3, "readers sort the table, so each row has its arm"


def test_names_leave_out_what_all_arms_share() -> None:
    text = made_up.STUDY.split("[[prune]]")[0]
    text += '[[prune]]\ncriterion = "magnitude"\nat = "end"\nretrain = ["finetune", "lr-rewind"]\n'
    results = made_up.results(text, seeds=3, failed=0, epochs=2)
    _, answer = of_results(results, [])
    assert answer.shared == ("All arms are magnitude · at end; their short names leave that out.",)
    assert {row.arm for row in answer.best} <= {"finetune", "lr-rewind"}


def test_a_study_that_matches_nowhere_says_so() -> None:
    results = made_up.results(seeds=3, epochs=2)
    lost = small.swept().with_columns(top1=pl.when(pl.col("sparsity") > 0).then(0.5).otherwise("top1"))
    object.__setattr__(results, "trials", lost)
    _, answer = of_results(results, [])
    assert ("within 1 point of dense", "at no sparsity", "") in answer.tiles


def test_a_study_of_one_arm_has_no_best() -> None:
    text = made_up.STUDY.split("[[prune]]")[0] + '[[prune]]\ncriterion = "snip"\n'
    results = made_up.results(text, seeds=3, failed=0, epochs=2)
    assert list(best(results.trials)) == []
    assert of_results(results, [])[1].tiles[0].name == "dense, top-1"
