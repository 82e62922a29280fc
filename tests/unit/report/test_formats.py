"""Every format that `report` writes."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from xml.etree import ElementTree

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import made_up
from prunectl.base.errors import PrunectlError
from prunectl.report.formats import FORMATS, render, tex
from prunectl.results.table import SCHEMA, Results


@pytest.fixture(scope="module")
def results() -> Results:
    return made_up.results(seeds=2)


def text(results: Results, format: str) -> str:
    found = render(results, format)
    assert isinstance(found, str)
    return found


def data(results: Results, format: str) -> bytes:
    found = render(results, format)
    assert isinstance(found, bytes)
    return found


def test_tables_hold_every_trial_with_the_same_columns(results: Results) -> None:
    assert len(json.loads(text(results, "json"))) == results.trials.height
    assert text(results, "csv").count("\n") == results.trials.height + 1
    assert_frame_equal(pl.read_parquet(io.BytesIO(data(results, "parquet"))), results.trials)


def test_markdown_is_a_report(results: Results) -> None:
    found = text(results, "md")
    assert found.startswith("# VGG-16 pruned at initialization\n")
    assert "- **refuted**: Inverting does no harm." in found
    table = [line for line in found.splitlines() if line.startswith("| ")]
    for line in table:
        assert re.sub(r"\\\|", "", line).count("|") in (6, 13)


def test_markdown_and_latex_leave_hostile_names_as_they_are_read(results: Results) -> None:
    study = results.study.model_copy(update={"title": "<script>|*x*_y_`z`\\input{/etc/passwd}$%&#^~"})
    hostile = replace(results, study=study)
    assert "# \\<script\\>\\|\\*x\\*\\_y\\_\\`z\\`\\\\input{/etc/passwd}" in text(hostile, "md")
    caption = text(hostile, "latex")
    assert r"\textbackslash{}input\{/etc/passwd\}\$\%\&\#\textasciicircum{}\textasciitilde{}" in caption
    assert tex("−1 × 2") == r"$-$1 $\times$ 2"


def test_latex_is_a_booktabs_table_with_a_row_per_arm(results: Results) -> None:
    lines = text(results, "latex").splitlines()
    body = lines[lines.index(r"\midrule") + 1 : lines.index(r"\bottomrule")]
    assert len(body) == 18
    assert all(line.endswith(r"\\") and line.count("&") == 4 for line in body)
    assert sum(line.count(r"\textbf") for line in body) == 4


def test_a_picture_of_one_chart(results: Results) -> None:
    picture = render(results, "svg", chart="top1-sparsity")
    assert isinstance(picture, str)
    root = ElementTree.fromstring(picture)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert "synflow" in picture
    assert "<script" not in picture
    png = render(results, "png", chart="time")
    assert isinstance(png, bytes)
    assert png.startswith(b"\x89PNG")


def test_medians_are_called_medians_everywhere(results: Results) -> None:
    for format in ("md", "latex", "html"):
        found = render(results, format, center="median")
        assert isinstance(found, str)
        assert "bootstrap interval of the median" in found
        assert "bootstrap interval of the mean" not in found
        assert found != text(results, format)
    assert "median over 2 seeds" in str(render(results, "latex", center="median"))


def test_what_cannot_be_drawn_is_said(results: Results) -> None:
    with pytest.raises(PrunectlError, match="no chart 'top1-sparsty'") as caught:
        render(results, "svg", chart="top1-sparsty")
    assert caught.value.hint == "did you mean top1-sparsity?"
    with pytest.raises(PrunectlError, match="no format 'xml'"):
        render(results, "xml")
    empty = replace(results, trials=pl.DataFrame(schema=SCHEMA), resources=results.resources.clear())
    with pytest.raises(PrunectlError, match="nothing to draw"):
        render(empty, "png")


@pytest.mark.parametrize("format", [name for name in FORMATS if name not in ("svg", "png")])
def test_a_study_without_trials_has_every_table(results: Results, format: str) -> None:
    empty = replace(results, trials=pl.DataFrame(schema=SCHEMA))
    assert render(empty, format)
