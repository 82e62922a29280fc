"""What every page is made with: its data, its policy, its switches, its title."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from importlib import resources
from typing import Any

import pytest
from jinja2 import UndefinedError

from prunectl.report import shell
from prunectl.report.charts import Chart, look
from prunectl.report.charts.chart import laid_out
from unit.report import small

CHART = Chart(
    name="c", title="C", caption="", spec={"$schema": "s", "datasets": {"d": [{"x": 1.5, "y": "a"}]}, "mark": "point"}
)


def rendered(**values: Any) -> str:
    """The page of an empty comparison, which is the smallest."""
    empty: dict[str, Any] = dict.fromkeys(
        ("sources", "sentences", "letters", "differing", "drawn", "cells", "heads", "rests", "published", "studies"), ()
    )
    options: dict[str, Any] = {"title": "T", "compared": False, "several": False} | empty | values
    return shell.rendered("comparison.html.j2", options.pop("charts", ()), options.pop("look", None), **options)


def test_data_by_columns_hold_the_same_rows() -> None:
    rows: list[dict[str, object]] = [{"a": 1, "b": "x"}, {"a": None, "b": None}, {"a": 2.5, "b": "x"}]
    packed = shell.by_columns(rows)
    assert packed == {"a": [1, None, 2.5], "b": {"of": ["x", None], "at": [0, 1, 0]}}
    assert json.loads(json.dumps(packed)) == packed


def test_rows_with_other_columns_have_holes() -> None:
    assert shell.by_columns([{"a": 1}, {"b": 2}]) == {"a": [1, None], "b": [None, 2]}
    assert shell.by_columns([]) == {}


def test_a_chart_is_packed_without_its_schema_and_with_its_data_apart() -> None:
    packed = shell.packed(CHART)
    assert packed.pop("spec") == laid_out({"mark": "point"})
    assert packed == {
        "panel": None, "labels": 0, "names": [], "data": {"d": {"x": [1.5], "y": {"of": ["a"], "at": [0]}}},
    }  # fmt: skip


def test_the_policy_allows_exactly_these_texts() -> None:
    digest = base64.b64encode(hashlib.sha256(b"b()").digest()).decode()
    policy = shell.policy("a {}", ["", "b()"])
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert f"script-src 'sha256-{digest}'; base-uri 'none'" in policy
    assert "unsafe" not in policy and policy.count("sha256-") == 2


def test_a_page_without_charts_carries_no_vega() -> None:
    html = rendered()
    assert 'id="charts"' not in html and "vegaEmbed=" not in html
    assert len(html) < 40_000


def test_a_page_with_a_chart_carries_vega_and_the_data() -> None:
    html = rendered(charts=[CHART])
    found = re.search(r'<script type="application/json" id="charts">(.*?)</script>', html)
    assert found is not None
    assert json.loads(found.group(1)) == {"hues": [], "charts": {"c": shell.packed(CHART)}}


def test_large_data_of_charts_are_compressed_and_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = re.search(r'<script type="application/json" id="charts">(.*?)</script>', rendered(charts=[CHART]))
    monkeypatch.setattr(shell, "PLAIN_BYTES", 10)
    packed = re.search(rf'<script type="{shell.COMPRESSED}" id="charts">(.*?)</script>', rendered(charts=[CHART]))
    assert plain is not None and packed is not None
    assert gzip.decompress(base64.b64decode(packed.group(1))).decode() == plain.group(1)
    assert rendered(charts=[CHART]) == rendered(charts=[CHART])


def test_switches_have_the_colours_and_shapes_of_their_hues() -> None:
    drawn = look(small.swept())
    html = rendered(look=drawn)
    assert html.count('<input type="checkbox" checked') == 2
    for hue in ("magnitude", "snip"):
        assert f'<path d="{shell.PATHS[drawn.shapes[hue]]}" fill="{drawn.colours[hue]}"/></svg>{hue}' in html


def test_there_is_nothing_to_switch_with_one_hue() -> None:
    assert "<fieldset" not in rendered(look=look(small.swept(["snip"])))
    assert "<fieldset" not in rendered()


def test_a_long_title_is_shortened_with_the_rest_in_its_tooltip() -> None:
    html = rendered(title="x" * 500)
    heading = re.findall(r"<h1>.*?</h1>", html)[0]
    assert re.sub(r"<[^>]*>", "", heading) == "x" * (shell.TITLE_LENGTH - 1) + "…"
    assert f'title="{"x" * 500}"' in heading
    assert "title=" not in re.findall(r"<h1>.*?</h1>", rendered())[0]


def test_a_page_reloads_itself_only_if_asked() -> None:
    assert '<meta http-equiv="refresh" content="4">' in rendered(reload_s=4)
    assert 'http-equiv="refresh"' not in rendered() and "data-watched" not in rendered().split("<head>")[0]


def test_a_value_that_a_template_needs_cannot_be_forgotten() -> None:
    with pytest.raises(UndefinedError):
        shell.rendered("comparison.html.j2", (), None, title="T")


def test_on_paper_headings_stay_with_what_follows_and_charts_with_their_titles() -> None:
    """The heading of the claims was at the foot of a page, the first verdict on the next."""
    style = resources.files("prunectl.report").joinpath("templates/page.css").read_text(encoding="utf-8")
    rules = re.findall(r"^  ([^{}\n]+) \{ ([^}]*) \}", style.partition("@media print {")[2], re.MULTILINE)

    def having(declaration: str) -> set[str]:
        return {name for names, body in rules if declaration in body for name in names.split(", ")}

    assert {"h2", "h3", "figcaption", ".note", ".claim p", "summary"} <= having("break-after: avoid")
    whole = having("break-inside: avoid")
    assert {"figure", ".note", "tr"} <= whole
    assert ".claim" not in whole, "a claim with a long table left the rest of a page empty"
