"""Accuracy against sparsity and compression, with the baseline and published numbers."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from prunectl.base.text import percent
from prunectl.report.charts import accuracy, axes, look, pieces
from unit.report import small
from unit.report.small import domain, encoding, marks, rows, shown, switches

TRIALS = small.swept()
PUBLISHED = {"table": "theirs", "criterion": "snip", "ablation": "none", "sparsity": 0.5, "top1": 0.7}


def hollow(published: list[dict[str, Any]], trials: pl.DataFrame = TRIALS) -> list[tuple[str, float]]:
    """The hue and accuracy of each published number that is drawn."""
    chart = shown(accuracy.against_sparsity(trials, look(trials), pl.DataFrame(published)))
    data = [row for data in chart.spec["datasets"].values() for row in data if "table" in row]
    return [(row["hue"], row["center"]) for row in data]


def test_a_line_per_criterion_with_band_points_baseline_and_names() -> None:
    chart = shown(accuracy.against_sparsity(TRIALS, look(TRIALS)))
    assert marks(chart) == ["rule", "area", "line", "point", "point", "text", "text"]
    assert domain(chart, "color") == ["magnitude", "snip"]
    assert encoding(chart, "color")["legend"] is None, "the lines carry their names"
    assert chart.labels_px > 0 and chart.panel_px is None
    assert switches(chart) == ["magnitude", "snip"]


def test_points_are_the_means_over_the_seeds() -> None:
    points = {
        (row["hue"], row["sparsity"]): row["center"] for row in rows(accuracy.against_sparsity(TRIALS, look(TRIALS)))
    }
    assert points[("magnitude", 0.9)] == pytest.approx(0.812)
    assert points[("snip", 0.9)] == pytest.approx(0.802)
    assert len(points) == 6


def test_the_axis_has_room_for_the_baseline() -> None:
    chart = accuracy.against_sparsity(TRIALS.filter(pl.col("sparsity") > 0), look(TRIALS))
    assert domain(chart, "y")[1] > small.DENSE


def test_compression_has_a_log_axis_and_leaves_infinity_out() -> None:
    everything = pl.concat(
        [TRIALS, TRIALS.filter(pl.col("sparsity") == 0.5).with_columns(compression=pl.lit(float("inf")))]
    )
    chart = shown(accuracy.against_compression(everything, look(everything)))
    assert encoding(chart, "x")["scale"]["type"] == "log"
    assert {row["compression"] for row in rows(chart)} == {1, 2, 10}


def test_top5_has_a_chart_and_no_baseline() -> None:
    trials = TRIALS.with_columns(top5=pl.col("top1") + 0.05)
    chart = shown(accuracy.against_compression(trials, look(trials), "top5"))
    assert chart.name == "top5-compression" and chart.title == "Top-5 accuracy against weights remaining"
    assert "rule" not in marks(chart)


def test_a_single_sparsity_is_no_line() -> None:
    single = TRIALS.filter(pl.col("sparsity") == 0.5)
    assert accuracy.against_sparsity(single, look(single)) is None
    assert accuracy.against_compression(single, look(single)) is None


def test_trials_that_are_not_done_are_no_points() -> None:
    missing = TRIALS.with_columns(top1=pl.lit(None, pl.Float64))
    assert accuracy.against_sparsity(missing, look(missing)) is None
    half = TRIALS.with_columns(top1=pl.when(pl.col("criterion") == "snip").then("top1"))
    chart = shown(accuracy.against_sparsity(half, look(half)))
    assert domain(chart, "color") == ["snip"] and switches(chart) == ["magnitude", "snip"]


def test_many_variants_are_panels_and_few_are_dashes() -> None:
    moments = ["init", "{ epoch = 1 }", "{ epoch = 2 }", "{ epoch = 3 }", "end"]
    many = pl.concat([small.swept(at=at, seeds=[1]) for at in moments])
    chart = shown(accuracy.against_sparsity(many, look(many)))
    assert chart.spec["facet"]["field"] == "panel" and chart.panel_px == accuracy.PANEL_PX and chart.labels_px == 0
    some = many.filter(pl.col("at").is_in(["init", "end"]))
    few = shown(accuracy.against_sparsity(some, look(some)))
    assert "facet" not in few.spec
    assert encoding(few, "strokeDash")["scale"]["domain"] == ["at init", "at end"]


def test_variants_without_results_do_not_count() -> None:
    """Or the page would size the chart as panels, which it does not have."""
    moments = ["init", "{ epoch = 1 }", "{ epoch = 2 }", "{ epoch = 3 }", "end"]
    many = pl.concat([small.swept(at=at, seeds=[1]) for at in moments])
    some = many.with_columns(top1=pl.when(pl.col("at").is_in(["init", "end"])).then("top1"))
    chart = shown(accuracy.against_sparsity(some, look(some)))
    assert "facet" not in chart.spec and chart.panel_px is None and chart.labels_px > 0


def test_published_numbers_are_hollow_marks_in_the_colour_of_their_criterion() -> None:
    assert hollow([PUBLISHED]) == [("snip", 0.7)]
    chart = shown(accuracy.against_sparsity(TRIALS, look(TRIALS), pl.DataFrame([PUBLISHED])))
    assert "Published numbers: hollow circles theirs." in chart.caption
    assert [unit["mark"].get("filled") for unit in small.units(chart.spec) if unit["mark"]["type"] == "point"] == [
        True, True, False,
    ]  # fmt: skip
    assert domain(chart, "y")[0] < 0.7, "the axis has room for it"


@pytest.mark.parametrize(
    "other",
    [
        {"criterion": "grasp"},
        {"ablation": "invert"},
        {"rounds": "iterative"},
        {"at": "end"},
        {"scope": "erk"},
        {"top1": None},
    ],
)
def test_published_numbers_of_other_arms_are_left_out(other: dict[str, Any]) -> None:
    rest = {"at": "init", "scope": "global", "structure": "weights", "rounds": "one-shot"}
    assert hollow([PUBLISHED | rest, PUBLISHED | rest | other]) == [("snip", 0.7)]


def test_a_published_table_that_leaves_a_choice_open_is_no_other_arm() -> None:
    assert hollow([PUBLISHED | {"rounds": None, "scope": None}]) == [("snip", 0.7)]


def test_a_published_number_is_drawn_for_every_hue_that_it_belongs_to() -> None:
    trials = small.swept(["magnitude", "snip", '{ name = "snip", wrt = "weight" }'])
    assert hollow([PUBLISHED], trials) == [("snip", 0.7), ("snip(wrt=weight)", 0.7)]


def test_published_numbers_without_the_metric_are_not_drawn() -> None:
    trials = TRIALS.with_columns(top5=pl.col("top1") + 0.05)
    chart = accuracy.against_compression(trials, look(trials), "top5", pl.DataFrame([PUBLISHED]))
    assert not [row for data in shown(chart).spec["datasets"].values() for row in data if "table" in row]


def test_critical_compressions_are_ticks_on_the_axis_of_compression() -> None:
    at = pl.when(pl.col("criterion") == "snip").then(5.0).otherwise(4000.0)
    trials = TRIALS.with_columns(
        critical_compression=pl.when(pl.col("sparsity") > 0).then(at), critical_by=pl.lit("exact"),
        sparsity_of=pl.lit("prunable"),
    )  # fmt: skip
    chart = shown(accuracy.against_compression(trials, look(trials)))
    data = [row for data in chart.spec["datasets"].values() for row in data if "critical_by" in row]
    assert {(row["hue"], row["compression"]) for row in data} == {("snip", 5.0)}
    assert len(data) == 3, "one for each seed"
    assert "tick" in marks(chart)
    assert "beyond, a layer is empty. 3 ticks outside the axis are not drawn." in chart.caption
    without = shown(accuracy.against_compression(TRIALS, look(TRIALS)))
    assert "tick" not in marks(without) and "Ticks" not in without.caption


def test_ticks_are_of_all_parameters_where_sparsities_are() -> None:
    """Of 1,000 parameters 800 prunable: with 100 of them kept, 300 are left."""
    trials = TRIALS.with_columns(
        critical_compression=pl.when(pl.col("sparsity") > 0).then(8.0), critical_by=pl.lit("found"),
        sparsity_of=pl.lit("all"), n_params=pl.lit(1000), n_prunable=pl.lit(800),
    )  # fmt: skip
    chart = shown(accuracy.against_compression(trials, look(trials)))
    data = [row for data in chart.spec["datasets"].values() for row in data if "critical_by" in row]
    assert {row["compression"] for row in data} == {3.33333}


def test_two_published_tables_have_two_marks_which_the_caption_names() -> None:
    others = PUBLISHED | {"table": "others", "top1": 0.75}
    chart = shown(accuracy.against_sparsity(TRIALS, look(TRIALS), pl.DataFrame([PUBLISHED, others])))
    hollow = [unit["mark"] for unit in small.units(chart.spec) if unit["mark"].get("filled") is False]
    assert [mark["shape"] for mark in hollow] == ["circle", "diamond"]
    assert "hollow circles theirs and hollow diamonds others." in chart.caption


def test_published_numbers_beyond_the_axes_are_counted_and_not_drawn() -> None:
    """Drawn, they would flatten our own lines, or lie outside of the frame."""
    far = [PUBLISHED, PUBLISHED | {"top1": 0.1}, PUBLISHED | {"sparsity": 0.99}]
    chart = shown(accuracy.against_sparsity(TRIALS, look(TRIALS), pl.DataFrame(far)))
    assert hollow(far) == [("snip", 0.7)]
    assert "2 published numbers beyond the axes not drawn." in chart.caption
    assert domain(chart, "y")[0] > 0.5


def test_retrainings_are_colours_in_one_panel_for_each_budget() -> None:
    """Figures of Renda et al. (2020): three retrainings by five budgets are five panels of three lines."""
    ways, budgets = ["finetune", "lr-rewind", "weight-rewind"], ["0.1", "0.25", "0.5", "0.75", "1.0"]
    trials = pl.concat(
        small.swept(["magnitude"], seeds=[1], at="end", retrain=way, budget=budget, arm=f"{way} {budget}")
        for way in ways
        for budget in budgets
    )
    chart = shown(accuracy.against_compression(trials, look(trials)))
    assert small.panels(chart) == ["budget 10 %", "budget 25 %", "budget 50 %", "budget 75 %", "budget 100 %"]
    assert domain(chart, "color") == ways
    lines = {(row["panel"], row["hue"]) for row in rows(chart)}
    assert len(lines) == 15
    assert "strokeDash" not in str([unit["encoding"] for unit in small.units(chart.spec)]), "no dash is needed"
    assert chart.spec["columns"] == 5 and chart.spec["resolve"] == {"axis": {"x": "shared"}}, "one row, one figure"
    assert chart.spec["title"]["text"] == axes.REMAINING, "the title of all x axes, once"
    assert {unit["encoding"]["x"].get("title") for unit in small.units(chart.spec) if "x" in unit["encoding"]} == {None}


def test_published_numbers_in_panels_are_referred_to_and_not_drawn() -> None:
    moments = ["init", "{ epoch = 1 }", "{ epoch = 2 }", "{ epoch = 3 }", "end"]
    many = pl.concat([small.swept(at=at, seeds=[1]) for at in moments])
    chart = shown(accuracy.against_sparsity(many, look(many), pl.DataFrame([PUBLISHED])))
    assert "facet" in chart.spec and hollow([PUBLISHED], many) == []
    assert "1 published number about arms in several panels not drawn; the section Tables has it next" in chart.caption
    of_others = shown(accuracy.against_sparsity(many, look(many), pl.DataFrame([PUBLISHED | {"criterion": "grasp"}])))
    assert "Published" not in of_others.caption


def retrained(
    *kinds: tuple[str, str], ways: tuple[str, ...] = ("finetune", "lr-rewind", "weight-rewind")
) -> pl.DataFrame:
    """Magnitude pruning in rounds and structures, each with every retraining."""
    return pl.concat(
        small.swept(["magnitude"], seeds=[1], at="end", rounds=rounds, structure=structure, retrain=way,
                    arm=f"{rounds} {structure} {way}")
        for rounds, structure in kinds
        for way in ("finetune", "lr-rewind", "weight-rewind")
    )  # fmt: skip


RENDA = retrained(("one-shot", "weights"), ("iterative", "weights"), ("one-shot", "channels"))


def test_retrainings_by_rounds_and_structures_are_panels_with_a_colour_for_each_retraining() -> None:
    chart = shown(accuracy.against_compression(RENDA, look(RENDA)))
    assert domain(chart, "color") == list(WAYS)
    assert small.panels(chart) == ["weights · one-shot", "weights · iterative", "channels · one-shot"]
    assert "strokeDash" not in str([unit["encoding"] for unit in small.units(chart.spec)]), "no dash is needed"
    assert chart.spec["columns"] == 3 and chart.spec["resolve"] == {"axis": {"x": "shared"}}
    assert "Grey and dashed: dense 90.0 %." in chart.caption


def test_few_lines_and_what_only_one_colour_has_stay_in_one_frame() -> None:
    """Magnitude after training is what the criteria at initialization are compared with."""
    few = retrained(("one-shot", "weights"), ("iterative", "weights"))
    assert "facet" not in shown(accuracy.against_compression(few, look(few))).spec
    criteria = ["magnitude", "snip", "random", "synflow", "grasp", "lamp", "gradient"]
    after = small.swept(["magnitude"], seeds=[1], at="end", retrain="lr-rewind")
    frankle = pl.concat([small.swept(criteria, seeds=[1]), after])
    chart = shown(accuracy.against_compression(frankle, look(frankle)))
    assert "facet" not in chart.spec and len({(row["hue"], row["variant"]) for row in rows(chart)}) == 8


ABOUT = {"table": "theirs", "criterion": "magnitude", "ablation": "none", "at": "end", "sparsity": 0.5}


def placed(numbers: list[dict[str, Any]], trials: pl.DataFrame = RENDA) -> list[tuple[str, str, float]]:
    """The panel, the hue and the accuracy of each published number that is drawn."""
    chart = shown(accuracy.against_compression(trials, look(trials), published=pl.DataFrame(numbers)))
    (data,) = chart.spec["datasets"].values()
    tables = [unit for unit in small.units(chart.spec) if unit["mark"].get("filled") is False]
    assert len(tables) == len({row["table"] for row in data if row.get("table")}), "a mark for each table"
    return [(row["panel"], row["hue"], row["center"]) for row in data if row.get("table")]


def test_a_published_number_is_in_the_panel_of_its_arm() -> None:
    once = ABOUT | {"rounds": "one-shot", "structure": "weights", "retrain": "finetune", "top1": 0.86}
    rounds = once | {"rounds": "iterative", "retrain": "lr-rewind", "top1": 0.87}
    channels = once | {"structure": "channels", "table": "others", "top1": 0.85}
    assert placed([once, rounds, channels]) == [
        ("weights · one-shot", "finetune", 0.86),
        ("weights · iterative", "lr-rewind", 0.87),
        ("channels · one-shot", "finetune", 0.85),
    ]
    assert placed([channels | {"rounds": None}]) == [("channels · one-shot", "finetune", 0.85)], "no other has channels"


def test_a_published_number_about_arms_in_several_panels_is_in_none_and_is_counted() -> None:
    """In all of them it would seem to be about the lines of each."""
    open_rounds = ABOUT | {"rounds": None, "structure": "weights", "retrain": "finetune", "top1": 0.86}
    known = open_rounds | {"rounds": "iterative", "top1": 0.87}
    assert placed([open_rounds, known]) == [("weights · iterative", "finetune", 0.87)]
    published = pl.DataFrame([open_rounds, known])
    caption = shown(accuracy.against_compression(RENDA, look(RENDA), published=published)).caption
    assert "Published numbers: hollow circles theirs. 1 published number about arms in several panels not" in caption
    budgets = crossed("magnitude")
    assert placed([ABOUT | {"retrain": "finetune", "top1": 0.86}], budgets) == [], "published without a budget"


def test_published_numbers_without_the_column_of_the_colours_are_counted_with_the_reason() -> None:
    """A file without a column `retrain` was once read and matched, and had no mark and no word."""
    number = ABOUT | {"rounds": "one-shot", "structure": "weights", "retrain": None, "top1": 0.86}
    others = [number | {"criterion": "grasp"}, number | {"sparsity": 0.7}, number | {"ablation": "shuffle"}]
    published = pl.DataFrame([number, number | {"sparsity": 0.9}, *others])
    caption = shown(accuracy.against_compression(RENDA, look(RENDA), published=published)).caption
    assert "2 published numbers of theirs without a mark, because the table has no value in the column `retrain`" in (
        caption
    )
    known = pl.DataFrame([number | {"retrain": "finetune"}])
    assert "without a mark" not in shown(accuracy.against_compression(RENDA, look(RENDA), published=known)).caption


def test_published_numbers_are_in_the_panels_of_retrainings_too() -> None:
    """Where criteria have the colours, a number for one retraining belongs to that one's panel."""
    trials = crossed("magnitude", "random", "snip", ways=("finetune", "lr-rewind"))
    numbers = [ABOUT | {"retrain": "lr-rewind", "budget": "0.5", "top1": 0.86}]
    assert placed(numbers, trials) == [("lr-rewind · budget 50 %", "magnitude", 0.86)]


@pytest.mark.parametrize("label", [None, "SNIP (init)"])
def test_another_criterion_or_label_takes_no_colour_from_the_retrainings(label: str | None) -> None:
    """No panel is without a title, and no symbol of a legend without a name."""
    ways, budgets = ["finetune", "lr-rewind", "weight-rewind"], ["0.1", "0.25", "0.5", "0.75", "1.0"]
    kinds = [
        small.swept(["magnitude"], seeds=[1], at="end", retrain=way, budget=budget, arm=f"{way} {budget}")
        for way in ways
        for budget in budgets
    ]
    trials = pl.concat([*kinds, small.swept(["snip"], seeds=[1], arm="one")])
    drawn = look(trials, names={"one": label} if label else None)
    chart = shown(accuracy.against_compression(trials, drawn))
    assert domain(chart, "color") == [*(f"magnitude, {way}" for way in ways), label or "snip"]
    assert small.panels(chart) == [*(f"budget {percent(float(budget))}" for budget in budgets), "no budget"]
    assert "strokeDash" not in str([unit["encoding"] for unit in small.units(chart.spec)])


def test_a_label_is_in_the_panel_of_its_choices_and_no_name_of_a_dash_is_empty() -> None:
    """Three criteria have colours, scopes dashes, the rest panels; an arm with a label has no dash to be named."""
    kinds = [
        small.swept(["magnitude", "snip", "random"], seeds=[1], at="end", retrain=way, budget=budget, scope=scope)
        .with_columns(arm=pl.format("{} {} {} {}", "criterion", pl.lit(way), pl.lit(budget), pl.lit(scope)))
        for scope in ("global", "erk")
        for way in ("finetune", "lr-rewind")
        for budget in ("0.1", "0.5", "1.0")
    ]  # fmt: skip
    trials = pl.concat([*kinds, small.swept(["grasp"], seeds=[1], at="init", arm="one")])
    chart = shown(accuracy.against_compression(trials, look(trials, names={"one": "ours"})))
    panels = [f"{way} · budget {budget}" for way in ("finetune", "lr-rewind") for budget in ("10 %", "50 %", "100 %")]
    assert small.panels(chart) == [*panels, "no budget"]
    dash = encoding(chart, "strokeDash")
    assert "" in dash["scale"]["domain"] and dash["legend"]["values"] == ["global", "erk"]


WAYS, PARTS = ("finetune", "lr-rewind", "weight-rewind"), ("0.1", "0.5", "1.0")


def crossed(*criteria: str, ways: tuple[str, ...] = WAYS, budgets: tuple[str, ...] = PARTS) -> pl.DataFrame:
    """Every criterion with every retraining and budget."""
    return pl.concat(
        small.swept([criterion], seeds=[1], at="end", retrain=way, budget=budget, arm=f"{criterion} {way} {budget}")
        for criterion in criteria
        for way in ways
        for budget in budgets
    )


def test_criteria_by_retrainings_by_budgets_are_a_grid_of_panels_with_shared_axes() -> None:
    """A row for each criterion, a column for each budget; retrainings, which are more, have the colours."""
    trials = crossed("magnitude", "random")
    chart = shown(accuracy.against_compression(trials, look(trials)))
    assert domain(chart, "color") == list(WAYS)
    assert small.panels(chart) == [
        f"{criterion} · budget {budget}"
        for criterion in ("magnitude", "random")
        for budget in ("10 %", "50 %", "100 %")
    ]
    assert chart.spec["columns"] == 3 and chart.spec["resolve"] == {"axis": {"x": "shared"}}
    assert "strokeDash" not in str([unit["encoding"] for unit in small.units(chart.spec)])


def test_more_criteria_than_retrainings_have_the_colours_and_retrainings_are_rows() -> None:
    criteria = ["magnitude", "random", "snip", "synflow"]
    trials = crossed(*criteria, ways=("finetune", "lr-rewind"))
    chart = shown(accuracy.against_compression(trials, look(trials)))
    assert domain(chart, "color") == criteria
    assert small.panels(chart) == [
        f"{way} · budget {budget}" for way in ("finetune", "lr-rewind") for budget in ("10 %", "50 %", "100 %")
    ]


def test_few_budgets_are_dashes_unless_there_are_too_many_lines() -> None:
    few = crossed("magnitude", ways=("finetune", "lr-rewind"), budgets=("0.5", "1.0"))
    chart = shown(accuracy.against_compression(few, look(few)))
    assert "facet" not in chart.spec
    assert encoding(chart, "strokeDash")["scale"]["domain"] == ["budget 50 %", "budget 100 %"]
    many = crossed("magnitude")
    assert small.panels(shown(accuracy.against_compression(many, look(many)))) == [
        "budget 10 %", "budget 50 %", "budget 100 %",
    ]  # fmt: skip


def test_names_for_narrow_screens_have_colour_dash_and_shape_and_the_baseline_its_number() -> None:
    both = pl.concat([TRIALS, small.swept(["magnitude"], at="end")])
    chart = shown(accuracy.against_sparsity(both, look(both)))
    drawn = look(both)
    lines = {(name.text, name.colour, tuple(name.dash), name.shape) for name in chart.names[:-1]}
    assert lines == {
        (text, drawn.colours[hue], tuple(drawn.dashes[variant]), drawn.shapes[hue])
        for text, hue, variant in (
            ("magnitude", "magnitude", "at init"), ("magnitude, at end", "magnitude", "at end"),
            ("snip", "snip", "at init"),
        )
    }  # fmt: skip
    last = chart.names[-1]
    assert (last.text, last.dash, last.shape) == ("dense 90.0 %", pieces.DENSE_DASH, "")


def test_colours_have_a_legend_on_all_layers_or_on_none() -> None:
    """Vega-Lite warns of any other, on the console of the page."""
    criteria = ["magnitude", "snip", "random", "synflow", "grasp", "lamp", "gradient", "activation"]
    for trials in (TRIALS, small.swept(criteria)):
        chart = shown(accuracy.against_sparsity(trials, look(trials), pl.DataFrame([PUBLISHED])))
        colours = [unit["encoding"].get("color", {}) for unit in small.units(chart.spec)]
        assert len({colour["legend"] is None for colour in colours if colour.get("field") == "hue"}) == 1
