"""From tables to charts, one function per chart. Charts without data are omitted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import polars as pl

from prunectl.report.charts import (
    ablation,
    accuracy,
    claims,
    cost,
    efficiency,
    latency,
    masks,
    moments,
    one_sparsity,
    recovery,
    remaining,
    retraining,
    training,
)
from prunectl.report.charts.chart import Chart, stacked
from prunectl.report.charts.look import Look, ordered
from prunectl.report.charts.shading import Shading
from prunectl.results.aggregate import given_names, pruned, roles, with_roles
from prunectl.results.claims import Verdict
from prunectl.results.statistics import Center
from prunectl.results.table import Results, Task

__all__ = ["Chart", "charts", "look", "stacked"]


def look(
    trials: pl.DataFrame, center: Center = "mean", names: Mapping[str, str] | None = None, task: Task | None = None
) -> Look:
    """How the arms of a study are drawn; `names` are the labels that it gives them, `task` what is measured."""
    trials = pruned(trials)
    role = roles(trials, names)
    variants = with_roles(trials, role)["variant"].unique(maintain_order=True).to_list()
    return Look.of(role, ordered(variants), center, task)


def charts(
    results: Results,
    verdicts: Sequence[Verdict] = (),
    published: pl.DataFrame | None = None,
    center: Center = "mean",
    *,
    secondary: bool = False,
) -> dict[str, list[Chart]]:
    """Every chart that has data, by the section of the report that it belongs to; accuracies as means or medians.

    `secondary`: with the charts that show what another one shows better, or on another axis; no page shows it twice.
    """
    trials = pruned(results.trials)
    if trials.is_empty():
        return {}
    drawn = look(trials, center, given_names(results.arms), results.task)
    matching = Shading.of(results)
    top5 = _informative(trials["top5"])
    at_one = one_sparsity.by_arm(trials, drawn) if published is None or published.is_empty() else None
    sections: dict[str, list[Chart | None]] = {
        "claims": [claims.intervals(verdicts)],
        "accuracy": [
            at_one,
            one_sparsity.by_arm(trials, drawn, "top5") if top5 and at_one is not None else None,
            *(
                replace(chart, secondary=chart.secondary or at_one is not None)
                for chart in (
                    accuracy.against_sparsity(trials, drawn, published, matching),
                    accuracy.against_compression(trials, drawn, published=published, matching=matching),
                    accuracy.against_compression(trials, drawn, "top5", published) if top5 else None,
                    recovery.before_and_after(trials, drawn),
                )
                if chart is not None
            ),
            moments.against_moment(results, drawn),
            retraining.against_budget(results, drawn),
            remaining.over_training(results, drawn),
        ],
        "ablations": [ablation.differences(trials, drawn), ablation.by_arm(trials, drawn)],
        "masks": [masks.layer_heat(results.layers, trials, drawn), masks.compression(trials, drawn)],
        "training": [
            training.curves(results.curves, trials, drawn),
            training.curves(results.curves, trials, drawn, "train_top1"),
            training.curves(results.curves, trials, drawn, "train_loss"),
        ],
        "cost": [
            efficiency.against_cost(trials, drawn, "flops"),
            efficiency.against_cost(trials, drawn, "size"),
            latency.against_milliseconds(results.latencies, trials, drawn),
            cost.time(results.resources),
            cost.energy(results.resources),
        ],
    }
    with_data = {
        name: [chart for chart in section if chart is not None and (secondary or not chart.secondary)]
        for name, section in sections.items()
    }
    return {name: section for name, section in with_data.items() if section}


def _informative(top5: pl.Series) -> bool:
    """Whether top-5 accuracies differ from 1: with few classes they do not."""
    known = top5.drop_nulls()
    return not known.is_empty() and bool((known < 0.999).any())
