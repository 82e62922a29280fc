"""Accuracy against retraining time: drawn where there are budgets, at the share of the recipe that they are."""

from __future__ import annotations

import pytest

import made_up
from prunectl.report.charts import Chart, look, retraining
from prunectl.results.table import Results
from unit.report.small import domain, encoding, marks, panels, rows, shown, switches

END = made_up.STUDY.partition("[[prune]]")[0] + '[[prune]]\ncriterion = CRITERIA\nat = "end"\n'
THREE = 'retrain = ["none", "finetune", "weight-rewind", "lr-rewind"]\nbudget = [0.1, 0.5, 1.0]'
KINDS = {"finetune", "weight-rewind", "lr-rewind"}


def study(prune: str, criteria: str = '"magnitude"', seeds: int = 2) -> Results:
    """Results of arms that are pruned at the end of 80 epochs."""
    return made_up.results(END.replace("CRITERIA", criteria) + prune, seeds=seeds, failed=0, epochs=2)


def drawn(results: Results) -> Chart | None:
    return retraining.against_budget(results, look(results.trials))


def test_a_line_for_each_kind_of_retraining() -> None:
    chart = shown(drawn(study(THREE)))
    assert {row["line"] for row in rows(chart)} == KINDS == set(domain(chart, "color"))
    fine = [row["share"] for row in rows(chart) if row["line"] == "finetune" and row["sparsity"] == 0.9]
    assert fine == [0.1, 0.5, 1]
    assert marks(chart) == ["line", "point", "point"], "two seeds have no band"
    assert "80 epochs" in chart.caption


def test_a_panel_for_each_sparsity_but_the_dense_network() -> None:
    chart = shown(drawn(study(THREE)))
    assert panels(chart) == ["30 % sparsity", "60 % sparsity", "90 % sparsity", "98 % sparsity"]
    assert chart.spec["resolve"]["scale"] == {"y": "independent"}


def test_switches_know_the_retrainings() -> None:
    chart = shown(drawn(study(THREE)))
    assert {row["hue"] for row in rows(chart)} == KINDS
    assert set(switches(chart)) == {"no retraining", *KINDS}


@pytest.mark.parametrize("budgets", ["[0.1, 0.25, 0.5, 0.75, 1.0]", "[0.25, 0.5, { epochs = 60 }]"])
def test_lines_stay_retrainings_where_there_are_more_budgets_than_those(budgets: str) -> None:
    many = study(f'retrain = ["finetune", "lr-rewind"]\nbudget = {budgets}')
    chart = shown(drawn(many))
    assert set(domain(chart, "color")) == {"finetune", "lr-rewind"} == set(switches(chart))
    points = {(row["line"], row["sparsity"], row["share"]) for row in rows(chart)}
    assert len(points) == len(rows(chart)) == 2 * 4 * many.trials["budget"].n_unique()


def test_one_retraining_is_one_line_whose_switches_are_its_budgets() -> None:
    chart = shown(drawn(study('retrain = "lr-rewind"\nbudget = [0.5, 1.0]')))
    assert {row["line"] for row in rows(chart)} == {"lr-rewind"} == set(domain(chart, "color"))
    assert switches(chart) == ["budget 50 %", "budget 100 %"]


def test_rewinding_to_several_moments_is_one_line_against_the_rest_of_the_training() -> None:
    results = study('retrain = ["weight-rewind", { name = "weight-rewind", to = { epoch = 20 } }]')
    chart = shown(drawn(results))
    assert {(row["line"], row["share"]) for row in rows(chart)} == {("weight-rewind", 1.0), ("weight-rewind", 0.75)}
    assert switches(chart) == ["weight-rewind", "weight-rewind(to=epoch 20)"]


def test_finetunings_of_their_own_length_are_points_of_one_line() -> None:
    tuned = study('retrain = [{ name = "finetune", epochs = 20 }, { name = "finetune", epochs = 40 }]')
    chart = shown(drawn(tuned))
    assert {(row["line"], row["share"]) for row in rows(chart)} == {("finetune", 0.25), ("finetune", 0.5)}


def test_criteria_are_rows_of_panels_where_retrainings_have_the_colours() -> None:
    chart = shown(drawn(study(THREE, criteria='["magnitude", "snip"]')))
    assert {row["line"] for row in rows(chart)} == {row["hue"] for row in rows(chart)} == KINDS
    sparsities = ("30 %", "60 %", "90 %", "98 %")
    assert panels(chart) == [f"{name} · {value} sparsity" for name in ("magnitude", "snip") for value in sparsities]
    assert chart.spec["columns"] == 4, "a row for each criterion"
    assert "strokeDash" not in str(chart.spec["spec"])


def test_more_criteria_than_retrainings_keep_their_colours_and_kinds_become_dashes() -> None:
    criteria = ["magnitude", "snip", "random", "synflow"]
    results = study(THREE.replace('"none", ', ""), criteria=str(criteria).replace("'", '"'))
    chart = shown(drawn(results))
    assert {row["line"] for row in rows(chart)} == {row["hue"] for row in rows(chart)} == set(criteria)
    colours = look(results.trials).colours
    scale = encoding(chart, "color")["scale"]
    assert dict(zip(scale["domain"], scale["range"], strict=True)) == colours
    assert set(encoding(chart, "strokeDash")["scale"]["domain"]) == KINDS


def test_a_retraining_has_one_colour_on_every_chart() -> None:
    results = study(THREE)
    scale = encoding(drawn(results), "color")["scale"]
    colours = look(results.trials).colours
    assert dict(zip(scale["domain"], scale["range"], strict=True)) == {kind: colours[kind] for kind in KINDS}


def test_budgets_far_apart_have_a_log_axis() -> None:
    far = shown(drawn(study('retrain = "lr-rewind"\nbudget = [0.01, 0.1, 1.0]')))
    assert "log scale" in far.spec["title"]["text"] and encoding(far, "x")["scale"]["type"] == "log"
    near = shown(drawn(study('retrain = "lr-rewind"\nbudget = [0.5, 1.0]')))
    assert "log scale" not in near.spec["title"]["text"] and encoding(near, "x")["scale"]["domain"][0] == 0


def test_pruning_in_rounds_is_named_in_the_caption() -> None:
    rounds = 'retrain = "lr-rewind"\nbudget = [0.5, 1.0]\nrounds = { name = "iterative", rate = 0.2 }'
    assert "for arms pruned in rounds" in shown(drawn(study(rounds))).caption
    assert "in rounds" not in shown(drawn(study(THREE))).caption


@pytest.mark.parametrize("prune", ['retrain = ["none", "finetune"]', 'retrain = "lr-rewind"\nbudget = 0.5'])
def test_one_budget_is_no_axis(prune: str) -> None:
    assert drawn(study(prune)) is None
