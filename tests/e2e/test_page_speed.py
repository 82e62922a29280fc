"""Large studies: a page of a thousand trials can be read at once, ten of them as well, and draws each chart once.

Nothing here depends on how fast a machine is, or on what else it does. Building a page is counted in calls of
functions. Opening one is measured in CPU time of the page's thread, in units of a loop that the same thread runs.
"""

from __future__ import annotations

import cProfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import altair as alt
import pytest

import browser
import made_up
from prunectl.report import page
from prunectl.results.claims import verdicts
from prunectl.results.table import Results

needs_browser = pytest.mark.skipif(browser.CHROMIUM is None, reason="needs Chromium: `apt-get install chromium`")

READ = "performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"
SPY = """
window.drawn = [];
Object.defineProperty(window, "vegaEmbed", {
  set(embed) { this.embed = (place, ...rest) => { drawn.push([place.dataset.chart, performance.now()]);
    return embed(place, ...rest).then((result) => { drawn.push(["", performance.now()]); return result; }); }; },
  get() { return this.embed; },
});
"""
"""Records when each chart is begun, under its name, and when it is done, under no name."""
LOOP = "(() => { let sum = 0; for (let i = 0; i < 2e7; i++) sum += Math.sqrt(i); window.sum = sum; })()"
"""Takes 0.05 s of CPU time on a core of 2024; a page of 990 trials with its first chart takes three times that."""
FRAMES = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


def built(results: Results) -> str:
    return page.build(results, verdicts(results))


@pytest.fixture(scope="module")
def thousand(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page of 990 trials."""
    results = made_up.results(seeds=11)
    assert results.trials.height == 990
    with cProfile.Profile() as profile:
        html = built(results)
    assert sum(entry.callcount for entry in profile.getstats()) < 20_000_000
    assert len(html.encode()) < 2_000_000
    file = tmp_path_factory.mktemp("speed") / "report.html"
    file.write_text(html, encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def tab() -> Iterator[browser.Page]:
    with browser.page() as opened:
        opened.call("Performance.enable", timeDomain="threadTicks")
        opened.call("Page.addScriptToEvaluateOnNewDocument", source=SPY)
        yield opened


def cpu_s(tab: browser.Page) -> float:
    """The CPU time that the thread of a tab has taken."""
    metrics = {metric["name"]: metric["value"] for metric in tab.call("Performance.getMetrics")["metrics"]}
    return float(metrics["TaskDuration"])


@needs_browser
def test_ten_studies_of_a_thousand_trials_open_one_after_the_other(tab: browser.Page, thousand: Path) -> None:
    """From nothing to a page that can be read, with the first chart in the window drawn."""
    ratios = []
    for _ in range(10):
        tab.go("about:blank")
        before = cpu_s(tab)
        tab.evaluate(LOOP)
        begin = cpu_s(tab)
        tab.go(thousand.as_uri())
        tab.wait("drawn.some(([name]) => !name)")
        ratios.append((cpu_s(tab) - begin) / (begin - before))
    assert median(ratios) < 15, ratios


@needs_browser
def test_the_text_can_be_read_before_any_chart_is_drawn(tab: browser.Page, thousand: Path) -> None:
    tab.open(thousand)
    begun = [at for name, at in tab.evaluate("drawn") if name]
    assert tab.evaluate(READ) <= min(begun)


@needs_browser
def test_charts_in_the_window_are_drawn_before_those_further_down(tab: browser.Page, thousand: Path) -> None:
    tab.open(thousand)
    begun = [name for name, _ in tab.evaluate("drawn") if name]
    places = tab.evaluate("[...document.querySelectorAll('[data-chart]')].map((place) => place.dataset.chart)")
    assert begun[0] == places[0]
    assert sorted(begun) == sorted(places)


@needs_browser
def test_no_chart_is_drawn_twice(tab: browser.Page, thousand: Path) -> None:
    tab.open(thousand)
    tab.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    tab.evaluate("dispatchEvent(new Event('beforeprint')), dispatchEvent(new Event('afterprint'))")
    tab.evaluate(FRAMES)  # charts that come into the window are noticed after a frame
    begun = Counter(name for name, _ in tab.evaluate("drawn") if name)
    assert set(begun.values()) == {1}
    assert len(begun) == tab.evaluate("document.querySelectorAll('[data-chart]').length")


def test_no_chart_is_built_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    kept, begun, built_charts = alt.TopLevelMixin.to_dict, 0, Counter[str]()

    def counting(self: Any, *arguments: Any, **options: Any) -> Any:
        nonlocal begun
        begun += 1
        try:
            spec = kept(self, *arguments, **options)
        finally:
            begun -= 1
        built_charts.update([] if begun else [str(spec)])  # not the parts of a chart
        return spec

    monkeypatch.setattr(alt.TopLevelMixin, "to_dict", counting)
    html = built(made_up.results(seeds=2, epochs=10))
    assert len(built_charts) == html.count('data-chart="')
    assert set(built_charts.values()) == {1}
