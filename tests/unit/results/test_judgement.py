"""What the trials answer about a criterion that is judged."""

from __future__ import annotations

import json
from dataclasses import replace
from statistics import quantiles
from typing import Any

import jsonschema
import polars as pl
import pytest

from made_up import STUDY, TOTAL, results
from prunectl.report import several_page
from prunectl.report.formats import render
from prunectl.results import judgement
from prunectl.results.document_schema import schema as document_schema
from prunectl.results.judgement import findings
from prunectl.results.published.load import schema
from prunectl.results.table import SCHEMA, Results

JUDGED = STUDY.replace("[[claim]]", '[report]\njudged = "snip"\n\n[[claim]]', 1)


def made(**columns: Any) -> Results:
    """Made-up results of snip, judged, with columns that hold the same in every trial."""
    found = results(JUDGED, failed=0)
    known = {"sparsity_of": "prunable", "n_prunable": TOTAL, "n_tied": 1} | columns
    trials = found.trials.with_columns(pl.lit(value, SCHEMA[name]).alias(name) for name, value in known.items())
    return replace(found, trials=trials)


def answers(found: Results) -> dict[str, str]:
    return {finding.question: finding.answer for finding in findings(found)}


def evidence(found: Results, question: str) -> str:
    return next(finding.evidence for finding in findings(found) if finding.question.startswith(question))


def test_a_study_that_judges_nothing_has_no_findings() -> None:
    assert findings(results(failed=0)) == ()


def test_masks_that_are_exact_to_the_weight_are_called_so() -> None:
    question = "Do its masks have the sparsity asked for?"
    assert answers(made())[question] == "yes"
    off = made()
    off = replace(off, trials=off.trials.with_columns(pl.col("sparsity_actual") - 3.0 / TOTAL))
    assert answers(off)[question] == "no"


@pytest.mark.parametrize(("tied", "answer"), [(1, "yes"), (TOTAL // 1000, "yes"), (TOTAL // 100, "no")])
def test_ties_at_the_cut_count_from_a_thousandth_of_the_weights_on(tied: int, answer: str) -> None:
    assert answers(made(n_tied=tied))["Do its scores distinguish weights?"] == answer


def test_a_layer_that_is_empty_is_found_with_its_lowest_sparsity() -> None:
    found = made()
    empty = pl.when((pl.col("criterion") == "snip") & (pl.col("sparsity") >= 0.9)).then(pl.lit(["fc"]))
    found = replace(
        found, trials=found.trials.with_columns(layers_collapsed=empty.otherwise(pl.lit([], pl.List(pl.String))))
    )
    assert answers(found)["Does every layer keep weights?"] == "no"
    assert evidence(found, "Does every layer").endswith("from 90 % sparsity on")


def test_the_place_by_critical_compression_is_that_of_its_median() -> None:
    found = made(max_compression=1e6)
    reached = {"random": 100.0, "magnitude": 300.0, "snip": 200.0, "synflow": 1e5}
    found = replace(
        found, trials=found.trials.with_columns(critical_compression=pl.col("criterion").replace_strict(reached))
    )
    question = "Up to which compression does no layer collapse?"
    assert answers(found)[question] == "200 (3rd of 4)"
    alone = replace(found, trials=found.trials.filter(pl.col("criterion").is_in(["snip", "none"])))
    assert answers(alone)[question] == "200"


@pytest.mark.parametrize(
    ("number", "place"), [(1, "1st"), (3, "3rd"), (4, "4th"), (11, "11th"), (13, "13th"), (21, "21st"), (112, "112th")]
)
def test_a_place_is_written_as_one_reads_it(number: int, place: str) -> None:
    assert judgement._place(number) == place


def test_an_ablation_hurts_where_the_interval_of_the_difference_lies_below_nothing() -> None:
    found = made()
    snip = pl.col("criterion") == "snip"
    at = pl.col("sparsity")
    plain = 0.9 + pl.col("seed") * 0.001
    change = pl.when(at == 0.9).then(-0.1).when(at == 0.98).then(0.1).otherwise(0.0)
    worse = plain + change + (pl.col("seed") % 2) * 0.0005 - 0.00025
    top1 = pl.when(snip & (pl.col("ablation") == "shuffle")).then(worse).when(snip).then(plain).otherwise("top1")
    found = replace(found, trials=found.trials.with_columns(top1=top1))
    assert answers(found)["Is it worse shuffled?"] == "at 90 %; better at 98 %"
    assert "90 %: −" in evidence(found, "Is it worse shuffled?")
    only = replace(found, trials=found.trials.filter(pl.col("sparsity") != 0.9))
    assert answers(only)["Is it worse shuffled?"] == "no, better at 98 %"


def test_rank_and_what_it_is_set_apart_from_follow_the_seeds() -> None:
    found = made()
    level = {"random": 0.5, "magnitude": 0.8, "snip": 0.8, "synflow": 0.9}
    wobble = pl.when(pl.col("criterion") == "snip").then((pl.col("seed") % 2) * 0.002).otherwise(0.0)
    top1 = pl.col("criterion").replace_strict(level, return_dtype=pl.Float64) + pl.col("seed") * 0.001 + wobble - 0.0005
    found = replace(found, trials=found.trials.with_columns(top1=top1))
    question = "How good is it at 98 % sparsity, pruned at init?"
    assert answers(found)[question] == "2nd of 4"
    seen = evidence(found, question)
    assert "better than random" in seen
    assert "worse than synflow" in seen
    assert "not set apart from magnitude" in seen


AT_98 = "How good is it at 98 % sparsity, pruned at init?"


def ranked(**level: float) -> Results:
    """Results of criteria with these accuracies, a thousandth apart from seed to seed."""
    found = made()
    top1 = pl.col("criterion").replace_strict(level, return_dtype=pl.Float64) + pl.col("seed") * 0.001
    return replace(found, trials=found.trials.with_columns(top1=top1))


def test_a_rank_shows_who_is_at_chance() -> None:
    """Of 10,000 images in ten classes guessing gets up to 10.78 % right."""
    last = ranked(random=0.102, magnitude=0.8, snip=0.1, synflow=0.9)
    assert answers(last)[AT_98] == "4th of 4, at chance"
    seen = evidence(last, AT_98)
    assert seen.startswith("10.30 % (at chance); ") and "not set apart from random (at chance)" in seen
    none = ranked(random=0.102, magnitude=0.101, snip=0.1, synflow=0.1)
    assert answers(none)[AT_98] == "none of 4 is above chance"
    assert "(at chance)" not in evidence(ranked(random=0.2, magnitude=0.3, snip=0.4, synflow=0.5), AT_98)


def test_an_ablation_of_networks_that_guess_is_not_found_to_hurt() -> None:
    found = made()
    shuffled = pl.col("ablation") == "shuffle"
    step = pl.when(shuffled).then(0.0011).otherwise(0.001)
    top1 = pl.when(shuffled).then(0.09).otherwise(0.1) + pl.col("seed") * step
    both = replace(found, trials=found.trials.with_columns(top1=top1))
    assert answers(both)["Is it worse shuffled?"] == "not shown"
    assert evidence(both, "Is it worse shuffled?").count(", both at chance") == 4
    good = both.trials.with_columns(top1=pl.col("top1") * pl.when(shuffled).then(1).otherwise(8))
    one = replace(both, trials=good)
    assert answers(one)["Is it worse shuffled?"] == "yes"
    assert evidence(one, "Is it worse shuffled?").count(", shuffled at chance") == 4


def test_the_cost_has_the_spread_of_its_measurements_and_each_counts_once() -> None:
    found = made()
    seconds = pl.col("seed") * 0.010 + pl.when(pl.col("criterion") == "snip").then(0.1).otherwise(0.0)
    timed = replace(found, trials=found.trials.with_columns(seconds.alias("score_s")))
    seeds = sorted(set(found.trials["seed"].to_list()))
    low, middle, high = quantiles([seed * 10 for seed in seeds], n=4, method="inclusive")
    question = "What do its scores cost?"
    assert answers(timed)[question] == f"{100 + middle:.0f} ms ({100 + low:.0f} to {100 + high:.0f})"
    assert evidence(timed, question).startswith(f"the median of {len(seeds)} measurements and their quartiles; ")
    assert f"random {middle:.0f} ms ({low:.0f} to {high:.0f})" in evidence(timed, question)
    for format in ("md", "html", "json", "latex"):
        assert f"{100 + middle:.0f} ms ({100 + low:.0f} to {100 + high:.0f})" in str(render(timed, format)), format


def test_two_measurements_have_no_quartiles() -> None:
    assert judgement._milliseconds([0.1, 0.2]) == "150 ms"


@pytest.mark.parametrize("format", ["md", "html"])
def test_reports_have_the_findings(format: str) -> None:
    text = render(made(), format)
    assert "Do its scores distinguish weights?" in text
    assert "snip, judged" in text


def test_every_format_for_people_and_programs_has_the_findings() -> None:
    found = made()
    count = len(findings(found))
    assert count > 5
    document = json.loads(render(found, "json"))
    jsonschema.validate(document, document_schema())
    assert document["judged"]["criterion"] == "snip" and len(document["judged"]["findings"]) == count
    latex = str(render(found, "latex"))
    assert r"\label{tab:made-up-judged}" in latex and latex.count(r"\bottomrule") == 2
    assert r"Does every layer keep weights? & " in latex
    assert "<h3>snip, judged</h3>" in several_page.build([found, results(failed=0)])
    assert json.loads(render(results(failed=0), "json"))["judged"] == {"criterion": "", "findings": []}


def atlas(**of: list[float]) -> pl.DataFrame:
    """An atlas of criteria at 98 %, at initialization: the top-1 of seeds 1 to 3 of each."""
    alike = {"model": "vgg16", "dataset": "cifar10", "structure": "weights", "at": "init", "retrain": "none"}
    rows = [
        {"criterion": name, "sparsity": 0.98, "top1": sum(runs) / len(runs), "runs": runs} | alike
        for name, runs in of.items()
    ]
    return pl.DataFrame([dict.fromkeys(schema()) | row for row in rows], schema=schema())


def test_its_place_in_an_atlas_is_among_rows_of_the_same_recipe(monkeypatch: pytest.MonkeyPatch) -> None:
    study = JUDGED.replace("[report]", '[published]\ntables = ["atlas-digits"]\n\n[report]', 1)
    found = results(study, failed=0)
    top1 = pl.when(pl.col("criterion") == "snip").then(0.8 + pl.col("seed") * 0.01).otherwise("top1")
    known = [pl.lit("prunable").alias("sparsity_of"), pl.lit(TOTAL, pl.Int64).alias("n_prunable")]
    found = replace(found, trials=found.trials.with_columns(*known, n_tied=pl.lit(1, pl.Int64), top1=top1))
    other = atlas(best=[0.91, 0.921, 0.932], near=[0.8, 0.84, 0.86], worst=[0.5, 0.511, 0.522], snip=[0.99, 0.99, 0.99])
    elsewhere = other.with_columns(dataset=pl.lit("mnist"), criterion=pl.lit("elsewhere"))
    monkeypatch.setattr(judgement, "load", lambda _: pl.concat([other, elsewhere]))
    question = "How good is it at 98 % sparsity, pruned at init, in atlas-digits?"
    assert [asked for asked in answers(found) if "atlas" in asked] == [question]
    assert answers(found)[question] == "3rd of 4"
    assert evidence(found, question).endswith("better than worst; worse than best; not set apart from near")
