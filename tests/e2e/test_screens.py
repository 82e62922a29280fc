"""The page as pictures: in light, in dark, on paper and on a phone it looks as the reference pictures do.

The references in `screens/` are small: header, summary, tables and each chart, 160 px wide. Blocks of pixels are
compared by their mean colours, so that another font or browser passes and a chart that is gone does not. After a
change of the page on purpose, draw them again and look at them:

    PRUNECTL_DRAW_SCREENS=1 pytest tests/e2e/test_screens.py
"""

from __future__ import annotations

import base64
import io
import os
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import browser
import made_up
from prunectl.report import page
from prunectl.results.claims import verdicts

pytestmark = pytest.mark.skipif(browser.CHROMIUM is None, reason="needs Chromium: `apt-get install chromium`")

SCREENS = Path(__file__).parent / "screens"
CELL_PX, COLUMNS, BLOCK_PX = (160, 100), 2, 10
PARTS = "header, #summary, [data-chart], #grid-table, #resources-table"
NARROW = 560
"""The width below which the page lists the names of lines."""
FILLED = 0.8
"""The least share of its place that a chart with panels fills."""
MOST_APART, MOST_COLOUR, MOST_INK = 8.0, 1.2, 1.8
"""How far the blocks of one part may be apart on average, of 255: in anything, and in what is not grey; and how many
times as much may be drawn on its background. Other fonts come to 4, 0.8 and 1.4.
"""

LOOKS = {
    "light": (1280, {"media": "", "features": [{"name": "prefers-color-scheme", "value": "light"}]}),
    "dark": (1280, {"media": "", "features": [{"name": "prefers-color-scheme", "value": "dark"}]}),
    "print": (794, {"media": "print", "features": [{"name": "prefers-color-scheme", "value": "light"}]}),
    "phone": (390, {"media": "", "features": [{"name": "prefers-color-scheme", "value": "light"}]}),
}
LABELS = "[...chart.querySelectorAll('[class*=role-axis-label] text')].filter((label) => label.textContent.trim())"
TOUCHING = f"""[...document.querySelectorAll('[data-chart]')].flatMap((chart) => {{
  const boxes = {LABELS}.map((label) => [label.textContent, label.getBoundingClientRect()]);
  const touch = (a, b) => a.left < b.right && b.left < a.right && a.top + 2 < b.bottom && b.top + 2 < a.bottom;
  return boxes.flatMap(([text, box], at) => boxes.slice(at + 1).filter(([, other]) => touch(box, other))
    .map(([other]) => `${{chart.dataset.chart}}: ${{text}}, ${{other}}`));
}})"""
"""The labels of ticks that lie on each other."""
ROTATED = f"""[...document.querySelectorAll('[data-chart]')].flatMap((chart) =>
  {LABELS}.filter((label) => /rotate\\((?!0)/.test(label.getAttribute('transform')))
    .map((label) => label.textContent))"""
"""The labels of ticks that are not horizontal."""
CLAIMS = """[...document.querySelectorAll("#chart-claims g.role-scope[class*='_concat_']")].map((panel) => {
  const edge = (mark, side) => mark.getBoundingClientRect()[side];
  const texts = [...panel.querySelectorAll('[class*=role-axis-label] text')];
  const labels = texts.filter((label) => label.textContent.endsWith('%'));
  const marks = [...panel.querySelectorAll('.mark-symbol.role-mark path')];
  const left = Math.min(...marks.map((mark) => edge(mark, 'left')));
  return [labels.length, labels.filter((label) => edge(label, 'right') > left).length];
})"""
"""Of the panel of each claim: how many labels its cases have, and how many of these reach into the plot."""
TITLES = """[...document.querySelectorAll("#chart-claims .role-title-text text")].map((title) =>
  [parseInt(title.textContent, 10), Math.max(1, title.querySelectorAll("tspan").length)])"""
"""Of the title of the panel of each claim: its number, and on how many lines it is."""
WIDTHS = (390, 768, 1280)
"""Of a phone, a tablet and a laptop. The last one is what the other tests need."""


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of made-up results."""
    results = made_up.results(seeds=2, epochs=20)
    found = tmp_path_factory.mktemp("screens") / "report.html"
    found.write_text(page.build(results, verdicts(results)), encoding="utf-8")
    return found


@pytest.fixture(scope="module")
def tab(page_file: Path) -> Iterator[browser.Page]:
    """The page, drawn at the width of a laptop."""
    with browser.page() as opened:
        opened.open(page_file)
        yield opened


def test_on_a_phone_the_list_of_lines_has_their_marks_and_the_number_of_the_dense_network(
    page_file: Path, tab: browser.Page
) -> None:
    tab.open(page_file, width=390)
    listed = (
        "[...document.querySelectorAll('#chart-top1-sparsity .names li')].map((line) => [line.textContent,"
        " line.querySelectorAll('path').length, line.querySelector('line').getAttribute('stroke-dasharray')])"
    )
    *lines, dense = tab.evaluate(listed)
    assert [shape for _, shape, _ in lines] == [1] * 6, "each line has the shape of its marks"
    assert len({dash for _, _, dash in lines}) == 3, "and its dash: at init, without retraining, fine-tuned"
    assert dense == ["dense 93.5 %", 0, "3 3"]


def test_at_every_width_charts_are_within_the_page_and_use_it(page_file: Path, tab: browser.Page) -> None:
    """No chart scrolls, none is cut, every tick has its label, and those with panels fill their place."""
    for width in WIDTHS:
        tab.open(page_file, width=width)
        assert tab.evaluate("document.documentElement.scrollWidth") == width
        assert (
            tab.evaluate(
                "[...document.querySelectorAll('.chart')].filter((place) => place.scrollWidth > place.clientWidth + 1)"
                ".map((place) => `${place.dataset.chart} ${place.scrollWidth}`)"
            )
            == []
        ), f"at {width} px"
        filled = tab.evaluate(
            "[...document.querySelectorAll('.wide .chart')].map((place) => [place.dataset.chart,"
            " place.querySelector('svg').getBoundingClientRect().width / place.clientWidth])"
        )
        assert {name for name, share in filled if share < FILLED} == set(), f"at {width} px: {filled}"
        names = tab.evaluate("document.querySelectorAll('#chart-top1-sparsity .names li').length")
        assert names == (7 if width == 390 else 0), "on a phone the names of lines are a list, with the dense network"
        assert tab.evaluate(TOUCHING) == [], f"at {width} px"
        assert tab.evaluate(ROTATED) == [], "labels of ticks are horizontal"
        assert tab.evaluate(CLAIMS) == [[4, 0], [1, 0], [4, 0]], "labels of cases are left of their plot"
        lines = dict(tab.evaluate(TITLES))
        assert list(lines) == [1, 2, 3], "panels are in the order of the claims"
        assert (max(lines.values()) == 1) == (width > NARROW), "titles wrap only where their panel is narrow"
        ticks = tab.evaluate("[...document.querySelectorAll('#chart-top1-sparsity .role-axis-label')][0].textContent")
        assert all(text in ticks for text in ("0 %", "30 %", "60 %", "90 %", "98 %")), ticks
    assert not [text for text in tab.said if "Infinite extent" in text]


def screen(tab: browser.Page, look: str) -> Image.Image:
    """The parts of the page in a look, each in its own cell, so that none moves with the height of another."""
    width, media = LOOKS[look]
    # Half the size is enough, and takes a quarter of the time.
    tab.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=0.5, mobile=False)
    tab.call("Emulation.setEmulatedMedia", **media)
    tab.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    boxes = tab.evaluate(
        f"[...document.querySelectorAll('{PARTS}')].map((part) => {{ const b = part.getBoundingClientRect();"
        " return [b.x + scrollX, b.y + scrollY, b.right + scrollX, b.bottom + scrollY]; })"
    )
    shot = tab.call("Page.captureScreenshot", captureBeyondViewport=True)["data"]
    whole = Image.open(io.BytesIO(base64.b64decode(shot))).convert("RGB")
    rows = -(-len(boxes) // COLUMNS)
    sheet = Image.new("RGB", (CELL_PX[0] * COLUMNS, CELL_PX[1] * rows), "#808080")
    for at, box in enumerate(boxes):
        left, top, right, bottom = (round(edge / 2) for edge in box)
        if right > left and bottom > top:
            cell = whole.crop((left, top, min(right, whole.width), bottom)).resize(CELL_PX, Image.Resampling.BOX)
            sheet.paste(cell, (at % COLUMNS * CELL_PX[0], at // COLUMNS * CELL_PX[1]))
    return sheet


def blocks(sheet: Image.Image) -> NDArray[np.float64]:
    """Mean colours: parts × blocks × RGB."""
    (width, height), rows = CELL_PX, sheet.height // CELL_PX[1]
    pixels = np.asarray(sheet.convert("RGB"), np.float64).reshape(
        rows, height // BLOCK_PX, BLOCK_PX, COLUMNS, width // BLOCK_PX, BLOCK_PX, 3
    )
    means: NDArray[np.float64] = pixels.mean((2, 5)).transpose(0, 2, 1, 3, 4).reshape(rows * COLUMNS, -1, 3)
    return means


def differing(seen: Image.Image, wanted: Image.Image) -> list[str]:
    """The parts that look different, by number, with how much; empty if the page looks as it did."""
    ones, others = blocks(seen), blocks(wanted)
    if ones.shape != others.shape:
        return [f"{len(ones)} parts, not {len(others)}"]
    apart = np.abs(ones - others).max(-1).mean(-1)
    hues = [part - part.mean(-1, keepdims=True) for part in (ones, others)]
    colour = np.abs(hues[0] - hues[1]).max(-1).mean(-1)
    inks = [np.abs(part - np.median(part, 1, keepdims=True)).mean((1, 2)) + 0.1 for part in (ones, others)]
    ink = inks[0] / inks[1]
    return [
        f"part {at + 1}: {apart[at]:.1f} apart, {colour[at]:.1f} in colour, {ink[at]:.2f} times the ink"
        for at in range(len(ink))
        if apart[at] > MOST_APART or colour[at] > MOST_COLOUR or not 1 / MOST_INK < ink[at] < MOST_INK
    ]


def reference(look: str) -> Image.Image:
    return Image.open(SCREENS / f"{look}.png")


@pytest.mark.parametrize("look", LOOKS)
def test_it_looks_as_it_did(page_file: Path, tab: browser.Page, look: str, tmp_path: Path) -> None:
    narrow = LOOKS[look][0] < NARROW  # charts take the width at which the page is opened
    if narrow:
        tab.open(page_file, width=LOOKS[look][0])
    seen, file = screen(tab, look), SCREENS / f"{look}.png"
    if narrow:
        tab.open(page_file)
    if os.environ.get("PRUNECTL_DRAW_SCREENS"):
        SCREENS.mkdir(exist_ok=True)
        seen.quantize(128, method=Image.Quantize.MAXCOVERAGE, kmeans=3).save(file, optimize=True)
        pytest.skip(f"{file.name} is drawn again: look at it")
    seen.save(tmp_path / file.name)
    assert file.stat().st_size < 40_000
    assert differing(seen, reference(look)) == [], f"compare {tmp_path / file.name} with {file}"


def restyled(tab: browser.Page, rule: str) -> list[str]:
    """What differs on the page with one more rule of style."""
    tab.evaluate(f"document.styleSheets[0].insertRule({rule!r}, document.styleSheets[0].cssRules.length)")
    try:
        return differing(screen(tab, "light"), reference("light"))
    finally:
        tab.evaluate("document.styleSheets[0].deleteRule(document.styleSheets[0].cssRules.length - 1)")


def test_another_font_is_no_other_page(tab: browser.Page) -> None:
    assert restyled(tab, '* { font-family: "Liberation Sans Narrow", "DejaVu Serif", serif !important; }') == []


@pytest.mark.parametrize(
    ("rule", "parts"),
    [
        (".vega-embed { visibility: hidden; }", 15),  # no chart is drawn
        ("#chart-top1-sparsity .vega-embed { visibility: hidden; }", 1),
        (".chart svg { filter: hue-rotate(180deg); }", 10),  # every line in the colour of another
        ("table { display: none; }", 2),
    ],
)
def test_a_broken_page_is_noticed(tab: browser.Page, rule: str, parts: int) -> None:
    assert len(restyled(tab, rule)) >= parts


def test_on_paper_nothing_is_cut_off(tab: browser.Page) -> None:
    """Pages are upright for charts and across for tables, without pages of trials, which a file has."""
    screen(tab, "print")
    wide = tab.evaluate(
        "[...document.querySelectorAll('[data-chart] svg')].filter((e) => e.getBoundingClientRect().right > 794).length"
    )
    assert wide == 0
    tab.call("Emulation.setEmulatedMedia", media="")
    data = base64.b64decode(tab.call("Page.printToPDF", paperWidth=8.27, paperHeight=11.69)["data"])
    sizes = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", data)
    upright = [width < height for width, height in ((float(a), float(b)) for a, b in sizes)]
    assert 4 <= upright.count(True) <= 6
    assert 1 <= upright.count(False) <= 3
