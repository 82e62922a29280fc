"""docs/study.md documents every key, word and default that a study file may hold, under the heading of its table."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from prunectl.base.cells import cell, parsed
from prunectl.catalog import values
from prunectl.catalog.entry import Entry, written
from prunectl.catalog.lookup import entry_type
from prunectl.catalog.section import FlatSection, Section
from prunectl.catalog.seeds import UntilSettled
from prunectl.catalog.tables import CATALOGS
from prunectl.catalog.written_keys import written_keys
from prunectl.study import schema
from prunectl.study.data_section import DataSection
from prunectl.study.levels import LevelsSection
from prunectl.study.load import load
from prunectl.study.reported import PublishedSection, ReportSection
from prunectl.study.schema import SELECTORS

PAGE = (Path(__file__).parents[3] / "docs" / "study.md").read_text(encoding="utf-8")
HEADINGS: dict[type[Section], str] = {
    schema.Study: "Top level",
    DataSection: "[data]",
    schema.ModelSection: "[model]",
    schema.TrainSection: "[train]",
    schema.SweepSection: "[sweep]",
    LevelsSection: "levels",
    UntilSettled: "seeds",
    schema.PruneSection: "[[prune]]",
    schema.ControlSection: "[[control]]",
    values.Moment: "moments",
    values.PruningMoment: "moments",
    values.Length: "budget",
    values.FlopsBudget: "budget",
    values.LoadedWeights: "Loaded weights",
    schema.PrunableSection: "[prunable]",
    schema.Claim: "[[claim]]",
    PublishedSection: "[published]",
    ReportSection: "[report]",
}
LISTED = {
    "optimizers": "optimizer",
    "schedules": "schedule",
    "structures": "structures",
    "ablations": "ablations",
    "rounds": "rounds",
    "retrainings": "retrain",
    "metrics": "metrics",
}
"""Catalogues whose entries are rows of a table, under which heading."""

ELSEWHERE = {
    "criteria": "criteria",
    "scopes": "scopes",
    "models": "[model]",
    "datasets": "[data]",
    "augmentations": "[data]",
}
"""Catalogues of which the page has the parameters alone: what is in them is on other pages, or listed by a command."""


def section(heading: str) -> str:
    """The text under a heading, up to the next."""
    _, found, rest = PAGE.partition(f"# {heading}\n")
    assert found, f"no heading {heading}"
    return re.split(r"\n#+ ", rest)[0]


def quoted(text: str) -> set[str]:
    """Everything in backquotes, with the text in quotes inside; a number however it is written: `1e-8`."""
    found = set(re.findall(r"`([^`]+)`", text))
    inside = {word for each in found for word in re.findall(r'"([^"]+)"', each)}
    return found | inside | {cell(parsed(each)) for each in found if not each.startswith(("{", "["))}


def rows(heading: str) -> dict[str, set[str]]:
    """What the table under a heading has in backquotes for each name: in its rows, and in those below without one."""
    found: dict[str, set[str]] = {}
    names: list[str] = []
    for line in section(heading).splitlines():
        if line.startswith("|") and not line.startswith(("| name |", "|---")):
            first = line.split("|")[1]
            names = re.findall(r"`([^`]+)`", first) if first.strip() else names
            for name in names:
                found.setdefault(name, set()).update(quoted(line.removeprefix(f"|{first}")))
    return found


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


def needed(kind: type[BaseModel]) -> set[str]:
    """The keys of a table, the words that they allow, and the defaults that can be written as a word or number."""
    defaults = [written(field.default) for field in kind.model_fields.values() if not field.is_required()]
    plain = {cell(value) for value in defaults if value != "" and isinstance(value, str | int | float)}
    return {*written_keys(kind), *words(kind.model_json_schema()), *plain}


def entries(catalog: str) -> list[type[Entry]]:
    return [entry_type(catalog, name) for name in CATALOGS[catalog].entries]


@pytest.mark.parametrize("table", HEADINGS, ids=lambda table: table.__name__)
def test_every_key_word_and_default_is_documented(table: type[Section]) -> None:
    flat = {table.entry_field} if issubclass(table, FlatSection) else set()
    own = {"name"} if flat else set()
    text = section(HEADINGS[table])
    if table is schema.PruneSection:
        assert "as in `[model]`" in text  # the values of init
        text += section("[model]")
    assert needed(table) - flat | own <= quoted(text)


def test_no_section_is_left_out() -> None:
    every = {
        each
        for module in (schema, values)
        for each in vars(module).values()
        if isinstance(each, type) and issubclass(each, Section)
    }
    assert every - {Section, FlatSection} == set(HEADINGS)


def test_no_catalogue_is_left_out() -> None:
    assert {*LISTED, *ELSEWHERE} == CATALOGS.keys() - {"executors", "trackers"}  # of a user's settings, not of a study


@pytest.mark.usefixtures("real_catalogs")
@pytest.mark.parametrize("catalog", LISTED)
def test_every_entry_is_a_row_and_every_row_an_entry(catalog: str) -> None:
    assert rows(LISTED[catalog]).keys() == CATALOGS[catalog].entries.keys()


@pytest.mark.usefixtures("real_catalogs")
@pytest.mark.parametrize("catalog", LISTED)
def test_every_parameter_is_documented_at_its_entry(catalog: str) -> None:
    table, kinds = rows(LISTED[catalog]), entries(catalog)
    shared = set.intersection(*map(needed, kinds))
    assert shared <= quoted(section(LISTED[catalog]))
    for kind in kinds:
        assert needed(kind) - shared <= table[kind.name], kind.name


@pytest.mark.usefixtures("real_catalogs")
@pytest.mark.parametrize("catalog", ELSEWHERE)
def test_every_parameter_is_documented_where_entries_are_not(catalog: str) -> None:
    text = section(ELSEWHERE[catalog])
    assert {key for kind in entries(catalog) for key in written_keys(kind)} <= {
        *quoted(text),
        *re.findall(r"`(\w+) = ", text),
    }


def test_the_page_of_criteria_lists_every_criterion_and_scope() -> None:
    page = (Path(__file__).parents[3] / "docs" / "criteria.md").read_text(encoding="utf-8")
    assert {*CATALOGS["criteria"].entries, *CATALOGS["scopes"].entries} <= quoted(page)


def test_selectors_are_documented() -> None:
    assert set(SELECTORS) <= quoted(section("[[claim]]"))


@pytest.mark.usefixtures("real_catalogs")
def test_the_example_is_a_study(tmp_path: Path) -> None:
    found = re.search(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    path = tmp_path / "example.toml"
    path.write_text(found.group(1))
    assert len(load(path).study.prune) == 2
