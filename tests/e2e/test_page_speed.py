"""Large studies: a page of a thousand trials can be read at once, ten of them as well, and draws each chart once.

Measured on two cores with something else going on: a page of 990 trials is built in 4 s of CPU time, is
1.45 MB large, can be read after 0.3 s, and its first chart is there after 0.4 s. The bounds leave room for less.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import altair as alt
import pytest

import browser
import made_up
from prunectl.report import page
from prunectl.results.claims import verdicts
from prunectl.results.table import Results

needs_browser = pytest.mark.skipif(
    browser.CHROMIUM is None, reason="no Chromium here: `apt-get install chromium` lets the page be timed"
)

READ = "performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"
SPY = """
window.drawn = [];
Object.defineProperty(window, "vegaEmbed", {
  set(embed) { this.embed = (place, ...rest) => { drawn.push([place.dataset.chart, performance.now()]);
    return embed(place, ...rest).then((result) => { drawn.push(["", performance.now()]); return result; }); }; },
  get() { return this.embed; },
});
"""
"""Notes when each chart is begun and when it is there."""
FIRST = "Math.min(...drawn.filter(([name]) => !name).map(([, at]) => at))"


def built(results: Results) -> str:
    return page.build(results, verdicts(results.study.claim, results.trials, results.arms))


@pytest.fixture(scope="module")
def thousand(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page of 990 trials."""
    results = made_up.results(seeds=11)
    assert results.trials.height == 990
    begin = time.process_time()
    html = built(results)
    spent_s = time.process_time() - begin
    assert spent_s < 8
    assert len(html.encode()) < 2_000_000
    file = tmp_path_factory.mktemp("speed") / "report.html"
    file.write_text(html, encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def tab() -> Iterator[browser.Page]:
    with browser.page() as opened:
        opened.call("Page.addScriptToEvaluateOnNewDocument", source=SPY)
        yield opened


@needs_browser
def test_ten_studies_of_a_thousand_trials_open_one_after_the_other(tab: browser.Page, thousand: Path) -> None:
    """The text can be read, and what is in the window is drawn; charts further down are drawn when nothing else is
    to do.
    """
    read, seen = [], []
    for _ in range(10):
        tab.call("Page.navigate", url=thousand.as_uri())
        tab.wait("document.readyState === 'complete' && drawn.some(([name]) => !name)")
        read.append(tab.evaluate(READ))
        seen.append(tab.evaluate(FIRST))
    assert sorted(read)[5] < 1000, read
    assert sorted(seen)[5] < 2000, seen


@needs_browser
def test_no_chart_is_drawn_twice(tab: browser.Page, thousand: Path) -> None:
    tab.open(thousand)
    tab.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    tab.evaluate("dispatchEvent(new Event('beforeprint')), dispatchEvent(new Event('afterprint'))")
    tab.evaluate("new Promise((done) => setTimeout(done, 300))")
    begun = Counter(name for name, _ in tab.evaluate("drawn") if name)
    assert set(begun.values()) == {1}
    assert len(begun) == tab.evaluate("document.querySelectorAll('[data-chart]').length")


def test_no_chart_is_built_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    kept, begun, built_charts = alt.TopLevelMixin.to_dict, 0, Counter[str]()

    def counting(self: Any, *arguments: Any, **options: Any) -> Any:
        nonlocal begun
        begun += 1
        try:
            found = kept(self, *arguments, **options)
        finally:
            begun -= 1
        built_charts.update([] if begun else [str(found)])  # not the parts of a chart
        return found

    monkeypatch.setattr(alt.TopLevelMixin, "to_dict", counting)
    html = built(made_up.results(seeds=2, epochs=10))
    assert len(built_charts) == html.count('data-chart="')
    assert set(built_charts.values()) == {1}
