"""The page of a running study, from the first trial to the last."""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

import browser
import made_up
from cli import TINY, command, environment, prunectl, write_study
from prunectl.report import formats

SMALL = TINY.replace("seeds = [1, 2]", "seeds = [1]").partition('\n[[prune]]\ncriterion = "snip"')[0]

COUNT = "document.getElementById('count').textContent"


@contextmanager
def watching(study: Path, store: Path) -> Iterator[subprocess.Popen[str]]:
    """`report --watch`, once it has written its first page."""
    process = subprocess.Popen(
        command("report", study, "--watch", "--every", "0.5"),
        stderr=subprocess.PIPE, text=True, env=environment(store), cwd=store.parent,
    )  # fmt: skip
    try:
        assert process.stderr is not None
        assert "0 of 3 trials done: results/tiny/report.html" in process.stderr.readline()
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def test_it_is_written_again_until_every_trial_is_done(tmp_path: Path) -> None:
    study, page = write_study(tmp_path, SMALL), tmp_path / "results" / "tiny" / "report.html"
    with watching(study, tmp_path / "store") as process:
        first = page.read_text()
        assert '<meta http-equiv="refresh" content="2">' in first
        assert "0 of 3 trials are done, 3 are missing: magnitude · at init (3)." in first
        assert re.search(r"Written \d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+-]", first)
        assert prunectl("run", study, "--quiet", store=tmp_path / "store").code == 0
        _, err = process.communicate(timeout=120)
    assert process.returncode == 0
    assert err.splitlines()[-1].endswith("3 of 3 trials done: results/tiny/report.html")
    last = page.read_text()
    assert 'http-equiv="refresh"' not in last and "Not finished" not in last
    assert [file.name for file in tmp_path.iterdir() if file.name.startswith(".")] == []


def test_ctrl_c_is_a_normal_end_and_the_page_stops_reloading(tmp_path: Path) -> None:
    study = write_study(tmp_path, SMALL)
    with watching(study, tmp_path / "store") as process:
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert "Traceback" not in err
    page = (tmp_path / "results" / "tiny" / "report.html").read_text()
    assert 'http-equiv="refresh"' not in page and "Not finished" in page


@pytest.fixture
def reloading(tmp_path: Path) -> Path:
    """The page of an unfinished study, which reloads itself two seconds after it has been loaded."""
    results = made_up.results(seeds=2)
    late = pl.col("seed") == 2
    gone = [pl.when(late).then(None).otherwise(name).alias(name) for name in ("top1", "top1_before_retrain")]
    status = pl.when(late).then(pl.lit("missing")).otherwise("status").alias("status")
    going = replace(results, trials=results.trials.with_columns(*gone, status))
    file = tmp_path / "page.html"
    file.write_text(formats.html(going, written="2026-11-03 14:02:11+01:00", reload_s=2), encoding="utf-8")
    return file


CHOOSE = """
document.readyState === 'complete' && (() => {
  if (document.documentElement.dataset.theme !== 'dark') document.getElementById('theme').click();
  const filter = document.getElementById('filter');
  filter.value = 'snip';
  filter.dispatchEvent(new Event('input'));
  document.querySelector('#chart-layers').scrollIntoView();
  return window.old = true;
})()
"""
"""Chooses as soon as the page is loaded, in one piece, so that no reload comes in between; that page is then `old`."""

KEPT = f"""
[document.documentElement.dataset.theme, {COUNT}, document.querySelector('#chart-layers').getBoundingClientRect().top]
"""


@pytest.mark.skipif(browser.CHROMIUM is None, reason="needs Chromium: `apt-get install chromium`")
def test_the_page_loads_itself_again_and_keeps_what_was_chosen(reloading: Path) -> None:
    with browser.page() as tab:
        tab.go(reloading.as_uri())
        tab.wait(CHOOSE)
        reloaded = "!window.old && document.readyState === 'complete' && !document.getElementById('theme').hidden"
        theme, count, top = tab.wait(f"{reloaded} && {KEPT}")
        assert (theme, count) == ("dark", "40 of 180")
        assert abs(top) < 60
        assert set(tab.asked) == {reloading.as_uri()}
        assert len(tab.asked) > 1


def test_a_report_of_an_unfinished_study_names_what_is_missing(tmp_path: Path) -> None:
    ran = prunectl("report", write_study(tmp_path), store=tmp_path / "store")
    assert ran.code == 0
    assert "tiny is not finished: 0 of 18 trials are done, 18 are missing: magnitude · at init (6), " in ran.err
    page = (tmp_path / "results" / "tiny" / "report.html").read_text()
    assert "Not finished" in page and "Written 2" in page and 'http-equiv="refresh"' not in page


def test_what_cannot_be_watched_is_refused(tmp_path: Path) -> None:
    study = write_study(tmp_path)
    for more in (["--format", "csv"], ["-o", "-"], [str(study)], ["-o", "no/such/place.html"]):
        ran = prunectl("report", study, "--watch", *more, store=tmp_path / "store")
        assert ran.code == 2
        assert "Traceback" not in ran.err
