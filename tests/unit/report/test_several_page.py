"""Several studies on one page."""

from __future__ import annotations

import re
from dataclasses import replace
from statistics import mean

import altair as alt
import polars as pl
import pytest

import made_up
from prunectl.base.text import percent
from prunectl.report import several_page
from prunectl.report.charts import several
from prunectl.results.table import Results

PLAIN = made_up.STUDY.split("[[prune]]")[0] + '[[prune]]\ncriterion = ["magnitude", "snip"]\n'
NETWORKS = {"VGG-16": "vgg16", "ResNet-20": "resnet-20", "ResNet-56": "resnet-56"}


@pytest.fixture(scope="module")
def studies() -> list[Results]:
    """Three networks of one paper."""
    found = []
    for title, model in NETWORKS.items():
        text = PLAIN.replace("VGG-16 pruned at initialization", title).replace('name = "vgg16"', f'name = "{model}"')
        results = made_up.results(text, seeds=3, failed=0, epochs=2)
        object.__setattr__(results, "trials", results.trials.with_columns(model=pl.lit(model)))
        found.append(results)
    return found


def test_studies_are_panels_and_their_arms_have_one_colour(studies: list[Results]) -> None:
    look = several.look_of(studies, "mean")
    assert look.role.hues == ("magnitude", "snip"), "networks are no colours"
    chart = several.against_compression(dict(zip(NETWORKS, studies, strict=True)), look)
    assert chart is not None
    alt.Chart.validate(chart.spec, alt.Chart._rootschema)
    assert chart.spec["facet"]["sort"] == list(NETWORKS)
    assert chart.spec["resolve"]["scale"] == {"y": "independent"}
    numbers = [percent(mean(study.trials["top1_dense"].to_list()), 1) for study in studies]
    dense = ", ".join(f"{name} {number}" for name, number in zip(NETWORKS, numbers, strict=True))
    assert f"dashed: its dense network ({dense})." in chart.caption, "panels have no room for the number"


def test_a_page_has_an_overview_and_a_section_for_each_study(studies: list[Results]) -> None:
    html = several_page.build(studies)
    for at, (title, model) in enumerate(NETWORKS.items(), 1):
        assert f'<section id="study-{at}"' in html and title in html and f"<td>{model}</td>" in html
    assert html.count('data-chart="studies-top1"') == 1
    ids = re.findall(r' id="([^"]+)"', html)
    assert len(ids) == len(set(ids)), "every anchor is one place"
    assert several_page.build(studies) == html


def test_published_numbers_are_marks_and_a_table_of_their_study(studies: list[Results]) -> None:
    named = studies[0].study.published.model_copy(update={"tables": ("comp6258-figure1",)})
    study = replace(studies[0], study=studies[0].study.model_copy(update={"published": named}))
    html = several_page.build([study, studies[1]])
    assert 'id="study-1-published-1"' in html and "Published numbers: VGG-16 on CIFAR-10" in html
    assert "Published numbers: hollow circles comp6258-figure1." in html, "marks on a chart"
    assert html.count('data-chart="study-1-top1-compression"') == 1
    assert "study-2-published" not in html and 'data-chart="study-2' not in html


def test_studies_of_one_title_are_told_apart(studies: list[Results]) -> None:
    html = several_page.build([studies[0], studies[0]])
    assert "VGG-16 (made-up) 1" in html and "VGG-16 (made-up) 2" in html


CROWDED = (
    made_up.STUDY.split("[[prune]]")[0]
    + '[[prune]]\ncriterion = "magnitude"\nat = "end"\nretrain = ["finetune", "lr-rewind", "weight-rewind"]\n'
    + 'structure = ["weights", "channels"]\n[[prune]]\ncriterion = "snip"\n'
)


def test_a_study_with_too_many_lines_has_the_best_arm_of_each_colour_and_names_it(studies: list[Results]) -> None:
    crowded = made_up.results(CROWDED, seeds=3, failed=0, epochs=2)
    named = {"few": studies[0], "crowded": crowded}
    chart = several.against_compression(named, several.look_of(list(named.values()), "mean"))
    assert chart is not None
    alt.Chart.validate(chart.spec, alt.Chart._rootschema)
    (data,) = chart.spec["datasets"].values()
    assert all("strokeDash" not in layer["encoding"] for layer in chart.spec["spec"]["layer"]), "no dash is needed"
    lines = {(row["panel"], row["hue"], row["series"]) for row in data}
    assert len(lines) == len({line[:2] for line in lines}) == 4, "one line for each colour of a study"
    (best,) = {name for panel, hue, name in lines if (panel, hue) == ("crowded", "magnitude")}
    means = {
        arm: mean(own["top1"].to_list())
        for (arm,), own in crowded.trials.filter(
            (pl.col("sparsity") > 0) & (pl.col("ablation") == "none") & (pl.col("criterion") == "magnitude")
        ).group_by("arm")
    }
    assert all(part in max(means, key=lambda arm: means[arm]) for part in best.split(", ")[1].split(" · ")[:2])
    assert best in chart.caption and "5 other arms are in the tables of the studies." in chart.caption


def test_links_and_panels_have_the_names_of_studies_and_titles_are_whole(studies: list[Results]) -> None:
    long = "A very long title of a study, which goes on until no panel has room for it, and no link of the navigation"
    named = [
        replace(study, study=study.study.model_copy(update={"title": f"{long} {at}", "name": f"study-{at}"}))
        for at, study in enumerate(studies)
    ]
    html = several_page.build(named)
    for at in range(3):
        assert f'<li><a href="#study-{at + 1}">study-{at}</a></li>' in html
        assert f"<bdi>{long} {at}</bdi></h2>" in html, "whole"
    assert "<h1><bdi>study-0, study-1 and study-2</bdi></h1>" in html
    assert "…" not in html.partition("<footer")[0].partition('id="charts"')[0].partition("<h1>")[2].split("<details")[0]
