"""One look for a whole page: which colour, shape and dash each hue and variant has."""

from __future__ import annotations

import polars as pl
import pytest

from prunectl.report import palette
from prunectl.report.charts import look
from prunectl.report.charts.look import LEGEND_PX, Look, dash_legend, mark_legend
from prunectl.results.aggregate import Roles
from unit.report import small
from unit.report.small import described


@pytest.fixture
def drawn() -> Look:
    return Look.of(Roles(hue="criterion", variant=("at",), hues=("snip", "magnitude")), ["at init", "at end"])


def test_a_study_of_several_criteria_has_a_colour_for_each() -> None:
    drawn = look(small.swept())
    assert drawn.role.hue == "criterion"
    assert drawn.colours == {name: palette.OWN[name] for name in ("magnitude", "snip")}
    assert drawn.variants == [""]


def test_a_study_of_one_criterion_has_a_colour_for_each_value_of_what_varies() -> None:
    trials = pl.concat([small.swept(["snip"], at=at) for at in ("init", "end")])
    assert look(trials).role.hue == "at"
    assert list(look(trials).colours) == ["init", "end"]


def test_what_else_varies_is_a_dash() -> None:
    trials = pl.concat([small.swept(scope=scope) for scope in ("global", "erk", "layerwise")])
    drawn = look(trials, "median")
    assert drawn.variants == ["global", "erk", "layerwise"]
    assert drawn.dashes["global"] == [1, 0]
    assert drawn.center == "median"


def test_a_chart_with_some_hues_keeps_their_colours_and_all_switches(drawn: Look) -> None:
    some = drawn.among(pl.DataFrame({"hue": ["magnitude"], "variant": ["at end"]}))
    assert some.colours == {"magnitude": drawn.colours["magnitude"]}
    assert some.shapes == {"magnitude": drawn.shapes["magnitude"]}
    assert some.dashes == {"at end": drawn.dashes["at end"]}
    assert list(some.role.hues) == ["snip", "magnitude"]


def test_a_chart_without_variants_has_no_dashes(drawn: Look) -> None:
    assert drawn.among(pl.DataFrame({"hue": ["snip"]})).dash() == {}


def test_dashes_are_encoded_only_where_there_are_several(drawn: Look) -> None:
    assert set(drawn.dash()) == {"strokeDash"}
    assert described(drawn.dash(legend=False)["strokeDash"])["legend"] is None
    assert drawn.among(pl.DataFrame({"hue": ["snip"], "variant": ["at end"]})).dash() == {}


def test_colours_and_shapes_have_the_same_domain_in_the_order_of_the_study(drawn: Look) -> None:
    scales = [described(channel)["scale"]["domain"] for channel in (drawn.colour(), drawn.shape(), drawn.fill())]
    assert scales == [["snip", "magnitude"]] * 3
    assert described(drawn.colour(legend=False))["legend"] is None
    assert described(drawn.shape(legend=False))["legend"] is None


def test_another_field_can_have_the_same_colours(drawn: Look) -> None:
    for channel in (drawn.colour(field="line"), drawn.shape(field="line"), drawn.fill("line")):
        assert described(channel)["field"] == "line"


def test_hollow_marks_are_transparent(drawn: Look) -> None:
    fill = described(drawn.fill(hollow=["snip"]))
    assert fill["scale"]["range"] == ["transparent", palette.OWN["magnitude"]]


@pytest.mark.parametrize(("center", "value"), [("mean", 4.0), ("median", 2.0)])
def test_seeds_are_averaged_as_asked(center: str, value: float) -> None:
    drawn = Look.of(Roles(hue="criterion", variant=(), hues=()), center="mean" if center == "mean" else "median")
    assert pl.DataFrame({"x": [1.0, 2.0, 9.0]}).select(drawn.over_seeds("x")).item() == value


def test_a_legend_is_one_row_if_that_fits_and_columns_if_not() -> None:
    for legend in (mark_legend, dash_legend):
        assert described(legend(["snip", "synflow"]))["columns"] == 0
        names = ["x" * 30] * 5
        columns = described(legend(names))["columns"]
        assert 1 <= columns < len(names)
        assert columns * 30 * 6.2 < LEGEND_PX
        assert described(legend(["x" * 200]))["columns"] == 1


def test_what_is_pruned_at_init_is_a_solid_line_on_every_page() -> None:
    trials = pl.concat([small.swept(at="end", seeds=[1]), small.swept(at="init", seeds=[1])])
    drawn = look(trials)
    assert drawn.variants[0] == "at init"
    assert drawn.dashes["at init"] == [1, 0]
