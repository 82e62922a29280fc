"""The results of a study as one JSON document: its trials, verdicts, summary, and what is missing.

`document_schema.py` describes it. A field may be added within a version; one that changes or goes makes a new version.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import polars as pl

from prunectl.base.text import finite
from prunectl.results import granting, judgement, matching_words, summary
from prunectl.results.aggregate import ablation_differences, baselines, given_names, roles, summarise
from prunectl.results.chance import all_guess
from prunectl.results.claims import verdicts
from prunectl.results.matched import Matching, of_arms
from prunectl.results.pairing import groups
from prunectl.results.ranking import best
from prunectl.results.statistics import bootstrap, mean
from prunectl.results.table import Results, Task

FORMAT = "prunectl-report"
VERSION = 1
NUMBERS = ("n", "mean", "median", "sd", "low", "high", "interval", "seeds")
"""What is known of a number over the seeds; `low` and `high` are null with fewer than three."""

GUESS = ("at_chance", "unmodified_at_chance")
"""Whether the ablated networks, and those that they are compared with, are no better than guessing."""


def document(results: Results) -> dict[str, Any]:
    """Everything in plain values. Accuracies and differences are fractions, not percent."""
    study, trials = results.study, results.trials
    judged = verdicts(results)
    return {
        "format": FORMAT,
        "version": VERSION,
        "study": {
            "name": study.name,
            "title": study.title,
            "headline": results.headline,
            "source": study.source,
            "text": results.study_text,
        },
        "selection": results.selection.text,
        "versions": dict(results.versions),
        "made_on": {of.label: count for of, count in results.made_on.items()},
        "counts": {
            status: trials.filter(pl.col("status") == status).height for status in ("done", "failed", "missing")
        },
        "seeds": granting.seeds_by_arm(trials),
        "summary": {
            "sentences": [
                *summary.sentences(trials, names=given_names(results.arms), task=results.task),
                *matching_words.sentences(results),
                *granting.sentences(study, trials, judged),
                *summary.remarks(trials, results.arms),
                *([results.mixture] if results.mixture else []),
            ],
            "dense": list(_dense(trials, results.task)),
            "arms": list(_cells(trials, results.task)),
            "best": list(_best(trials, results.task)),
            "ablations": list(_ablations(trials, results.task)),
            "matching": [
                {"arm": arm, **_matching(found)}
                for arm, found in of_arms(trials, study.report.matching_margin, results.task).items()
                if found.known
            ],
        },
        "claims": [verdict.to_dict() | {"artefacts": list(verdict.artefacts)} for verdict in judged],
        "judged": {
            "criterion": study.report.judged,
            "findings": [asdict(finding) for finding in judgement.findings(results)],
        },
        "missing": trials.filter(pl.col("status") != "done")
        .select("arm", "sparsity", "seed", "status", "reason")
        .to_dicts(),
        "trials": trials.to_dicts(),
    }


def to_json(results: Results) -> str:
    """The document as text, with a trial in each line. A number that JSON cannot hold is "inf", "-inf" or "nan"."""
    plain = finite(document(results), str)
    trials = plain.pop("trials")
    head = json.dumps(plain, indent=1, ensure_ascii=False, allow_nan=False).removesuffix("\n}")
    rows = ",\n  ".join(json.dumps(row, ensure_ascii=False, allow_nan=False) for row in trials)
    return f'{head},\n "trials": [\n  {rows}\n ]\n}}\n'


def _dense(trials: pl.DataFrame, task: Task) -> Iterator[dict[str, Any]]:
    """The dense networks, by network, data set and initialization."""
    for (model, dataset, init), rows in groups(baselines(trials), ["model", "dataset", "init"]):
        numbers = rows["top1_dense"].to_list()
        interval = bootstrap(numbers)
        yield {
            "model": model,
            "dataset": dataset,
            "init": init,
            "n": len(numbers),
            "mean": mean(numbers),
            "low": interval.low if interval else None,
            "high": interval.high if interval else None,
            "interval": interval.kind if interval else None,
            "seeds": numbers,
            "at_chance": all_guess(rows, task, "top1_dense"),
        }


def _cells(trials: pl.DataFrame, task: Task) -> Iterator[dict[str, Any]]:
    """Top-1 of each arm at each sparsity."""
    for row in summarise(trials, role=roles(trials), task=task).iter_rows(named=True):
        yield {name: row[name] for name in ("arm", "ablation", "sparsity", *NUMBERS, "at_chance", "dense")}


def _best(trials: pl.DataFrame, task: Task) -> Iterator[dict[str, Any]]:
    """The best unmodified arm at each sparsity."""
    if trials.height:
        yield from (asdict(row) for row in best(trials, most=trials.height, task=task))


def _ablations(trials: pl.DataFrame, task: Task) -> Iterator[dict[str, Any]]:
    """Ablated minus unmodified top-1, paired by seed."""
    for row in ablation_differences(trials, roles(trials), task).iter_rows(named=True):
        yield {name: row[name] for name in ("arm", "ablation", "sparsity", *NUMBERS, *GUESS)}


def _matching(found: Matching) -> dict[str, Any]:
    """Sparsities up to which an arm matches the dense network; null: not even at the lowest of the sweep."""
    places = asdict(found.reach)
    of = places.pop("of")

    def sparsity(count: int) -> float | None:
        return found.sparsities[count - 1] if count else None

    return {
        **{name: sparsity(count) for name, count in places.items()},
        "beyond_the_sweep": found.reach.estimate == of,
        "n": found.seeds,
    }
