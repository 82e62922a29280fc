"""The page of a study as text: its parts, its size, and that nothing in it comes to life. See also e2e/test_page.py."""

from __future__ import annotations

import base64
import cProfile
import gzip
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser

import polars as pl
import pytest

import made_up
from prunectl.report import page, tables
from prunectl.results.claims import verdicts
from prunectl.results.table import SCHEMA, Results
from prunectl.study.selection import Selection

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'`${7*7}{{7*7}}\u202eevil\x1b[31m\u2028"


def unpacked(text: str) -> str:
    """A text of a script or style; that of a compressed script as its page runs it."""
    return gzip.decompress(base64.b64decode(text)).decode() if text.startswith("H4sI") else text


def build(results: Results) -> str:
    return page.build(results, verdicts(results))


@pytest.fixture(scope="module")
def results() -> Results:
    return made_up.results(epochs=20)


@pytest.fixture(scope="module")
def html(results: Results) -> str:
    return build(results)


class Elements(HTMLParser):
    """Every element with its attributes, and the text of scripts and styles."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self._open = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._open = tag

    def handle_endtag(self, tag: str) -> None:
        self._open = ""

    def handle_data(self, data: str) -> None:
        if self._open in ("script", "style"):
            self.texts.append((self._open, data))


def test_six_times_the_trials_are_less_than_three_times_the_work() -> None:
    """Counted in calls of functions: they are the same on every machine."""
    calls = {}
    for seeds in (1, 6):
        results = made_up.results(seeds=seeds)
        with cProfile.Profile() as profile:
            html = build(results)
        calls[seeds] = sum(entry.callcount for entry in profile.getstats())
    assert results.trials.height == 540
    assert len(html.encode()) < 1_500_000
    assert calls[6] < 3 * calls[1]
    assert calls[6] < 20_000_000


def test_the_same_results_give_the_same_page() -> None:
    ones, others = (build(made_up.results(seeds=2, epochs=5)) for _ in range(2))
    assert ones == others


def test_every_part_is_on_the_page(html: str) -> None:
    for anchor in ("summary", "claims", "accuracy", "ablations", "masks", "training", "cost", "tables", "provenance"):
        assert f'id="{anchor}"' in html
        assert f'href="#{anchor}"' in html
    for text in (
        "VGG-16 pruned at initialization", "448 of 450 done", "Shuffling within layers does not hurt SNIP",
        "the loss is not finite at step 12", "criterion = [&#34;random&#34;", "2.15.0", "3 of 5 seeds",
    ):  # fmt: skip
        assert text in html


def test_a_claim_has_its_differences_and_the_trials_behind_it(html: str, results: Results) -> None:
    claims = re.findall(r'<article class="claim .*?</article>', html, re.DOTALL)
    assert len(claims) == 3
    assert claims[2].startswith('<article class="claim refuted">') and "✗</span> refuted" in claims[2]
    rows = re.findall(r"<tbody>(.*?)</tbody>", claims[0], re.DOTALL)[0].count("<tr>")
    assert rows == 4, "a row for each sparsity but 0"
    keys = re.findall(r'data-keys="([^"]*)"', claims[0])[0].split()
    known = {key[:12] for key in results.trials["artefact"].to_list() if key}
    assert set(keys) <= known and f"Show the trials ({len(keys)} trained networks)" in claims[0]


def test_every_trial_is_a_row_and_the_failed_ones_are_marked(html: str) -> None:
    body = re.findall(r'id="trials-table">.*?<tbody>(.*?)</tbody>', html, re.DOTALL)[0]
    assert len(re.findall(r"<tr[ >]", body)) == 450
    assert body.count('<tr class="failed">') == 2


def test_a_table_that_is_cut_states_how_many_trials_there_are_and_where(
    html: str, results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "The table has the first" not in html and " data-cut" not in html
    monkeypatch.setattr(tables, "LISTED", 44)
    cut = build(results)
    body = re.findall(r'id="trials-table" data-cut>.*?<tbody>(.*?)</tbody>', cut, re.DOTALL)[0]
    assert body.count("<tr") == 44
    note = re.findall(r'<p class="note">The table has (.*?)</p>', cut)
    assert len(note) == 1 and note[0].startswith("the first 44 of 450 trials.")
    assert "table.csv" in note[0] and "prunectl report --format csv" in note[0]


def test_an_unfinished_study_shows_what_is_missing_and_when_it_was_written(results: Results) -> None:
    missing = results.trials.with_columns(
        top1=pl.when(pl.col("seed") < 5).then("top1"),
        status=pl.when(pl.col("seed") < 5).then("status").otherwise(pl.lit("missing")),
    )
    going = replace(results, trials=missing)
    html = page.build(going, (), written="2026-11-03 14:02:11", reload_s=7)
    assert "<b>Not finished.</b> 358 of 450 trials are done, 2 failed, 90 are missing:" in html
    assert "Written 2026-11-03 14:02:11; this page reloads itself every 7 seconds." in html
    assert "Written 2026-11-03 14:02:11.</p>" in page.build(going, (), written="2026-11-03 14:02:11")


def test_a_finished_study_is_not_called_unfinished(html: str) -> None:
    assert "Not finished" not in html


def test_the_policy_allows_the_scripts_and_styles_of_the_page_and_nothing_else(html: str) -> None:
    elements = Elements(html)
    policy = next(attributes["content"] for _, attributes in elements.elements if "http-equiv" in attributes) or ""
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    allowed = set(re.findall(r"'(sha256-[^']+)'", policy))
    texts = [unpacked(text) for _, text in elements.texts if not text.startswith("{")]
    digests = {f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}" for text in texts}
    assert len(texts) == 3
    assert digests == allowed


def test_nothing_is_linked_from_outside(html: str) -> None:
    for tag, attributes in Elements(html).elements:
        assert tag not in ("link", "img", "iframe", "object", "embed", "base")
        assert not attributes.get("src")
        assert (attributes.get("href") or "#").startswith("#")
        assert "style" not in attributes
        assert not [name for name in attributes if name.startswith("on")]


def test_hostile_texts_stay_texts() -> None:
    results = made_up.results(seeds=2, epochs=5)
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
    assert {tag for tag, _ in elements.elements} <= {tag for tag, _ in plain.elements}
    assert len(elements.texts) == len(plain.texts)
    assert "49" not in re.findall(r"<h1>.*?</h1>", html)[0]
    assert not set("\u202e\x1b\u2028") & set(html)
    assert "\\u202eevil\\x1b" in html


def test_no_choice_is_shown_as_toml() -> None:
    """Neither in charts, switches and tables nor in sentences and claims; only the study file itself has it."""
    prune = """
[[prune]]
criterion = [{ name = "snip", samples_per_class = 5 }, "magnitude"]
at = ["init", { step = 9 }, { epoch = 4 }]
scope = ["global", "erk"]
ablation = ["none", "shuffle"]

[[prune]]
criterion = "magnitude"
at = "end"
retrain = [{ name = "weight-rewind", to = { epoch = 4 } }, { name = "finetune", epochs = 9 }]

[[claim]]
text = "Later is better"
better = { at = { epoch = 4 } }
than = { at = { step = 9 } }

[[claim]]
text = "Rewinding is better"
better = { retrain = "weight-rewind" }
than = { retrain = "finetune" }
"""
    results = made_up.results(made_up.STUDY.partition("[[prune]]")[0] + prune, seeds=2, epochs=5)
    html = build(replace(results, study_text=""))
    assert not re.findall(r"\{ (?:epoch|step|name) = ", html)
    assert '"snip(samples_per_class=5)"' in html and '"at epoch 4' in html, "the charts have it in words"
    assert "<td>step 9<td>" in html, "and so have the tables"


def test_a_title_of_ten_kilobytes_is_shortened_but_not_lost() -> None:
    results = made_up.results(seeds=1, epochs=5)
    long = replace(results, study=results.study.model_copy(update={"title": "x" * 10_000}))
    html = build(long)
    heading = re.findall(r"<h1>.*?</h1>", html, re.DOTALL)[0]
    assert len(re.sub(r"<[^>]*>", "", heading)) < 300
    assert len(html) - len(build(results)) < 5_000


def test_a_study_without_a_title_has_its_name() -> None:
    results = made_up.results(seeds=1, epochs=2)
    nameless = replace(results, study=results.study.model_copy(update={"title": "", "source": ""}))
    html = page.build(nameless, ())
    assert "<h1><bdi>made-up</bdi></h1>" in html and '<p class="source">' not in html
    assert 'id="claims"' not in html


def test_a_study_without_any_trial_or_result_has_a_page() -> None:
    results = made_up.results(seeds=1, epochs=1)
    empty = replace(
        results, trials=pl.DataFrame(schema=SCHEMA), layers=results.layers.clear(), curves=results.curves.clear(),
        resources=results.resources.clear(), versions={},
    )  # fmt: skip
    html = build(empty)
    assert "The study asks for no trial" in html
    assert 'id="charts"' not in html
    assert "vegaEmbed=" not in html


def test_it_shows_what_it_is_restricted_to(results: Results, html: str) -> None:
    part = build(replace(results, selection=Selection(only=("criterion=snip", HOSTILE))))
    assert "<dt>run with</dt>" in part and "--only criterion=snip" in part
    assert HOSTILE not in part
    assert "<dt>run with</dt>" not in html


def test_a_profile_is_named_by_what_was_run(results: Results, html: str) -> None:
    part = build(replace(results, selection=Selection(profile="quick"), overridden=[("model", "name")]))
    head = "vgg16 on cifar10: the quick profile of “VGG-16 pruned at initialization”"
    assert f"<title>{head} · prunectl</title>" in part and f"<h1><bdi>{head}</bdi></h1>" in part
    assert "quick profile" not in html


def test_claims_that_a_selection_leaves_no_trials_for_are_not_asked(results: Results) -> None:
    only_synflow = results.trials.filter(pl.col("criterion") == "synflow")
    part = build(replace(results, trials=only_synflow, selection=Selection(only=("criterion=synflow",))))
    assert part.count('<article class="claim not-asked">') == 3
    assert '<dd>– 3</dd><dd class="note">not asked</dd>' in part


def test_what_paper_leaves_out_has_a_line_that_names_where_it_is(results: Results, html: str) -> None:
    printed = re.findall(r'<p class="note printed">(.*?)</p>', html)
    assert any("450 trials are left out" in line and "--format csv" in line for line in printed)
    short = build(replace(results, trials=results.trials.filter(pl.col("criterion") == "snip").head(40)))
    assert "trials are left out" not in short
    judged = page.build(results, [replace(verdict, details=verdict.details * 30) for verdict in verdicts(results)])
    lines = re.findall(r'<p class="note printed">(.*?)</p>', judged)
    assert sum("cases are left out" in line for line in lines) == judged.count('<div class="scroll unprinted">') > 0
    assert any("chart of these" in line and "--chart claims" in line for line in lines)
    assert re.search(r'<div class="unprinted">\s*<figure id="chart-claims"', judged)
