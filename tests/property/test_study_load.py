"""However a study is damaged, what comes back is a study or problems in plain words."""

from __future__ import annotations

import copy
import importlib
import random
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import tomli
import tomli_w
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prunectl.base.errors import StudyError
from prunectl.catalog import lookup, tables
from prunectl.study.jsonschema import json_schema
from prunectl.study.load import load

JARGON = ("Input should", "Extra inputs", "validation error", "pydantic", "Traceback", "None", "Field required")
STUDY = """\
name = "first"
[data]
name = "digits"
augment = ["flip", { name = "pad-crop", pad = 2 }]
[model]
name = "vgg16"
width = 0.5
[train]
epochs = 10
schedule = { name = "step", milestones = [5, 8] }
[sweep]
levels = { rate = 0.2, count = 3 }
seeds = [1, 2]
[[prune]]
criterion = ["magnitude", { name = "snip", samples_per_class = 5 }]
at = ["init", { epoch = 2 }]
rounds = { name = "exponential", count = 10 }
[[prune]]
criterion = "magnitude"
at = "end"
retrain = ["none", { name = "finetune", lr = 0.002, epochs = 3 }, { name = "weight-rewind", to = { epoch = 2 } }]
[prunable]
exclude = ["head"]
[[claim]]
text = "it is better"
better = { criterion = "snip" }
than = { criterion = "magnitude", at = "init" }
[profile.quick]
"train.epochs" = 3
"""
VALUES = st.recursive(
    st.one_of(
        st.integers(),
        st.floats(),
        st.booleans(),
        st.dates(),
        st.text(st.characters(codec="utf-8"), max_size=8),
        st.sampled_from(["snip", "end", "init", "iterative", "finetune", "vgg16", "\x1b[31m", "</script>", "../../x"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["name", "kind", "epoch", "count", "x", "\x07"]), inner, max_size=3),
    ),
    max_leaves=4,
)


@pytest.fixture(scope="module", autouse=True)
def stand_ins() -> Iterator[None]:
    """The catalogues of the unit tests in the place of the real ones."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(Path(__file__).parents[1] / "unit" / "study")
        patch.setattr(tables, "CATALOGS", importlib.import_module("stand_ins").CATALOGS)
        lookup.places.cache_clear()
        lookup._entry_type.cache_clear()
        yield
    lookup.places.cache_clear()
    lookup._entry_type.cache_clear()


def slots(value: Any) -> list[tuple[Any, Any]]:
    """Every (container, key or place) of a document."""
    keys = list(value) if isinstance(value, dict) else list(range(len(value))) if isinstance(value, list) else []
    return [each for key in keys for each in [(value, key), *slots(value[key])]]


def damaged(seed: int, values: list[Any]) -> str:
    """The study with some values replaced, keys renamed and keys taken out."""
    document = copy.deepcopy(tomli.loads(STUDY))
    chance = random.Random(seed)
    for value in values:
        container, key = chance.choice(slots(document))
        match chance.choice(["replace", "replace", "remove", "rename", "add"]):
            case "replace":
                container[key] = value
            case "rename" if isinstance(container, dict):
                container[f"{key}s"] = container.pop(key)
            case "remove":
                del container[key]
            case "add" if isinstance(container, dict):
                container["some more"] = value
    return tomli_w.dumps(document)


@cache
def validator() -> Any:
    return jsonschema.Draft202012Validator(json_schema())


def refusal(path: Path, *overrides: str) -> StudyError | None:
    try:
        load(path, overrides=overrides)
    except StudyError as error:
        return error
    return None


@settings(
    deadline=None,
    max_examples=150,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(st.integers(0, 2**32), st.lists(VALUES, min_size=1, max_size=4))
def test_a_damaged_study_is_refused_in_plain_words(tmp_path: Path, seed: int, values: list[Any]) -> None:
    text = damaged(seed, values)
    path = tmp_path / "study.toml"
    path.write_text(text, encoding="utf-8")
    error = refusal(path)
    if error is None:
        return
    lines = text.split("\n")
    assert error.problems
    for problem in error.problems:
        told = f"{problem.key} {problem.message} {problem.hint or ''}"
        assert told.isprintable(), told
        assert not any(word in told for word in JARGON), told
        assert len(told) < 600
        line, column = map(int, str(problem.where).removeprefix(f"{path}:").split(":"))
        assert 1 <= line <= len(lines)
        assert 1 <= column <= len(lines[line - 1]) + 1


@settings(
    deadline=None,
    max_examples=150,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(st.integers(0, 2**32), st.lists(VALUES, min_size=1, max_size=3))
def test_what_the_loader_takes_is_valid_by_the_schema(tmp_path: Path, seed: int, values: list[Any]) -> None:
    text = damaged(seed, values)
    path = tmp_path / "study.toml"
    path.write_text(text, encoding="utf-8")
    if refusal(path) is None:
        errors = validator().iter_errors(tomli.loads(text))
        # a selector may hold part of a table, such as { samples_per_class = 5 }, which no editor needs to complete
        assert [error.message for error in errors if "claim" not in error.absolute_path] == []


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2**32), st.sampled_from([True, -(10**30), "\x07", {"\x07": 1}, [[[]]]]))
def test_a_value_of_a_wrong_type_is_invalid_by_the_schema(tmp_path: Path, seed: int, value: Any) -> None:
    document = copy.deepcopy(tomli.loads(STUDY))
    del document["claim"], document["profile"]  # what they may hold depends on the rest of the study
    container, key = random.Random(seed).choice(slots(document))
    container[key] = value
    path = tmp_path / "study.toml"
    path.write_text(tomli_w.dumps(document), encoding="utf-8")
    assert validator().is_valid(document) == (refusal(path) is None)


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=30), st.text(max_size=20))
def test_any_override_is_taken_or_refused(tmp_path: Path, key: str, value: str) -> None:
    path = tmp_path / "study.toml"
    path.write_text(STUDY, encoding="utf-8")
    for option in (f"{key}={value}", f"train.epochs={value}", f"title={value}", key):
        error = refusal(path, option)
        for problem in error.problems if error else ():
            assert f"{problem.key} {problem.message} {problem.where}".isprintable()
