"""The figures at the head of a page."""

from __future__ import annotations

import made_up
from prunectl.report import tables
from prunectl.report.tiles import best_rows, tiles
from prunectl.results.claims import verdicts
from prunectl.results.ranking import best


def test_the_answer_is_in_a_few_figures() -> None:
    results = made_up.results(seeds=3, failed=0, epochs=2)
    ranked = list(best(results.trials, most=12))
    found = {name: (figure, note) for name, figure, note in
             tiles(tables.grid(results.trials), ranked, verdicts(results))}  # fmt: skip
    assert found["dense, top-1"][0] == "93.57 %"
    assert found["best unmodified arm at 98 %"][1] == "magnitude (at end · finetune)"
    furthest, arm = found["matches the dense network up to"]
    assert furthest == "60 %" and "shuffle" not in arm, "an ablated network is no answer"
    assert found["claims"][1] == "1 supported, 1 refuted, 1 not settled"


def test_the_best_arm_of_every_sparsity_has_a_row() -> None:
    results = made_up.results(seeds=2, failed=0, epochs=2)
    rows = best_rows(list(best(results.trials, most=12)))
    assert [row[0] for row in rows] == ["30 %", "60 %", "90 %", "98 %"]
    assert {(row[3], row[6]) for row in rows} == {("", "")}, "two seeds: no interval"


def test_a_study_of_one_arm_has_no_best() -> None:
    text = made_up.STUDY.split("[[prune]]")[0] + '[[prune]]\ncriterion = "snip"\n'
    results = made_up.results(text, seeds=3, failed=0, epochs=2)
    assert list(best(results.trials)) == []
