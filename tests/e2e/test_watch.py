"""The page of a run that goes on, followed from nothing to its end."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
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
        assert "0 of 3 trials done: tiny.html" in process.stderr.readline()
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def test_it_is_written_anew_until_every_trial_is_there(tmp_path: Path) -> None:
    study, page = write_study(tmp_path, SMALL), tmp_path / "tiny.html"
    with watching(study, tmp_path / "store") as process:
        first = page.read_text()
        assert '<meta http-equiv="refresh" content="2">' in first
        assert "0 of 3 trials are done, 3 are missing: magnitude · at init (3)." in first
        assert re.search(r"Written \d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+-]", first)
        assert prunectl("run", study, "--quiet", store=tmp_path / "store").code == 0
        _, said = process.communicate(timeout=120)
    assert process.returncode == 0
    assert said.splitlines()[-1].endswith("3 of 3 trials done: tiny.html")
    last = page.read_text()
    assert 'http-equiv="refresh"' not in last and "Not finished" not in last
    assert [file.name for file in tmp_path.iterdir() if file.name.startswith(".")] == []


def test_ctrl_c_is_a_normal_end_and_the_page_stops_reloading(tmp_path: Path) -> None:
    study = write_study(tmp_path, SMALL)
    with watching(study, tmp_path / "store") as process:
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert "Traceback" not in said
    page = (tmp_path / "tiny.html").read_text()
    assert 'http-equiv="refresh"' not in page and "Not finished" in page


@pytest.mark.skipif(browser.CHROMIUM is None, reason="no Chromium here: `apt-get install chromium`")
def test_the_page_loads_itself_again_and_keeps_what_was_chosen(tmp_path: Path) -> None:
    results = made_up.results(seeds=2)
    late = pl.col("seed") == 2
    gone = [pl.when(late).then(None).otherwise(name).alias(name) for name in ("top1", "top1_before_retrain")]
    status = pl.when(late).then(pl.lit("missing")).otherwise("status").alias("status")
    file = tmp_path / "page.html"
    going = replace(results, trials=results.trials.with_columns(*gone, status))
    file.write_text(formats.html(going, written="2026-11-03 14:02:11+01:00", reload_s=4), encoding="utf-8")
    with browser.page() as tab:
        tab.open(file)
        tab.evaluate("document.getElementById('theme').click()")
        tab.evaluate("(() => { const f = document.getElementById('filter'); f.value = 'snip';"
                     " f.dispatchEvent(new Event('input')); })()")  # fmt: skip
        tab.evaluate("document.querySelector('#chart-layers').scrollIntoView()")
        tab.evaluate("window.old = true")
        read = "document.querySelector('#chart-layers').getBoundingClientRect().top"
        theme = "document.documentElement.dataset.theme"
        kept = f"window.old || document.readyState !== 'complete' ? null : [{theme}, {COUNT}, {read}]"
        found = None
        while found is None and len(tab.asked) < 3:
            time.sleep(0.2)
            with suppress(RuntimeError):  # asked while the page was going
                found = tab.evaluate(kept)
        assert found is not None
        assert found[:2] == ["dark", "40 of 180"]
        assert abs(found[2]) < 60
        assert set(tab.asked) == {file.as_uri()}


def test_a_report_of_an_unfinished_study_says_what_is_missing(tmp_path: Path) -> None:
    said = prunectl("report", write_study(tmp_path), store=tmp_path / "store")
    assert said.code == 0
    assert "tiny is not finished: 0 of 18 trials are done, 18 are missing: magnitude · at init (6), " in said.err
    page = (tmp_path / "tiny.html").read_text()
    assert "Not finished" in page and "Written 2" in page and 'http-equiv="refresh"' not in page


def test_what_cannot_be_watched_is_refused(tmp_path: Path) -> None:
    study = write_study(tmp_path)
    for more in (["--format", "csv"], ["-o", "-"], [str(study)], ["-o", "no/such/place.html"]):
        said = prunectl("report", study, "--watch", *more, store=tmp_path / "store")
        assert said.code == 2
        assert "Traceback" not in said.err
