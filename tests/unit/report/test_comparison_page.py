"""The page of a comparison: every case, what differs, published numbers, and nothing that comes to life."""

from __future__ import annotations

import re
from typing import Any

import polars as pl
import pytest

import made_up
from prunectl.report.comparison_page import Source, build
from prunectl.results.compare import Comparison, compare
from prunectl.results.published.against import Held, held
from unit.report import small

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'`${7*7}{{7*7}}\u202eevil\x1b[31m\u2028"


@pytest.fixture(scope="module")
def ones() -> pl.DataFrame:
    return made_up.results(seeds=3, epochs=1).trials


def moved(trials: pl.DataFrame) -> pl.DataFrame:
    """The same trials, better by 0.2 points and a little noise, worse where they are inverted."""
    shift = [
        0.002 + made_up.draw(row["arm"], row["seed"]).gauss(0, 0.0002) - (0.05 if row["ablation"] == "invert" else 0)
        for row in trials.iter_rows(named=True)
    ]
    return trials.with_columns(top1=pl.col("top1") + pl.Series(shift))


@pytest.fixture(scope="module")
def three(ones: pl.DataFrame) -> Comparison:
    return compare(ones, moved(ones), moved(ones).filter(pl.col("seed") < 3), names=("a.csv", "b.csv", "c.csv"))


@pytest.fixture(scope="module")
def published(ones: pl.DataFrame) -> Held:
    return held(ones, "comp6258-figure1", "A")


def two(ones: pl.DataFrame, others: pl.DataFrame, **options: Any) -> str:
    """The page of two tables."""
    sources = [Source(name="a", trials=ones), Source(name="b", trials=others)]
    return build(sources, compare(ones, others, names=("a", "b"), **options), [])


def test_the_page_holds_every_case_what_differs_and_the_published(
    ones: pl.DataFrame, three: Comparison, published: Held
) -> None:
    others = [Source(name=name, trials=moved(ones), text=f"# {name}") for name in ("b.csv", "c.csv")]
    html = build([Source(name="a.csv", trials=ones), *others], three, [published])
    assert html.count("<tr><td>B</td>") == html.count("<tr><td>C</td>") == 18 * 5
    assert "a.csv compared with b.csv, c.csv and comp6258-figure1" in html
    for text in ("↑ higher", "↓ lower", "? not settled", "90 trials of A without a counterpart in C", "# b.csv",
                 "The SynFlow rows are of a network that was not pruned at all", "holds it"):  # fmt: skip
        assert text in html
    for anchor in re.findall(r'href="#([^"]+)"', html):
        assert f'id="{anchor}"' in html
    again = build([Source(name="a.csv", trials=ones), *others], three, [published])
    assert again == html


def test_two_tables_have_no_column_that_names_the_table() -> None:
    trials = small.swept()
    html = two(trials, trials.with_columns(top1=pl.col("top1") + 0.01 * pl.col("seed")))
    heads = re.findall(r'id="trials-table">\s*<thead><tr>(.*?)</tr></thead>', html, re.DOTALL)[0]
    assert re.sub(r"<[^>]*>", "|", heads).replace("||", "|").split("|")[1:-1] == [
        "arm", "sparsity %", "A %", "B %", "B − A", "95 % t-interval", "seeds", "B is",
    ]  # fmt: skip
    row = re.findall(r"<tr><td>snip · at init</td>.*?</tr>", html)[-1]
    assert re.findall(r"<td[^>]*>(.*?)</td>", row) == [
        "snip · at init", "90", "80.20", "82.20", "+2.00", "−0.48 to +4.48", "3", "? not settled",
    ]  # fmt: skip


def test_published_numbers_have_a_row_each_with_a_note_where_one_is(ones: pl.DataFrame, published: Held) -> None:
    html = build([Source(name="a.csv", trials=ones)], None, [published])
    table = re.findall(r'id="published-table-1">(.*?)</table>', html, re.DOTALL)[0]
    assert table.count("<tr>") == 1 + len(published.rows)
    assert ">95 % t-interval<" in table and "published %" in table
    assert "A published number has no seeds to pair" in html
    assert ">note<" in table or not any(row["note"] for row in published.rows)
    assert 'id="cases"' not in html and 'id="differs"' not in html


def test_a_published_table_about_something_else_says_so() -> None:
    trials = small.swept()
    html = build([Source(name="a", trials=trials)], None, [held(trials, "comp6258-figure1", "A")])
    assert "None of its numbers is about an arm, a network and a data set of A." in html


def test_keys_that_differ_are_next_to_each_other(ones: pl.DataFrame) -> None:
    keys = [{"train": {"lr": lr}, "sweep": {"seeds": [1, 2]}} for lr in (0.1, 0.2, 0.1)]
    comparison = compare(ones, ones, ones, names=("a", "b", "c"), keys=keys)
    html = build([Source(name=name, trials=ones) for name in "abc"], comparison, [])
    row = re.findall(r'<tr><th scope="row">train.lr</th>.*?</tr>', html)[0]
    assert re.findall(r"<bdi>(.*?)</bdi>", row) == ["0.1", "0.2"]
    assert row.count("as A") == 1
    assert "sweep.seeds" not in html


def test_values_are_written_as_the_study_file_has_them() -> None:
    trials = small.swept()
    keys = [{"a": [0.1, 0.2], "b": None, "c": [{"d": 1}]}, {"a": [], "b": 1, "c": [{"d": 2}]}]
    html = two(trials, trials, keys=keys)
    values = re.findall(r"<bdi>([^<]*)</bdi>", html.partition('id="differs"')[2].partition("</section>")[0])
    assert values == ["[0.1, 0.2]", "[]", "–", "1", "1", "2"]


def test_tables_without_known_differences_say_why() -> None:
    trials = small.swept()
    assert "a results file does not record how it was made" in two(trials, trials)


def test_nothing_in_common_is_no_case(ones: pl.DataFrame) -> None:
    other = ones.with_columns(seed=pl.col("seed") + 10)
    html = two(ones, other)
    assert "No trial of A has a counterpart in B" in html
    assert "no trial of one table has a counterpart in the other" in html
    assert "268 trials of A without" not in html and "270 trials of A without a counterpart in B" in html


def test_many_trials_of_one_table_are_counted_not_listed(ones: pl.DataFrame) -> None:
    many = pl.concat([ones, *(ones.with_columns(seed=pl.col("seed") + 10 * number) for number in range(1, 4))])
    html = two(many, ones)
    assert "810 trials of A without a counterpart in B" in html and "and 310 more" in html


def test_empty_tables_have_a_page_without_charts(ones: pl.DataFrame) -> None:
    assert "vegaEmbed=" not in two(ones.clear(), ones.clear())


def test_a_table_of_several_networks_names_four_of_them() -> None:
    trials = pl.concat([small.swept(seeds=[1], model=f"net{number}") for number in range(6)])
    assert "net0, net1, net2 and net3 and more" in two(trials, trials)


def test_hostile_texts_stay_texts(ones: pl.DataFrame, published: Held) -> None:
    arm = [pl.concat_str([pl.col(name), pl.lit(HOSTILE)]).alias(name) for name in ("criterion", "arm", "at", "model")]
    evil = ones.with_columns(*arm)
    sources = [Source(name=HOSTILE + "x" * 10_000, trials=trials, text=HOSTILE) for trials in (evil, evil)]
    keys: list[dict[str, Any]] = [{HOSTILE: 1}, {HOSTILE: HOSTILE}]
    rows = tuple({**row, "arm": HOSTILE} for row in published.rows)
    table = Held(name=published.name, about=published.about, ours="A", rows=rows)
    html = build(sources, compare(evil, evil, names=[source.name for source in sources], keys=keys), [table])
    plain = build([Source(name="a", trials=ones, text="x")] * 2, compare(ones, ones, names=("a", "b")), [published])
    assert set(re.findall(r"<([a-z]+)", html)) <= set(re.findall(r"<([a-z]+)", plain)) | {"th", "tr", "td"}
    assert html.count("<script") == plain.count("<script")
    assert not set("\u202e\x1b\u2028") & set(html)
    assert "\\u202eevil\\x1b" in html
    assert len(re.sub(r"<[^>]*>", "", re.findall(r"<h1>.*?</h1>", html, re.DOTALL)[0])) < 400


def test_one_sentence_explains_both_kinds_of_interval() -> None:
    trials = small.swept()
    html = two(trials, trials)
    assert html.count("with 3 seeds it holds the true mean in 61 % of studies); they judge nothing. Differences") == 1
    few = small.swept(seeds=[1, 2])
    assert "judge nothing" not in two(few, few), "two seeds have no interval"


def test_charts_and_tables_come_before_what_differs_and_claims_are_folded() -> None:
    """Three screens of claim[2].better.at stood before the first chart."""
    trials = small.swept()
    claims = [{"text": "a", "margin": 0.01}, {"text": "b", "margin": 0.02}]
    keys: list[dict[str, Any]] = [{"train": {"lr": 0.1}, "claim": claims}, {"train": {"lr": 0.2}}]
    html = two(trials, trials.with_columns(top1=pl.col("top1") + 0.01), keys=keys)
    heads = re.findall(r'<section id="([^"]+)"', html)
    assert heads == ["summary", "charts-section", "cases", "differs", "provenance"]
    assert re.findall(r'<li><a href="#([^"]+)"', html) == heads[:-1]
    shown, folded = html.partition('id="differs"')[2].split("<details>")[:2]
    assert "train.lr" in shown and "claim[" not in shown
    assert "<summary>The claims differ in 4 keys</summary>" in folded and "claim[1].margin" in folded
    none = two(trials, trials, keys=[{"claim": claims}, {"claim": claims[:1]}])
    assert "No known differences" not in none and "The claims differ in 2 keys" in none


def test_the_heading_names_studies_not_paths(published: Held) -> None:
    trials = small.swept()

    def heading(*sources: Source) -> str:
        names = [source.name for source in sources]
        html = build(sources, compare(*(source.trials for source in sources), names=names), [published])
        return html.partition("<h1><bdi>")[2].partition("</bdi>")[0]

    one = Source(name="a/long/path/one.toml", trials=trials, study="one-study")
    file = Source(name="results/table.csv", trials=trials)
    assert heading(one, file) == "one-study compared with table.csv and comp6258-figure1"
    other = Source(name="b/one.toml", trials=trials, study="one-study")
    assert heading(one, other) == "a/long/path/one.toml compared with b/one.toml and comp6258-figure1"
