"""The page as text: what it holds, how large it is, and that nothing in it comes to life. See also e2e/test_page.py."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import time
from dataclasses import replace
from html.parser import HTMLParser

import polars as pl
import pytest

import made_up
from prunectl.report import page, shell
from prunectl.report.inert import script_json
from prunectl.results.claims import verdicts
from prunectl.results.table import SCHEMA, Results

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'`${7*7}{{7*7}}\u202eevil\x1b[31m\u2028"


def build(results: Results) -> str:
    return page.build(results, verdicts(results.study.claim, results.trials, results.arms))


@pytest.fixture(scope="module")
def html() -> str:
    return build(made_up.results())


class Elements(HTMLParser):
    """Every element with its attributes, and the text of scripts and styles."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self._open = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        self._open = tag

    def handle_endtag(self, tag: str) -> None:
        self._open = ""

    def handle_data(self, data: str) -> None:
        if self._open in ("script", "style"):
            self.texts.append((self._open, data))


def test_size_and_time_of_a_study_of_five_hundred_trials() -> None:
    results = made_up.results(seeds=6)
    assert results.trials.height == 540
    begin = time.process_time()
    html = build(results)
    assert time.process_time() - begin < 10  # three on a quiet machine
    assert len(html.encode()) < 1_500_000


def test_the_same_results_give_the_same_page() -> None:
    assert build(made_up.results(seeds=2)) == build(made_up.results(seeds=2))


def test_every_part_is_there(html: str) -> None:
    for anchor in ("summary", "claims", "accuracy", "ablations", "masks", "training", "cost", "tables", "provenance"):
        assert f'id="{anchor}"' in html
        assert f'href="#{anchor}"' in html
    for text in (
        "VGG-16 pruned at initialization", "448 of 450 done", "Shuffling within layers does not hurt SNIP",
        "the loss is not finite at step 12", "criterion = [&#34;random&#34;", "2.15.0", "3 of 5 seeds",
    ):  # fmt: skip
        assert text in html


def test_the_policy_allows_the_scripts_and_styles_that_there_are_and_nothing_else(html: str) -> None:
    elements = Elements(html)
    policy = next(each["content"] for tag, each in elements.found if "http-equiv" in each) or ""
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    allowed = set(re.findall(r"'(sha256-[^']+)'", policy))
    texts = [text for _, text in elements.texts if not text.startswith("{")]
    digests = {f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}" for text in texts}
    assert len(texts) == 3
    assert digests == allowed


def test_nothing_is_linked_from_outside(html: str) -> None:
    for tag, attributes in Elements(html).found:
        assert tag not in ("link", "img", "iframe", "object", "embed", "base")
        assert not attributes.get("src")
        assert (attributes.get("href") or "#").startswith("#")
        assert "style" not in attributes
        assert not [name for name in attributes if name.startswith("on")]


def test_hostile_texts_stay_texts() -> None:
    results = made_up.results(seeds=2)
    study = results.study.model_copy(update={"title": HOSTILE, "source": HOSTILE})
    claim = study.claim[0].model_copy(update={"text": HOSTILE})
    study = study.model_copy(update={"claim": (claim,)})
    named = [pl.lit(HOSTILE).alias(name) for name in ("model", "dataset", "reason")]
    arm = [pl.concat_str([pl.col(name), pl.lit(HOSTILE)]).alias(name) for name in ("criterion", "arm", "at")]
    hostile = replace(
        results,
        study=study,
        study_text=HOSTILE,
        trials=results.trials.with_columns(*named, *arm),
        layers=results.layers.with_columns(arm[1], pl.lit(HOSTILE).alias("layer")),
        versions={HOSTILE: HOSTILE},
    )
    html = build(hostile)
    plain = Elements(build(results))
    elements = Elements(html)
    assert {tag for tag, _ in elements.found} <= {tag for tag, _ in plain.found}
    assert len(elements.texts) == len(plain.texts)
    assert "49" not in re.findall(r"<h1>.*?</h1>", html)[0]
    assert not set("\u202e\x1b\u2028") & set(html)
    assert r"\u202eevil\x1b" in html


def test_a_title_of_ten_kilobytes_is_shortened_but_not_lost() -> None:
    results = made_up.results(seeds=1)
    long = replace(results, study=results.study.model_copy(update={"title": "x" * 10_000}))
    html = build(long)
    heading = re.findall(r"<h1>.*?</h1>", html, re.DOTALL)[0]
    assert len(re.sub(r"<[^>]*>", "", heading)) < 300
    assert len(html) - len(build(results)) < 5_000


def test_a_study_without_any_trial_or_result_has_a_page() -> None:
    results = made_up.results(seeds=1)
    empty = replace(
        results, trials=pl.DataFrame(schema=SCHEMA), layers=results.layers.clear(), curves=results.curves.clear(),
        resources=results.resources.clear(), versions={},
    )  # fmt: skip
    html = build(empty)
    assert "The study asks for no trial" in html
    assert 'id="charts"' not in html
    assert "vegaEmbed=" not in html


def test_data_by_columns_holds_the_same_rows() -> None:
    rows: list[dict[str, object]] = [{"a": 1, "b": "x"}, {"a": None, "b": None}, {"a": 2.5, "b": "x"}]
    packed = shell.by_columns(rows)
    assert packed == {"a": [1, None, 2.5], "b": {"of": ["x", None], "at": [0, 1, 0]}}
    assert json.loads(json.dumps(packed)) == packed


def test_json_in_a_script_cannot_end_it() -> None:
    text = script_json({"x": HOSTILE + "<!--"})
    assert not set("<>&\u2028") & set(text)
    assert json.loads(text) == {"x": HOSTILE + "<!--"}
