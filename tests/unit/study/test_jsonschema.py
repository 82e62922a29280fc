"""The JSON Schema takes what the loader takes, and refuses what a schema can see to be wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import tomli

from prunectl.study.jsonschema import json_schema
from prunectl.study.load import load

STUDIES = sorted((Path(__file__).parents[3] / "studies").glob("*.toml"))


def errors(text: str) -> list[str]:
    validator = jsonschema.Draft202012Validator(json_schema())
    return [error.message for error in validator.iter_errors(tomli.loads(text))]


def test_it_is_a_schema_of_draft_2020_12() -> None:
    schema = json_schema()
    assert schema["$schema"].endswith("2020-12/schema")
    jsonschema.Draft202012Validator.check_schema(schema)


def test_a_study_that_is_right_is_valid(good: str) -> None:
    assert errors(good) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("seeds = 2", "seeds = [3, 4]"),
        ("sparsities = [0, 0.5, 0.9]", "sparsities = 0.9"),
        ("sparsities = [0, 0.5, 0.9]", "levels = { rate = 0.2, count = 3 }"),
        ('at = "end"', 'at = ["init", "end", { step = 4 }]'),
        ('at = "end"', 'at = "end"\nrounds = ["one-shot", { name = "linear", count = 3 }]'),
        ('schedule = { name = "step", milestones = [5, 8] }', 'schedule = "cosine"'),
        ('name = "digits"', 'name = "images"\nside = 32'),
        ('name = "vgg16"\nwidth = 0.5', 'name = "mlp"\nhidden = [20, 10]'),
        (", epochs = 3 }", " }"),
        (", epochs = 3 }", ', schedule = { name = "step", milestones = [2] }, optimizer = "adam" }'),
        ("{ epoch = 2 }", '"end"'),
        ('at = "end"', 'at = { epoch = 4, schedule = "restart" }'),
        ('at = "end"', 'at = "end"\nbudget = [0.25, { epochs = 3 }]\ninit = ["orthogonal", "xavier-normal"]'),
        ('at = "end"', 'at = "end"\nstructure = ["weights", "channels", { name = "n-of-m", n = 2, m = 4 }]'),
    ],
)
def test_other_ways_to_write_a_study_are_valid(good: str, old: str, new: str) -> None:
    assert old in good
    assert errors(good.replace(old, new)) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('name = "first"', 'name = "First!"'),
        ('name = "first"', ""),
        ("epochs = 10", "epoch = 10"),
        ("epochs = 10", 'epochs = "10"'),
        ("epochs = 10", "epochs = 10\nsteps = 10"),
        (", epochs = 3 }", ", epochs = 3, steps = 3 }"),
        ("epochs = 10\n", ""),
        ("lr = 0.05", "lr = 0"),
        ("0.5, 0.9]", "0.5, 1.5]"),
        ("[0, 0.5, 0.9]", "[]"),
        ("seeds = 2", "seeds = 0"),
        ('name = "digits"', 'name = "digit"'),
        ('name = "digits"', 'name = "images"'),
        ("width = 0.5", "side = 32"),
        ('"snip", samples_per_class', '"magnitude", samples_per_class'),
        ('"snip", samples_per_class', '"snip", samples'),
        ('at = "end"', 'at = "END"'),
        ('at = "end"', "at = { epoch = 1, step = 2 }"),
        ('at = "end"', 'at = { epoch = 1, schedule = "again" }'),
        ('at = "end"', 'schedule = "restart"'),
        ('at = "end"', "budget = 101"),
        ('at = "end"', "budget = { epochs = 3, steps = 3 }"),
        ('at = "end"', 'init = "kaiming"'),
        ("{ epoch = 2 }", '"ned"'),
        ("{ epoch = 2 }", "{ epoch = 2, step = 3 }"),
        ('{ name = "finetune", lr', '{ name = "lr-rewind", lr'),
        ('{ name = "finetune", lr', "{ lr"),
        ("retrain = [", 'retrain = ["nothing", '),
        ('better = { criterion = "snip", ', 'better = { criterion = "snip", seed = 1, '),
        ('better = { criterion = "snip", ', 'better = { criterion = ["snip"], '),
        ("margin = -0.005", "margin = 2"),
        ("[prunable]", "[pruneable]"),
        ("[profile.quick]", "[profile]"),
    ],
)
def test_what_a_schema_can_see_to_be_wrong_is_invalid(good: str, old: str, new: str) -> None:
    assert old in good
    assert errors(good.replace(old, new, 1))


def properties(schema: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every property of a schema, with where it is."""
    if isinstance(schema, dict):
        for key, each in schema.get("properties", {}).items():
            yield f"{path}/{key}", each
        for key, each in schema.items():
            yield from properties(each, f"{path}/{key}")
    elif isinstance(schema, list):
        for place, each in enumerate(schema):
            yield from properties(each, f"{path}/{place}")


def test_every_property_says_what_it_is() -> None:
    found = dict(properties(json_schema()))
    assert len(found) > 60
    assert [path for path, each in found.items() if not (each.get("description") or each.get("title"))] == []
    assert not [path for path, each in found.items() if any(key.startswith("x-") for key in each)]


@pytest.mark.usefixtures("real_catalogs")
@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_the_studies_that_are_shipped_are_valid(path: Path) -> None:
    assert load(path).study.name
    assert errors(path.read_text()) == []
