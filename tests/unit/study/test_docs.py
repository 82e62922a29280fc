"""docs/study.md documents every key and every word that a study file may hold, under the heading of its table."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from prunectl.catalog import tables
from prunectl.catalog.table import FlatSection, Section
from prunectl.catalog.tables import CATALOGS, entry_type
from prunectl.study import schema
from prunectl.study.load import load
from prunectl.study.schema import SELECTORS

PAGE = (Path(__file__).parents[3] / "docs" / "study.md").read_text(encoding="utf-8")
HEADINGS: dict[type[Section], str] = {
    schema.Study: "Top level",
    schema.DataSection: "[data]",
    schema.ModelSection: "[model]",
    schema.TrainSection: "[train]",
    schema.SweepSection: "[sweep]",
    schema.LevelsSection: "levels",
    schema.PruneSection: "[[prune]]",
    schema.Moment: "moments",
    schema.Length: "budget",
    schema.FinetuneSection: "finetune",
    schema.PrunableSection: "[prunable]",
    schema.Claim: "[[claim]]",
    schema.PublishedSection: "[published]",
}


def documented(heading: str) -> set[str]:
    """Everything in backquotes under a heading, up to the next."""
    _, found, rest = PAGE.partition(f"# {heading}\n")
    assert found, f"no heading {heading}"
    return set(re.findall(r"`([^`]+)`", re.split(r"\n#+ ", rest)[0]))


def words(value: Any) -> Iterator[str]:
    """The words that a schema of one section allows, its references left alone."""
    if isinstance(value, dict):
        yield from (str(word) for word in value.get("enum", ()))
        for key, each in value.items():
            if key != "$defs":
                yield from words(each)
    elif isinstance(value, list):
        for each in value:
            yield from words(each)


@pytest.mark.parametrize("section", HEADINGS, ids=lambda section: section.__name__)
def test_every_key_and_word_is_documented(section: type[Section]) -> None:
    keys = set(section.own() if issubclass(section, FlatSection) else section.model_fields)
    allowed = set(words(section.model_json_schema())) if section is not schema.FinetuneSection else set()
    assert keys | allowed <= documented(HEADINGS[section])


@pytest.mark.parametrize(
    ("catalog", "heading"), [("optimizers", "optimizer"), ("schedules", "schedule")], ids=lambda word: word
)
def test_every_entry_and_parameter_is_documented(catalog: str, heading: str) -> None:
    entries = [entry_type(catalog, name) for name in CATALOGS[catalog].entries]
    parameters = {key for entry in entries for key in entry.model_fields}
    allowed = {word for entry in entries for word in words(entry.model_json_schema())}
    assert {entry.name for entry in entries} | parameters | allowed <= documented(heading)


def test_no_section_is_left_out() -> None:
    every = {each for each in vars(schema).values() if isinstance(each, type) and issubclass(each, Section)}
    assert every - {Section, FlatSection} == set(HEADINGS)


@pytest.mark.parametrize("heading", ["rounds", "structures", "ablations"])
def test_every_choice_and_its_parameters_are_documented(heading: str) -> None:
    for name, place in tables.CATALOGS[heading].entries.items():
        kind = tables.entry_type(heading, name)
        assert {name, *kind.model_fields} <= documented(heading), place


def test_selectors_are_documented() -> None:
    assert set(SELECTORS) <= documented("[[claim]]")


@pytest.mark.usefixtures("real_catalogs")
def test_the_example_is_a_study(tmp_path: Path) -> None:
    found = re.search(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    path = tmp_path / "example.toml"
    path.write_text(found.group(1))
    assert len(load(path).study.prune) == 2
