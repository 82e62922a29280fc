"""Weights remaining over the training: each arm's course, at its highest matching sparsity."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import polars as pl

import made_up
from prunectl.report.charts import Chart, look, remaining
from prunectl.results.courses import REMAINING
from prunectl.results.table import Results
from unit.report.small import marks, rows, shown, switches, units

START = made_up.STUDY.partition("[[prune]]")[0]
STEPS = 80 * 391
"""80 epochs of CIFAR-10 in batches of 128."""
POINTS = {0.0: 0.0, 0.3: -0.001, 0.6: -0.005, 0.9: -0.02, 0.98: -0.3}
"""How far below the dense network an arm is at each sparsity: 60 % is the highest that matches within a point."""


def study(prune: str, worse: str = "") -> Results:
    """Results in which every arm matches up to 60 %, but those of one criterion."""
    results = made_up.results(f"{START}[[prune]]\n{prune}", seeds=3, failed=0, epochs=1)
    loss = pl.when(pl.col("criterion") == worse).then(-0.2).otherwise(pl.col("sparsity").replace_strict(POINTS))
    return replace(results, trials=results.trials.with_columns(top1=pl.col("top1_dense") + loss))


def drawn(results: Results) -> Chart | None:
    return remaining.over_training(results, look(results.trials))


def course(chart: Chart | None, arm: str) -> list[tuple[str, int, float]]:
    return [(row["part"], row["step"], row["kept"]) for row in rows(chart) if row["arm"] == arm]


def test_the_course_of_each_moment_of_pruning() -> None:
    chart = shown(drawn(study('criterion = "magnitude"\nat = ["init", { epoch = 20 }, "end"]')))
    at = 20 * 391
    assert course(chart, "magnitude · at init") == [("trained", 0, 0.4), ("trained", STEPS, 0.4)]
    assert course(chart, "magnitude · at epoch 20") == [
        ("trained", 0, 1.0), ("trained", at, 0.4), ("trained", STEPS, 0.4),
    ]  # fmt: skip
    assert course(chart, "magnitude · at end") == [("trained", 0, 1.0), ("trained", STEPS, 0.4)]
    assert marks(chart) == ["line", "text"] and chart is not None and chart.labels_px > 0


def test_what_a_network_trains_that_was_pruned_at_the_end_is_retroactive() -> None:
    """Fine-tuning comes after the training; a rewound network trains again from the step that it goes back to."""
    retrain = 'retrain = [{ name = "finetune", epochs = 40 }, { name = "weight-rewind", to = { epoch = 20 } }]'
    chart = shown(drawn(study(f'criterion = "magnitude"\nat = "end"\n{retrain}')))
    (tuned,) = {row["arm"] for row in rows(chart) if "finetune" in row["arm"]}
    dashed = [each for each in course(chart, tuned) if each[0] == "retroactive"]
    assert dashed == [("retroactive", STEPS, 0.4), ("retroactive", STEPS + STEPS // 2, 0.4)]
    again = [each for each in course(chart, "magnitude · at end · weight-rewind(to=epoch 20)") if each[2] < 1]
    assert again == [("trained", STEPS, 0.4), ("retroactive", 20 * 391, 0.4), ("retroactive", STEPS, 0.4)]


def test_pruning_on_the_way_has_the_steps_that_its_training_recorded() -> None:
    """The mean over the seeds, as a share of the prunable weights: 300, 150 and 90 of 300; dense before the first."""
    gradual = 'rounds = { name = "gradual", from = { step = 100 }, to = { step = 300 }, every = { steps = 100 } }'
    results = study(f'criterion = "magnitude"\n{gradual}')
    trials = results.trials.with_columns(n_prunable=pl.lit(300), sparsity_of=pl.lit("prunable"))
    states = trials.filter(pl.col("sparsity") == 0.6)["artefact"].to_list()
    changes = [(state, step, kept) for state in states for step, kept in ((100, 300), (200, 150), (300, 120))]
    recorded = pl.DataFrame(changes, schema=REMAINING, orient="row")
    chart = shown(drawn(replace(results, trials=trials, remaining=recorded)))
    (arm,) = {row["arm"] for row in rows(chart)}
    assert [each[1:] for each in course(chart, arm)] == [(0, 1.0), (100, 1.0), (200, 0.5), (300, 0.4), (STEPS, 0.4)]


def test_lines_of_one_sparsity_are_drawn_apart_and_keep_their_numbers() -> None:
    chart = shown(drawn(study('criterion = ["magnitude", "snip"]')))
    assert {row["kept"] for row in rows(chart)} == {0.4}
    assert len({row["drawn"] for row in rows(chart)}) == 2
    assert switches(chart) == ["magnitude", "snip"]


def test_arms_that_match_nowhere_are_named_and_not_drawn() -> None:
    chart = shown(drawn(study('criterion = ["magnitude", "random"]', worse="random")))
    assert {row["hue"] for row in rows(chart)} == {"magnitude"}
    assert "1.00 points below" in chart.caption and chart.caption.endswith("no sparsity: random · at init.")
    assert drawn(study('criterion = "random"', worse="random")) is None


def encodings(chart: Chart | None) -> dict[str, Any]:
    """The channels of the lines."""
    (line,) = [unit for unit in units(shown(chart).spec) if unit["mark"]["type"] == "line"]
    channels: dict[str, Any] = line["encoding"]
    return channels


RETRAINED = """criterion = "magnitude"
at = "end"
retrain = ["finetune", "lr-rewind", { name = "weight-rewind", to = { epoch = 20 } }]
"""


def test_more_lines_than_names_have_room_for_have_a_legend_of_colours_and_dashes() -> None:
    """Nine names of two lines ran into one block, and the three lines of a colour were the same."""
    chart = drawn(study(RETRAINED + 'structure = ["weights", "channels"]\nscope = ["global", "layerwise"]'))
    assert marks(chart) == ["line"] and chart is not None and (chart.labels_px, chart.names) == (0, ())
    lines = encodings(chart)
    assert lines["color"]["legend"] is not None and lines["opacity"]["scale"]["domain"] == ["trained", "retroactive"]
    names, dashes = (lines["strokeDash"]["scale"][key] for key in ("domain", "range"))
    assert len(names) == len(set(names)) == len({tuple(dash) for dash in dashes}) == 4
    assert {row["variant"] for row in rows(chart)} == set(names)
    assert len({(row["hue"], row["variant"]) for row in rows(chart)}) == 12, "each is another colour or dash"


def test_few_lines_have_names_whose_symbols_differ() -> None:
    chart = drawn(study(RETRAINED + 'structure = ["weights", "channels"]'))
    assert marks(chart) == ["line", "text"] and chart is not None and len(chart.names) == 6
    assert len({(name.colour, tuple(name.dash)) for name in chart.names}) == 6
    assert "Pale: retroactive" in chart.caption
