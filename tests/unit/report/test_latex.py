"""The table for papers."""

from __future__ import annotations

import re
from dataclasses import replace

import polars as pl
import pytest

import made_up
from prunectl.report import latex
from prunectl.results.table import SCHEMA, Results
from prunectl.study.selection import Selection


@pytest.fixture(scope="module")
def results() -> Results:
    return made_up.results(seeds=3, epochs=1)


def body(text: str) -> list[str]:
    lines = text.splitlines()
    return lines[lines.index(r"\midrule") + 1 : lines.index(r"\bottomrule")]


def test_it_is_a_booktabs_table_with_a_row_per_arm(results: Results) -> None:
    rows = body(latex.table(results, "mean"))
    assert len(rows) == 18
    assert all(row.endswith(r"\\") and row.count("&") == 5 for row in rows)


def test_the_highest_of_each_column_is_bold(results: Results) -> None:
    assert sum(row.count(r"\textbf") for row in body(latex.table(results, "mean"))) == 4


def test_its_caption_names_title_seeds_interval_and_baseline(results: Results) -> None:
    caption = next(line for line in latex.table(results, "median").splitlines() if line.startswith(r"\caption"))
    assert caption.startswith(r"\caption{VGG-16 pruned at initialization: top-1 accuracy in percent by sparsity, ")
    interval = r"80 \% bootstrap interval of the median (with 3 seeds it holds the true median in 75 \% of studies)"
    assert f"median over 3 seeds, with the {interval}." in caption
    assert re.search(r"Dense: 93\.\d\d \(93\.\d\d to 93\.\d\d\)\. Matching: the highest sparsity", caption)


def test_one_seed_has_no_interval() -> None:
    text = latex.table(made_up.results(seeds=1, epochs=1), "mean")
    assert "one seed." in text and "bootstrap" not in text and r"\scriptsize" not in text


def test_two_seeds_have_no_interval() -> None:
    text = latex.table(made_up.results(seeds=2, epochs=1), "mean")
    assert "mean over 2 seeds." in text and "bootstrap" not in text and r"\scriptsize" not in text


def test_it_can_be_referred_to_and_has_the_matching_sparsities(results: Results) -> None:
    text = latex.table(results, "mean")
    assert r"\label{tab:made-up}" in text
    heads = text.splitlines()[text.splitlines().index(r"\toprule") + 1]
    assert heads.endswith(r"98 \% & matching \\")
    rows = body(text)
    assert any(row.endswith(r"(30 \% to 60 \%) \\") for row in rows), "the estimate with its bounds"
    assert re.search(r"scriptsize \d\d\.\d\d--\d\d\.\d\d", rows[0]), "intervals take little room"


def test_every_opened_brace_is_closed(results: Results) -> None:
    text = latex.table(results, "mean")
    assert text.count("{") == text.count("}")
    assert [text.count(rf"\{word}{{{name}}}") for name in ("table", "tabular") for word in ("begin", "end")] == [1] * 4


def test_names_are_printed_as_they_are(results: Results) -> None:
    study = results.study.model_copy(update={"title": "\\input{/etc/passwd}$%&#^~<>"})
    text = latex.table(replace(results, study=study), "mean")
    assert r"\textbackslash{}input\{/etc/passwd\}\$\%\&\#\textasciicircum{}\textasciitilde{}" in text
    assert r"\textless{}\textgreater{}" in text


def test_signs_of_the_tables_have_their_command() -> None:
    assert latex.escaped("−1 × 2 · 3 – 4") == r"$-$1 $\times$ 2 $\cdot$ 3 -- 4"
    assert latex.escaped("≥ 1 … ≤ 2 ± 3 ²") == r"$\geq$ 1 \ldots{} $\leq$ 2 $\pm$ 3 $^2$"
    assert latex.escaped("\u202e ✓") == r"\textbackslash{}u202e \textbackslash{}u2713"


def test_plain_pdflatex_knows_every_character(results: Results) -> None:
    study = results.study.model_copy(update={"title": "Kőrös ≥ β ✓ 剪枝"})
    text = latex.table(replace(results, study=study), "median")
    assert {char for char in text if not char.isascii()} == {"ő", "ö"}, "letters with accents are known"


def test_an_empty_study_has_an_empty_table(results: Results) -> None:
    empty = latex.table(replace(results, trials=pl.DataFrame(schema=SCHEMA)), "mean")
    assert body(empty) == []
    assert r"\begin{tabular}{l}" in empty


def test_a_comment_shows_what_it_is_restricted_to(results: Results) -> None:
    part = replace(results, selection=Selection(overrides=("train.epochs=2",)))
    assert latex.table(part, "mean").splitlines()[1] == "% run with --set train.epochs=2"


def test_the_caption_of_a_profile_names_what_was_run(results: Results) -> None:
    part = replace(results, selection=Selection(profile="quick"), overridden=[("model", "name")])
    caption = "vgg16 on cifar10: the quick profile of ``VGG-16 pruned at initialization'': top-1 accuracy"
    assert rf"\caption{{{caption}" in latex.table(part, "mean")


def test_why_trials_failed_stands_below_the_table(results: Results) -> None:
    failed = pl.when(pl.col("status") == "failed").then(pl.lit("score_it & 50 %")).otherwise(pl.col("reason"))
    table = latex.table(replace(results, trials=results.trials.with_columns(reason=failed)), "mean")
    below = table.partition(r"\end{tabular}")[2].partition(r"\end{table}")[0]
    assert r"{\footnotesize 2 trials failed: score\_it \& 50 \%.\par}" in below
    done = replace(results, trials=results.trials.filter(pl.col("status") == "done").with_columns(top1=0.9))
    assert "footnotesize" not in latex.table(done, "mean")
