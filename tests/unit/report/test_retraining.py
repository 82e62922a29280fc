"""Accuracy against retraining time: drawn where there are budgets, at the share of the recipe that they are."""

from __future__ import annotations

from typing import Any

import altair as alt
import pytest
from prunectl.results.budget import budgets

import made_up
from prunectl.report.charts import Chart, charts
from prunectl.results.table import Results

END = made_up.STUDY.partition("[[prune]]")[0] + '[[prune]]\ncriterion = CRITERIA\nat = "end"\n'


def study(prune: str, criteria: str = '"magnitude"', seeds: int = 2) -> Results:
    """Results of arms that are pruned at the end of 80 epochs."""
    return made_up.results(END.replace("CRITERIA", criteria) + prune, seeds=seeds, failed=0)


def drawn(results: Results) -> Chart | None:
    return next((chart for chart in charts(results)["accuracy"] if chart.name == "top1-budget"), None)


def points(chart: Chart) -> list[dict[str, Any]]:
    (found,) = chart.spec["datasets"].values()
    return list(found)


THREE = 'retrain = ["none", "finetune", "weight-rewind", "lr-rewind"]\nbudget = [0.1, 0.5, 1.0]'


def test_budgets_are_read_off_labels_and_the_study() -> None:
    assert budgets(study(THREE)) == {
        **{f"{kind}(budget={share})": (kind, share) for kind in ("finetune", "weight-rewind", "lr-rewind")
           for share in (0.1, 0.5)},
        **{kind: (kind, 1.0) for kind in ("finetune", "weight-rewind", "lr-rewind")},
    }  # fmt: skip
    rewound = study('retrain = "weight-rewind"\nrewind_to = ["init", { epoch = 20 }, { step = 3910 }]')
    assert {label: share for label, (_, share) in budgets(rewound).items()} == {
        "weight-rewind": 1.0, "weight-rewind(epoch=20)": 0.75, "weight-rewind(step=3910)": 0.875,
    }  # fmt: skip
    assert budgets(study('retrain = "finetune"\nfinetune = { epochs = 20, lr = 0.01 }')) == {
        "finetune": ("finetune", 0.25)
    }
    fine = 'retrain = "finetune"\nfinetune = { epochs = %s, lr = %s }\n'
    second = '[[prune]]\ncriterion = "magnitude"\nat = "end"\n'
    assert budgets(study(fine % (20, 0.01) + second + fine % (40, 0.02))) == {
        "finetune(epochs=20, lr=0.01)": ("finetune(lr=0.01)", 0.25),
        "finetune(epochs=40, lr=0.02)": ("finetune(lr=0.02)", 0.5),
    }


def test_a_line_for_each_kind_of_retraining() -> None:
    chart = drawn(study(THREE))
    assert chart is not None
    alt.Chart.validate(chart.spec, alt.Chart._rootschema)
    found = points(chart)
    assert {row["line"] for row in found} == {"finetune", "weight-rewind", "lr-rewind"}
    assert {row["panel"] for row in found} == {"30 % sparsity", "60 % sparsity", "90 % sparsity", "98 % sparsity"}
    assert sorted(row["share"] for row in found if row["line"] == "finetune" and row["sparsity"] == 0.9) == [
        0.1,
        0.5,
        1,
    ]
    assert "80 epochs" in chart.caption
    assert {row["hue"] for row in found} >= {"finetune(budget=0.1)", "finetune"}  # what the page's switches know


def test_several_criteria_keep_their_colours_and_kinds_become_dashes() -> None:
    chart = drawn(study(THREE, criteria='["magnitude", "snip"]'))
    assert chart is not None
    found = points(chart)
    assert {row["line"] for row in found} == {row["hue"] for row in found} == {"magnitude", "snip"}
    assert {row["variant"] for row in found} == {"finetune", "weight-rewind", "lr-rewind"}


def test_budgets_far_apart_have_a_log_axis() -> None:
    chart = drawn(study('retrain = "lr-rewind"\nbudget = [0.01, 0.1, 1.0]'))
    assert chart is not None
    assert "log scale" in chart.spec["spec"]["layer"][0]["encoding"]["x"]["title"]


@pytest.mark.parametrize("prune", ['retrain = ["none", "finetune"]', 'retrain = "lr-rewind"\nbudget = 0.5'])
def test_one_budget_is_no_axis(prune: str) -> None:
    assert drawn(study(prune)) is None
