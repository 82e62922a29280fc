"""Published numbers on the page of a study, with ours next to them."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

import made_up
from prunectl.report import page, published_tables
from prunectl.results.table import Results


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """A study that names a table with one number about an arm of it, and a table about nothing of it."""
    made = made_up.results(epochs=4)
    row = made.trials.filter(made.trials["sparsity"] > 0).row(0, named=True)
    folder: Path = tmp_path_factory.mktemp("published")
    columns = ("model", "dataset", "criterion", "ablation", "sparsity")
    cells = ",".join(f'"{row[name]}"' if isinstance(row[name], str) else str(row[name]) for name in columns)
    (folder / "theirs.csv").write_text(f"{','.join(columns)},top1\n{cells},0.5\n")
    (folder / "else.csv").write_text(f"{','.join(columns)},top1\nother,other,snip,none,0.5,0.5\n")
    tables = tuple(f"file:{folder / name}" for name in ("theirs.csv", "else.csv"))
    named = made.study.published.model_copy(update={"tables": tables})
    return replace(made, study=made.study.model_copy(update={"published": named}))


def test_a_table_has_ours_next_to_theirs_with_the_difference(results: Results) -> None:
    first, other = published_tables.of_study(results)
    assert first["heads"][1:4] == ("published %", "ours %", "difference")
    (numbers,) = [row["numbers"] for row in first["rows"]]
    published, ours, difference = (float(text.replace("−", "-")) for text in numbers[1:4])
    assert published == 50 and ours - published == pytest.approx(difference, abs=0.011)
    assert other["rows"] == []


def test_every_study_that_names_tables_has_them_on_its_page(results: Results) -> None:
    html = page.build(results, [])
    assert "Published numbers: theirs.csv" in html and "Published numbers: else.csv" in html
    assert re.findall(r'id="published-table-1">.*?</table>', html, re.DOTALL)[0].count("<tr>") == 2
    assert "Of theirs.csv 1 number" in html
    assert "None of its numbers is about an arm, a network and a data set of this study." in html


def test_a_study_without_published_tables_or_without_trials_has_none(results: Results) -> None:
    assert published_tables.of_study(made_up.results(epochs=4)) == []
    assert published_tables.of_study(replace(results, trials=results.trials.clear())) == []
