"""The figures at the head of a report."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

import made_up
from prunectl.report.tiles import Answer, best_rows, of_results
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


def answered(trials: pl.DataFrame) -> Answer:
    _, answer = of_results(replace(made_up.results(seeds=3, epochs=1), trials=trials, arms={}), [])
    return answer


def test_the_best_of_arms_that_all_guess_is_none() -> None:
    answer = answered(small.guessing("magnitude", "snip"))
    assert ("best at 90 %", "no arm above chance", "none is better than guessing") in answer.lines
    assert [row[1:] for row in answer.rows][1] == ("no arm above chance", "10.20ᶜ", "−79.80", "–", "–", "")
    assert answer.rows[0][1] == "magnitude" and answer.chance.startswith("ᶜ at chance")
    assert any(text.startswith("At chance with every seed (top-1") for text in answer.notes)


def test_the_next_arm_is_marked_if_it_guesses() -> None:
    answer = answered(small.guessing("magnitude"))
    assert answer.rows[1][1] == "snip" and answer.rows[1][4:6] == ("magnitude", "10.20ᶜ")
    assert answered(small.swept()).chance == ""


def test_a_best_arm_that_guesses_while_another_does_not_is_called_so() -> None:
    """The mean of the other is lower: only one of its seeds is above chance."""
    snip, at = pl.col("criterion") == "snip", pl.col("sparsity") == 0.9
    low = pl.when(pl.col("seed") == 1).then(0.11).otherwise(0.08)
    trials = small.guessing("magnitude").with_columns(top1=pl.when(snip & at).then(low).otherwise("top1"))
    answer = answered(trials)
    assert answer.rows[1][1:3] == ("magnitude (at chance)", "10.20ᶜ")
    assert answer.lines[2].note.startswith("magnitude (at chance), ")


def test_a_study_in_which_every_network_guesses_begins_with_that() -> None:
    answer = answered(small.swept().with_columns(top1=0.1, top1_dense=pl.lit(0.1)))
    assert answer.dense[0].note.endswith("at chance")
    assert answer.dense[1] == ("pruned", "at chance", "no arm is better than guessing at any sparsity")
    assert ("within 1 point of dense", "not judged", "the dense network is at chance") in answer.others
