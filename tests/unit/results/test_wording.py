"""Cells of the table in words: clear without the head of their column, and never TOML."""

from __future__ import annotations

import polars as pl
import pytest

from prunectl.results.wording import in_words, wording


@pytest.mark.parametrize(
    ("column", "cell", "words"),
    [
        ("criterion", "snip", "snip"),
        ("criterion", '{ name = "snip", samples_per_class = 5 }', "snip(samples_per_class=5)"),
        ("at", "{ epoch = 4 }", "epoch 4"),
        ("at", '{ step = 9, schedule = "restart" }', "step 9, schedule restart"),
        ("retrain", "none", "no retraining"),
        ("retrain", '{ name = "weight-rewind", to = { epoch = 4 } }', "weight-rewind(to=epoch 4)"),
        ("budget", "0.25", "budget 25 %"),
        ("budget", "{ epochs = 3 }", "3 epochs"),
        ("budget", "{ steps = 45 }", "45 steps"),
        ("budget", "–", "budget –"),
        ("budget", "whole", "budget whole"),  # of another program's table
        ("ablation", "none", "none"),
    ],
)
def test_a_cell_is_clear_on_its_own(column: str, cell: str, words: str) -> None:
    assert wording(column, cell) == words


def test_a_column_without_a_choice_stays_without_one() -> None:
    frame = pl.DataFrame({"budget": ["0.5", None, "1.0", "0.5"]})
    assert in_words(frame, "budget").to_list() == ["budget 50 %", None, "budget 100 %", "budget 50 %"]
    assert in_words(frame.clear(), "budget").to_list() == []
