"""Every format that `report` writes, and names that are not known."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from dataclasses import replace

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import made_up
from prunectl.base.errors import PrunectlError
from prunectl.report import formats, text
from prunectl.report.formats import FORMATS, render
from prunectl.report.unknown import unknown
from prunectl.results.table import SCHEMA, Results
from prunectl.store.hardware import HardwareClass


@pytest.fixture(scope="module")
def results() -> Results:
    return made_up.results(seeds=3, epochs=3)


def test_tables_for_programs_hold_every_trial_with_the_same_columns(results: Results) -> None:
    text = render(results, "csv")
    assert isinstance(text, str) and text.count("\n") == results.trials.height + 1
    assert len(json.loads(render(results, "json"))["trials"]) == results.trials.height
    data = render(results, "parquet")
    assert isinstance(data, bytes)
    assert_frame_equal(pl.read_parquet(io.BytesIO(data)), results.trials)


def test_medians_are_called_medians_everywhere(results: Results) -> None:
    for format in ("md", "latex", "html"):
        text = str(render(results, format, center="median"))
        assert "bootstrap interval of the median" in text
        assert "bootstrap interval of the mean" not in text
        assert text != render(results, format)


def test_a_format_that_is_not_known_lists_the_formats() -> None:
    with pytest.raises(PrunectlError, match="no format 'xml'; there are html, md, csv, json, parquet, latex, svg, png"):
        render(made_up.results(seeds=1, epochs=1), "xml")


def test_the_nearest_name_is_suggested() -> None:
    assert unknown("format", "htm", list(FORMATS)).hint == "did you mean html?"
    assert unknown("format", "xyz", list(FORMATS)).hint is None


def test_only_pictures_are_of_one_chart_and_only_tables_hold_every_trial() -> None:
    assert [name for name, format in FORMATS.items() if format.picture] == ["svg", "png", "pdf"]
    assert [name for name, format in FORMATS.items() if format.every_trial] == ["csv", "json", "parquet"]
    assert {name: format.suffix for name, format in FORMATS.items() if format.suffix != name} == {"latex": "tex"}


@pytest.mark.parametrize("format", [name for name, format in FORMATS.items() if not format.picture])
def test_a_study_without_trials_has_every_table(results: Results, format: str) -> None:
    empty = replace(results, trials=pl.DataFrame(schema=SCHEMA))
    assert render(empty, format)


def test_published_tables_are_those_that_the_study_names(results: Results) -> None:
    assert formats.published(results) is None
    named = results.study.published.model_copy(update={"tables": ("comp6258-figure1",)})
    with_tables = replace(results, study=results.study.model_copy(update={"published": named}))
    found = formats.published(with_tables)
    assert found is not None and set(found["table"]) == {"comp6258-figure1"}
    other = replace(with_tables, trials=with_tables.trials.with_columns(model=pl.lit("lenet")))
    rest = formats.published(other)
    assert rest is not None and rest.is_empty()


def test_the_list_of_formats_is_read_without_polars_or_altair() -> None:
    code = (
        "import sys; from prunectl.report.formats import FORMATS; "
        "print(len(FORMATS), [name for name in ('polars', 'altair', 'torch', 'jinja2') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "9 []"


def test_every_report_for_people_states_that_its_steps_were_made_on_different_hardware(results: Results) -> None:
    one, two = (HardwareClass(device="cpu/x86_64/AVX2", threads=threads) for threads in (1, 2))
    for made_on, stated in (({one: 5}, False), ({one: 5, two: 3}, True)):
        mixed = replace(results, made_on=made_on)
        for shown in (formats.html(mixed), formats.render(mixed, "md"), text.table(mixed, 500)):
            assert isinstance(shown, str)
            clean = shown.replace("\\_", "_").replace("&#x2F;", "/")
            assert ("5 on cpu/x86_64/AVX2 with 1 thread and 3 on cpu/x86_64/AVX2 with 2 threads" in clean) is stated


def test_every_format_for_people_marks_arms_at_chance_and_explains_the_mark(results: Results) -> None:
    good = replace(results, trials=results.trials.with_columns(pl.col("top1").clip(0.2)))
    guess = (pl.col("criterion") == "snip") & (pl.col("sparsity") > 0.5)
    found = replace(good, trials=good.trials.with_columns(top1=pl.when(guess).then(0.1).otherwise("top1")))
    marks = {"md": "10.00ᶜ", "latex": "10.00$^{c}$", "html": "10.00ᶜ"}
    for format, mark in marks.items():
        shown = str(render(found, format))
        assert mark in shown and "at chance: no better than guessing, with every seed" in shown, format
        assert "ᶜ" not in str(render(good, format)).replace('.replace(/ᶜ/g, "$$^{c}$$")', ""), format
    terminal = text.table(found, 100)
    assert "10.00ᶜ" in terminal and "ᶜ at chance: no better than guessing" in terminal
    document = json.loads(render(found, "json"))["summary"]
    where = {(row["arm"].partition(" ")[0], row["sparsity"]) for row in document["arms"] if row["at_chance"]}
    assert where == {("snip", sparsity) for sparsity in (0.6, 0.9, 0.98)}
    assert {row["none_above_chance"] for row in document["best"]} == {False}
