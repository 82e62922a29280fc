"""The report as Markdown."""

from __future__ import annotations

import re
from dataclasses import replace

import polars as pl
import pytest

import made_up
from prunectl.report import markdown
from prunectl.results.table import SCHEMA, Results
from prunectl.study.selection import Selection


@pytest.fixture(scope="module")
def results() -> Results:
    return made_up.results(seeds=3, epochs=1)


@pytest.fixture(scope="module")
def text(results: Results) -> str:
    return markdown.report(results, "mean")


def test_it_has_every_section_in_order(text: str) -> None:
    heads = [line for line in text.splitlines() if line.startswith("#")]
    assert heads == [
        "# VGG-16 pruned at initialization", "## Claims", "## Top-1 accuracy, %", "## Resources", "## Versions",
    ]  # fmt: skip
    assert "Frankle et al. (2021)" in text.split("\n\n")[1]
    assert text.endswith("hardware Tesla T4, 2 cores\n")


def test_claims_are_items_with_answer_and_reason(text: str) -> None:
    items = [line for line in text.splitlines() if line.startswith("- **")]
    assert len(items) == 3
    assert items[2].startswith("- **refuted**: Inverting does no harm. ")
    claims = text.partition("## Claims\n\n")[2]
    assert claims.startswith("Supported: in every case (an arm at a sparsity) the 95 % t-interval")
    assert "with 3 seeds it holds the true mean in 61 % of studies" in text.partition("## Top-1")[2]


def test_every_row_of_a_table_has_as_many_cells_as_its_head(text: str) -> None:
    tables = [block.splitlines() for block in text.split("\n\n") if block.startswith("| ")]
    assert [len(table) for table in tables] == [2 + 4, 2 + 18, 2 + 12]
    for table in tables:
        assert len({re.sub(r"\\\|", "", line).count("|") for line in table}) == 1
        assert set(table[1]) == set("|- :")


def test_the_best_arm_comes_first_in_bold(text: str) -> None:
    table = text.partition("## Top-1 accuracy, %")[2].strip().splitlines()
    assert table[0] == "| arm | 30 % | 60 % | 90 % | 98 % | matching |"
    assert table[2].count("**") >= 2
    assert all("**" not in line for line in table[12:20])


def test_names_are_read_as_they_are(results: Results) -> None:
    study = results.study.model_copy(update={"title": "<script>|*x*_y_`z`\\input{/etc/passwd}$%&#^~"})
    hostile = markdown.report(replace(results, study=study), "mean")
    assert "# \\<script\\>\\|\\*x\\*\\_y\\_\\`z\\`\\\\input{/etc/passwd}" in hostile
    assert markdown.escaped("a\nb\u202e") == r"a\\nb\\u202e"


def test_arms_are_read_as_they_are(results: Results) -> None:
    named = results.trials.with_columns(arm=pl.concat_str(pl.lit("a|b "), "arm"))
    assert "| a\\|b random · at init | " in markdown.report(replace(results, trials=named), "mean")


def test_a_study_without_title_claims_or_trials_has_a_report(results: Results) -> None:
    study = results.study.model_copy(update={"title": "", "source": "", "claim": ()})
    empty = replace(results, study=study, trials=pl.DataFrame(schema=SCHEMA), resources=results.resources.clear())
    text = markdown.report(empty, "mean")
    assert text.startswith("# made-up\n\n- The study asks for no trial.\n\n## Resources\n\n## Versions\n")
    assert "Claims" not in text and "|" not in text


def test_one_seed_has_no_interval() -> None:
    single = markdown.report(made_up.results(seeds=1, epochs=1), "mean").partition("## Top-1")[2].splitlines()
    assert "(" not in single[5]


def test_it_shows_what_it_is_restricted_to(results: Results, text: str) -> None:
    part = replace(
        results, selection=Selection(profile="quick", overrides=("train.lr=[1]",)), overridden=[("model", "name")]
    )
    shown = markdown.report(part, "mean")
    assert "\n\nRun with --profile quick --set 'train.lr=\\[1\\]'.\n\n" in shown
    assert shown.startswith("# vgg16 on cifar10: the quick profile of “VGG-16 pruned at initialization”\n")
    assert "Run with" not in text


def test_the_answer_comes_first(text: str) -> None:
    head = text.partition("## Claims")[0]
    assert "\n\n268 of 270 trials are done, with 3 seeds (2 failed).\n\n" in head
    assert "- dense, top-1: **93.57 %** (93.50 to 93.64)\n- within 1 point of dense: **up to 60 %**" in head
    assert "| sparsity | best unmodified arm | top-1, % | to dense, points |" in head
    assert head.index("best unmodified arm") < head.index("Every mask") < head.index("bootstrap interval of the mean")


def test_published_numbers_are_tables(results: Results) -> None:
    named = results.study.published.model_copy(update={"tables": ("comp6258-figure1",)})
    study = results.study.model_copy(update={"published": named})
    shown = markdown.report(replace(results, study=study), "mean")
    part = shown.partition("## Published numbers: VGG-16 on CIFAR-10")[2]
    assert "\n\ncomp6258-figure1: Vijayakumar" in part
    assert "| arm | sparsity | published % | ours % | difference | 95 % t-interval | seeds | holds it |" in part
    assert "| magnitude · at init | 30 % | " in part


def test_why_trials_failed_follows_the_table(text: str) -> None:
    grid, _, after = text.partition("## Top-1 accuracy, %")[2].partition("## Resources")[0].partition("\n\n- ")
    assert grid and after.startswith("2 trials failed: the loss is not finite at step 12")
