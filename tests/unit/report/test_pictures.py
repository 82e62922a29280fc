"""Charts as pictures."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

import polars as pl
import pytest

import made_up
from prunectl.base.errors import PrunectlError
from prunectl.report.formats import render
from prunectl.results.table import SCHEMA, Results


@pytest.fixture(scope="module")
def results() -> Results:
    return made_up.results(seeds=2, epochs=3)


def test_a_picture_of_one_chart_as_svg(results: Results) -> None:
    picture = render(results, "svg", chart="top1-sparsity")
    assert isinstance(picture, str)
    assert ElementTree.fromstring(picture).tag == "{http://www.w3.org/2000/svg}svg"
    assert "synflow" in picture and "Top-1 accuracy against sparsity" in picture
    assert "Time by kind of step" not in picture
    assert "<script" not in picture


def test_a_picture_of_one_chart_as_png(results: Results) -> None:
    picture = render(results, "png", chart="time")
    assert isinstance(picture, bytes)
    assert picture.startswith(b"\x89PNG")


def test_without_a_name_all_charts_are_in_one_picture(results: Results) -> None:
    picture = str(render(results, "svg"))
    for title in ("Top-1 accuracy against sparsity", "Time by kind of step", "What retraining recovers"):
        assert title in picture


def test_a_chart_that_is_not_known_lists_the_charts(results: Results) -> None:
    with pytest.raises(PrunectlError, match="no chart 'top1-sparsty'; there are claims, top1-sparsity, ") as caught:
        render(results, "svg", chart="top1-sparsty")
    assert caught.value.hint == "did you mean top1-sparsity?"


def test_without_results_there_is_nothing_to_draw(results: Results) -> None:
    empty = replace(results, trials=pl.DataFrame(schema=SCHEMA), resources=results.resources.clear())
    with pytest.raises(PrunectlError, match="nothing to draw") as caught:
        render(empty, "png")
    assert caught.value.hint == "run the study first"
