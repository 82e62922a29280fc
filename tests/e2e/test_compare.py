"""`compare` through the command line, and its page in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

import browser
import made_up
from cli import TINY, Ran, prunectl, write_study

HOSTILE = "</script><script>window.caught = 1</script><img src=x onerror='window.caught = 2'>\"'`\u202e\x07"
ONE = TINY.replace("seeds = [1, 2]", "seeds = [1]").partition('\n[[prune]]\ncriterion = "snip"')[0]

needs_browser = pytest.mark.skipif(
    browser.CHROMIUM is None, reason="no Chromium here: `apt-get install chromium` lets the page be tested"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three results files: one, a better one, and a part of it."""
    place = tmp_path_factory.mktemp("compare")
    trials = made_up.results(seeds=3).trials
    made_up.write_table(trials, place / "a.csv")
    noise = [made_up.draw(row["arm"], row["seed"]).gauss(0.004, 0.002) for row in trials.iter_rows(named=True)]
    made_up.write_table(trials.with_columns(pl.col("top1") + pl.Series(noise)), place / "b.parquet")
    made_up.write_table(trials.filter(pl.col("seed") > 1), place / "c.json")
    return place


def compared(*arguments: str | Path, folder: Path) -> Ran:
    return prunectl("compare", *arguments, store=folder / "store", cwd=folder)


def test_tables_on_the_terminal_and_as_json(folder: Path) -> None:
    said = compared("a.csv", "b.parquet", "c.json", folder=folder)
    assert said.code == 0, said.err
    assert max(map(len, said.out.splitlines())) <= 100
    assert "A  a.csv" in said.out and "C − A" in said.out and "Only in A: 90 trials" in said.out
    for more in (["--json"], ["--format", "json"]):
        found = compared("a.csv", "b.parquet", *more, folder=folder).json()
        assert found["first"] == "a.csv"
        assert len(found["sides"][0]["cells"]) == 90


def test_published_numbers_beside_one_or_more(folder: Path) -> None:
    said = compared("a.csv", "published:comp6258-figure1", folder=folder)
    assert "published %" in said.out and "Mind: The SynFlow rows" in said.out
    one = compared("a.csv", "published:comp6258-figure1", "--json", folder=folder).json()
    assert one["published"] == "comp6258-figure1" and len(one["rows"]) == 60
    both = compared("published:comp6258-figure1", "a.csv", "b.parquet", "--json", folder=folder).json()
    assert [each["ours"] for each in both["published"]] == ["A", "B"]
    assert both["sides"][0]["name"] == "b.parquet"


def test_two_studies(tmp_path: Path) -> None:
    first = write_study(tmp_path, ONE, "first.toml")
    second = write_study(tmp_path, ONE.replace("lr = 0.05", "lr = 0.02"), "second.toml")
    for study in (first, second):
        assert prunectl("run", study, "-q", store=tmp_path / "store").code == 0
    said = compared(first, second, "-o", "both.html", folder=tmp_path)
    assert said.code == 0, said.err
    page = (tmp_path / "both.html").read_text()
    assert "train.lr" in page and "0.02" in page and "criterion = &#34;magnitude&#34;" in page
    text = compared(first, second, folder=tmp_path).out
    assert "train.lr: 0.05 → 0.02" in text
    assert "one seed each, so nothing is judged" in " ".join(text.split())


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["a.csv"], "two or more"),
        (["published:comp6258-figure1", "published:tanaka2020-figure6"], "yours"),
        (["a.csv", "published:comp6258-figure"], "comp6258-figure1"),
        (["a.csv", "b.parquet", "--format", "htm"], "html"),
        (["a.csv", "b.parquet", "--json", "--format", "html"], "exclude"),
        (["a.csv", "b.parquet", "--open", "--format", "text"], "--open"),
        (["a.csv", "b.parquet", "-o", "no/such/place.html"], "cannot be written"),
        (["a.csv"] * 13, "too many"),
    ],
)
def test_bad_command_lines_are_refused_in_words(arguments: list[str], expected: str, folder: Path) -> None:
    said = compared(*arguments, folder=folder)
    assert said.code == 2
    assert expected in said.err
    assert "Traceback" not in said.err


@pytest.fixture(scope="module")
def tab() -> Iterator[browser.Page]:
    with browser.page() as opened:
        yield opened


@pytest.fixture(scope="module")
def file(folder: Path) -> Path:
    said = compared("a.csv", "b.parquet", "c.json", "published:comp6258-figure1", "-o", "page.html", folder=folder)
    assert said.code == 0, said.err
    return folder / "page.html"


@needs_browser
def test_the_page_is_drawn_without_a_word_or_a_request(tab: browser.Page, file: Path) -> None:
    tab.said.clear()
    tab.asked.clear()
    tab.open(file)
    assert file.stat().st_size < 1_500_000
    assert tab.evaluate("document.querySelectorAll('[data-chart] svg.marks').length") == 2 + 3
    assert tab.evaluate("document.querySelectorAll('.error').length") == 0
    assert tab.said == []
    assert tab.asked == [file.as_uri()]
    for width in (360, 1280):
        tab.open(file, width=width)
        assert tab.evaluate("document.documentElement.scrollWidth") <= width


@needs_browser
def test_its_switches_heads_and_filter_work(tab: browser.Page, file: Path) -> None:
    tab.open(file)
    marks = "document.querySelectorAll('#chart-differences .mark-symbol.role-mark path').length"
    before = tab.evaluate(marks)
    tab.evaluate("document.querySelector('#switches input[value=\"2\"]').click()")
    tab.wait(f"{marks} < {before}")
    column = "[...document.querySelectorAll('#trials-table tbody tr')].map((r) => r.cells[5].textContent)"
    tab.evaluate("document.querySelectorAll('#trials-table th button')[5].click()")
    numbers = [float(text.replace("−", "-")) for text in tab.evaluate(column) if text != "–"]
    assert numbers == sorted(numbers)
    rows = "[...document.querySelectorAll('#trials-table tbody tr')].filter((r) => !r.hidden).length"
    assert tab.evaluate(rows) == 2 * 90
    tab.evaluate(
        "(() => { const f = document.getElementById('filter'); f.value = 'SNIP invert';"
        " f.dispatchEvent(new Event('input')); })()"
    )
    tab.wait(f"{rows} === 10")
    assert tab.said == []


@needs_browser
def test_a_page_of_published_numbers_alone(tab: browser.Page, folder: Path) -> None:
    assert compared("a.csv", "published:comp6258-figure1", "-o", "alone.html", folder=folder).code == 0
    tab.said.clear()
    tab.open(folder / "alone.html")
    assert tab.evaluate("document.querySelectorAll('[data-chart] svg.marks').length") == 1
    tab.evaluate("document.querySelectorAll('#published-table-1 th button')[2].click()")
    assert tab.said == []


@needs_browser
def test_hostile_names_stay_inert(tab: browser.Page, folder: Path) -> None:
    trials = made_up.results(seeds=2).trials
    named = [pl.concat_str([pl.col(name), pl.lit(HOSTILE)]).alias(name) for name in ("criterion", "arm", "model", "at")]
    name = "<img src=x onerror='window.caught = 3'>\u202e.csv"
    for place in (folder / "evil.csv", folder / name):
        made_up.write_table(trials.with_columns(*named), place)
    said = compared("evil.csv", name, "-o", "hostile.html", folder=folder)
    assert said.code == 0, said.err
    assert "\u202e" not in compared("evil.csv", name, folder=folder).out
    tab.said.clear()
    tab.asked.clear()
    tab.open(folder / "hostile.html")
    assert tab.evaluate("window.caught") is None
    assert tab.evaluate("document.querySelectorAll('img').length") == 0
    assert tab.evaluate("document.querySelectorAll('.error').length") == 0
    assert tab.evaluate("document.documentElement.scrollWidth") <= 1280
    assert tab.asked == [(folder / "hostile.html").as_uri()]
    assert tab.said == []
