"""The page in a real browser: it draws, answers, writes nothing to the console, and requests nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

import browser
import made_up
from prunectl.report import page, tables
from prunectl.results.claims import verdicts
from prunectl.results.table import Results

pytestmark = pytest.mark.skipif(browser.CHROMIUM is None, reason="needs Chromium: `apt-get install chromium`")

HOSTILE = "</script><script>window.caught = 1</script><img src=x onerror='window.caught = 2'>\"'`\u202e\x07"
CHARTS = 16


def written(results: Results, file: Path) -> Path:
    file.write_text(page.build(results, verdicts(results)), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(made_up.results(), tmp_path_factory.mktemp("page") / "report.html")


@pytest.fixture(scope="module")
def tab() -> Iterator[browser.Page]:
    with browser.page() as opened:
        yield opened


@pytest.fixture
def opened(tab: browser.Page, file: Path) -> browser.Page:
    tab.said.clear()
    tab.asked.clear()
    tab.open(file)
    return tab


def test_every_chart_is_drawn_without_a_message_or_a_request(opened: browser.Page, file: Path) -> None:
    assert opened.evaluate("document.querySelectorAll('[data-chart] svg.marks').length") == CHARTS
    assert opened.evaluate("document.querySelectorAll('.error').length") == 0
    marks = "[...document.querySelectorAll('[data-chart]')].map((e) => e.querySelectorAll('.role-mark > *').length)"
    assert min(opened.evaluate(marks)) > 3
    assert opened.said == []
    assert opened.asked == [file.as_uri()]


def test_pointing_at_a_mark_shows_its_numbers(opened: browser.Page) -> None:
    opened.evaluate("document.querySelector('#chart-top1-sparsity').scrollIntoView()")
    place = opened.evaluate(
        "(() => { const b = document.querySelector('#chart-top1-sparsity .mark-symbol.role-mark path:last-of-type')"
        ".getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2]; })()"
    )
    opened.point(*place)
    opened.wait("!!document.querySelector('#vg-tooltip-element.visible')")
    tooltip = opened.evaluate("document.querySelector('#vg-tooltip-element').textContent")
    assert "arm" in tooltip
    assert "seeds" in tooltip
    assert "%" in tooltip
    opened.point(1, 1)


def test_switches_take_a_criterion_out_of_every_chart(opened: browser.Page) -> None:
    shapes = "document.querySelectorAll('#chart-top1-sparsity .mark-symbol.role-mark path').length"
    before = opened.evaluate(shapes)
    opened.evaluate("document.querySelector('#switches input[value=\"2\"]').click()")
    opened.wait(f"{shapes} === {before - 5 - 5 * 5}")
    names = "[...document.querySelectorAll('#chart-top1-sparsity text')].map((e) => e.textContent).join('|')"
    assert "snip" not in opened.evaluate(names)
    opened.evaluate("document.querySelector('#switches input[value=\"2\"]').click()")
    opened.wait(f"{shapes} === {before}")
    assert opened.said == []


def test_the_filter_shows_the_rows_that_hold_all_words(opened: browser.Page) -> None:
    rows = "[...document.querySelectorAll('#trials-table tbody tr')].filter((r) => !r.hidden).length"
    assert opened.evaluate(rows) == 450
    opened.evaluate(
        "(() => { const f = document.getElementById('filter'); f.value = 'SNIP invert';"
        " f.dispatchEvent(new Event('input')); })()"
    )
    opened.wait(f"{rows} === 25")
    assert opened.evaluate("document.getElementById('count').textContent") == "25 of 450"
    opened.evaluate("document.getElementById('all').click()")
    assert opened.evaluate(rows) == 450


def test_heads_sort_by_key_and_by_click(opened: browser.Page) -> None:
    column = "[...document.querySelectorAll('#grid-table tbody tr')].map((r) => parseFloat(r.cells[4].textContent))"
    opened.evaluate("document.querySelectorAll('#grid-table th button')[4].focus()")
    opened.press("Enter", 13)
    values = opened.evaluate(column)
    assert values == sorted(values)
    opened.press("Enter", 13)
    assert opened.evaluate(column) == values[::-1]
    assert opened.evaluate("document.querySelectorAll('#grid-table th')[4].getAttribute('aria-sort')") == "descending"


def test_the_trials_behind_a_claim_are_one_click_away(opened: browser.Page) -> None:
    opened.evaluate("document.querySelectorAll('.claim details')[1].open = true")
    opened.evaluate("document.querySelectorAll('.behind')[1].click()")
    rows = "[...document.querySelectorAll('#trials-table tbody tr')]"
    cells = f"{rows}.filter((r) => !r.hidden).map((r) => r.textContent)"
    rows_shown = opened.evaluate(cells)
    assert len(rows_shown) == 10
    assert all("98" in text and ("synflow" in text or "magnitude" in text) for text in rows_shown)


def test_a_cut_table_is_filtered_and_sorted_and_counts_the_trials_that_it_lacks(
    tab: browser.Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The table ends before the networks of SNIP and SynFlow, which the claims are about."""
    monkeypatch.setattr(tables, "LISTED", 100)
    tab.open(written(made_up.results(seeds=2), tmp_path / "cut.html"))
    count = "document.getElementById('count').textContent"
    assert tab.evaluate(count) == "100 of the first 100"
    tab.evaluate("document.querySelector('#trials-table th button').click()")
    assert tab.evaluate("document.querySelectorAll('#trials-table tbody tr').length") == 100
    keys = tab.evaluate("document.querySelectorAll('.behind')[1].dataset.keys.split(' ')")
    rows = "[...document.querySelectorAll('#trials-table tbody tr')]"
    listed = set(tab.evaluate(f"{rows}.map((row) => row.lastElementChild.textContent.trim())"))
    lacking = [key for key in keys if key not in listed]
    assert lacking
    tab.evaluate("document.querySelectorAll('.behind')[1].click()")
    listed_rows = tab.evaluate(f"{rows}.filter((row) => !row.hidden).length")
    assert tab.evaluate(count) == f"{listed_rows} of the first 100, {len(lacking)} not in this table"
    tab.evaluate("document.getElementById('all').click()")
    assert tab.evaluate(count) == "100 of the first 100"


def test_tables_are_copied_as_csv_markdown_and_latex(opened: browser.Page) -> None:
    opened.evaluate("navigator.clipboard.writeText = async (value) => { window.copied = value; }")
    copied = {}
    for format in ("csv", "md", "latex"):
        opened.evaluate(f"document.querySelector('[data-table=grid-table] [data-copy={format}]').click()")
        opened.wait("!!window.copied")
        copied[format] = opened.evaluate("window.copied").splitlines()
        opened.evaluate("window.copied = null")
    assert copied["csv"][0] == "arm,30 %,60 %,90 %,98 %,matching"
    assert copied["csv"][1].startswith("magnitude · at end · finetune,93.5")
    assert copied["md"][1] == "| --- | --- | --- | --- | --- | --- |"
    assert copied["latex"][2] == r"arm & 30 \% & 60 \% & 90 \% & 98 \% & matching \\"


def test_a_chart_is_saved_as_svg(opened: browser.Page) -> None:
    opened.evaluate(
        "URL.createObjectURL = (blob) => { blob.text().then((text) => { window.saved = text; }); return '#'; }"
    )
    opened.evaluate("document.querySelector('#chart-time [data-save=svg]').click()")
    opened.wait("!!window.saved")
    assert opened.evaluate("window.saved").startswith("<svg")


def test_light_and_dark(tab: browser.Page, file: Path) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    ink = "getComputedStyle(document.querySelector('#chart-top1-sparsity .role-axis-label text')).fill"
    seen = {}
    for dark in (False, True):
        tab.open(file, dark=dark)
        seen[dark] = (tab.evaluate(ground), tab.evaluate(ink))
        tab.evaluate("document.getElementById('theme').click()")
        assert tab.evaluate(ground) != seen[dark][0]
    assert seen[False] == ("rgb(255, 255, 255)", "rgb(26, 28, 32)")
    assert seen[True] == ("rgb(20, 22, 26)", "rgb(230, 232, 236)")


@pytest.mark.parametrize("width", [360, 768, 1600])
def test_it_fits_the_window(tab: browser.Page, file: Path, width: int) -> None:
    tab.open(file, width=width)
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    assert tab.evaluate("document.querySelector('#chart-top1-sparsity svg').getBoundingClientRect().width") <= width


ALONE = """[...document.querySelectorAll('.figures')].map((place) => {
  const narrow = [...place.children].filter((figure) => !figure.matches('.wide'));
  const last = narrow.at(-1);
  return narrow.length % 2 ? last.getBoundingClientRect().width / place.getBoundingClientRect().width : null;
}).filter((share) => share !== null)"""


def test_a_chart_without_a_neighbour_takes_the_width_of_the_page(opened: browser.Page) -> None:
    shares = opened.evaluate(ALONE)
    assert shares and min(shares) > 0.99


def test_a_picture_of_it_is_not_blank(opened: browser.Page, tmp_path: Path) -> None:
    opened.picture(tmp_path / "page.png")
    assert (tmp_path / "page.png").stat().st_size > 300_000


def test_without_scripts_the_numbers_are_on_the_page(tab: browser.Page, file: Path) -> None:
    tab.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        tab.go(file.as_uri())
        root = tab.call("DOM.getDocument")["root"]["nodeId"]
        text = tab.call("DOM.getOuterHTML", nodeId=root)["outerHTML"]
    finally:
        tab.go("about:blank")  # leave the page before scripts are on again, or its scripts would begin half-way through
        tab.call("Emulation.setScriptExecutionDisabled", value=False)
    assert "makes no requests to the network" in text
    assert "scripts are off" in text
    assert text.count("<tr") > 450


def test_hostile_names_stay_inert(tab: browser.Page, tmp_path: Path) -> None:
    results = made_up.results(seeds=2)
    long = HOSTILE + "x" * 10_000
    claim = results.study.claim[0].model_copy(update={"text": long})
    study = results.study.model_copy(update={"title": long, "source": long, "claim": (claim,)})
    named = [pl.concat_str([pl.col(name), pl.lit(HOSTILE)]).alias(name) for name in ("criterion", "arm", "model", "at")]
    hostile = replace(
        results,
        study=study,
        study_text=long,
        trials=results.trials.with_columns(*named, pl.lit(HOSTILE).alias("reason")),
        layers=results.layers.with_columns(named[1], pl.lit(HOSTILE).alias("layer")),
        versions={HOSTILE: HOSTILE},
    )
    file = written(hostile, tmp_path / "hostile.html")
    tab.said.clear()
    tab.asked.clear()
    tab.open(file)
    assert tab.evaluate("window.caught") is None
    assert tab.evaluate("document.querySelectorAll('img').length") == 0
    assert tab.evaluate("document.querySelectorAll('.error').length") == 0
    assert tab.evaluate("document.documentElement.scrollWidth") <= 1280
    assert tab.asked == [file.as_uri()]
    assert tab.said == []
