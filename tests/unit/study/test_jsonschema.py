"""The JSON Schema takes what the loader takes, and refuses what a schema can see to be wrong."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import tomli

from prunectl.study.arms import expand
from prunectl.study.jsonschema import json_schema
from prunectl.study.load import load
from prunectl.study.schema import ControlSection, PruneSection

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


@cache
def validator_of_selectors() -> jsonschema.Draft202012Validator:
    """For tests with the real catalogues."""
    return jsonschema.Draft202012Validator({"$ref": "#/$defs/Selector", "$defs": json_schema()["$defs"]})


@pytest.mark.usefixtures("real_catalogs")
@pytest.mark.parametrize(
    ("selector", "selected"),
    [
        ('rounds = "gradual"', 'rounds = { name = "gradual", to = "end" }'),
        ('rounds = { name = "gradual" }', 'rounds = { name = "gradual", to = "end" }'),
        ("rounds = { power = 1 }", 'rounds = { name = "gradual", to = "end", power = 1 }'),
        ('rounds = { name = "exponential" }', 'rounds = { name = "exponential", count = 7 }'),
        ('scope = { name = "rates" }', 'scope = { name = "rates", per_layer = { "conv*" = 0.4 } }'),
        ("structure = { m = 4 }", 'structure = { name = "n-of-m", n = 2, m = 4 }'),
        ("criterion = { samples_per_class = 5 }", 'criterion = { name = "grasp", samples_per_class = 5 }'),
        ('at = { schedule = "restart" }', 'at = { step = 9, schedule = "restart" }'),
        ('retrain = { name = "finetune", lr = 0.002 }', 'retrain = { name = "finetune", lr = 0.002, epochs = 3 }'),
        ('budget = "flops"', 'ablation = "reinit"\nretrain = "lr-rewind"\nbudget = "flops"'),
        ("budget = { cap = 2 }", 'retrain = "lr-rewind"\nbudget = { flops = true, cap = 2 }'),
    ],
)
def test_a_selector_need_not_give_what_an_entry_requires(selector: str, selected: str) -> None:
    wanted = tomli.loads(selector)
    assert [error.message for error in validator_of_selectors().iter_errors(wanted)] == []
    section = PruneSection.model_validate({"criterion": "snip", "at": "end", **tomli.loads(selected)})
    assert [arm.matches(wanted) for arm in expand([section], "kaiming-normal")] == [True]


@pytest.mark.usefixtures("real_catalogs")
@pytest.mark.parametrize("selector", ['criterion = "none"', 'criterion = { name = "none" }'])
def test_a_selector_may_mean_the_controls(selector: str) -> None:
    wanted = tomli.loads(selector)
    assert [error.message for error in validator_of_selectors().iter_errors(wanted)] == []
    section = ControlSection.model_validate({"retrain": "lr-rewind"}).arms()
    assert [arm.matches(wanted) for arm in expand([section], "kaiming-normal")] == [True]


@pytest.mark.usefixtures("real_catalogs")
@pytest.mark.parametrize(
    "selector",
    [
        "criterion = {}",
        'criterion = "magnitud"',
        'criterion = { name = "magnitude", samples_per_class = 5 }',
        'rounds = { name = "gradual", to = "ned" }',
        'rounds = { name = "exponential", form = "init" }',
        'rounds = ["gradual"]',
        "at = { epochs = 2 }",
        "at = {}",
        'budget = "flop"',
        'retrain = "rewound"',
    ],
)
def test_a_selector_has_known_names_keys_and_values(selector: str) -> None:
    assert not validator_of_selectors().is_valid(tomli.loads(selector))


def test_a_budget_in_flops_is_one_word_or_a_table(good: str) -> None:
    assert errors(good.replace('at = "end"', 'at = "end"\nbudget = ["flops", { flops = true, cap = 2 }]')) == []


@pytest.mark.usefixtures("real_catalogs")
def test_every_default_is_one_that_a_study_may_give() -> None:
    schema = json_schema()
    defaults = {path: given for path, given in properties(schema) if "default" in given}
    assert len(defaults) > 60
    for path, given in defaults.items():
        validator = jsonschema.Draft202012Validator({**given, "$defs": schema["$defs"]})
        assert [error.message for error in validator.iter_errors(given["default"])] == [], path


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
