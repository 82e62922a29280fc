"""Words of the field lead to what is meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from prunectl.base.errors import StudyError, nearest
from prunectl.base.synonyms import RECIPES, SYNONYMS
from prunectl.catalog import lookup, tables
from prunectl.study.load import load
from prunectl.study.schema import Study

STUDY = """\
name = "synonyms"
[data]
name = "digits"
[model]
name = "tiny-cnn"
[train]
epochs = 2
[sweep]
sparsities = [0.5]
seeds = 3
[[prune]]
criterion = "magnitude"
at = "end"
retrain = "finetune"
"""


def hints(folder: Path, override: str) -> list[str]:
    path = folder / "study.toml"
    path.write_text(STUDY)
    with pytest.raises(StudyError) as error:
        load(path, overrides=[override])
    return [problem.hint or "" for problem in error.value.problems]


@pytest.mark.parametrize(
    ("override", "hint"),
    [
        ("model.init=glorot", 'did you mean "xavier-normal"?'),
        ("model.init=he", 'did you mean "kaiming-normal"?'),
        ("train.schedule=multistep", 'did you mean "step"?'),
        ("train.schedule=cosine-annealing", 'did you mean "cosine"?'),
        ('data.augment=["crop"]', 'did you mean "pad-crop"?'),
        ("train.iterations=100", 'did you mean "steps"?'),
        ("prune.0.at={ iteration = 3 }", 'did you mean "step"?'),
        ("prune.0.criterion=l1", 'did you mean "l1-norm"?'),
        ("prune.0.structure=filters", 'did you mean "channels"?'),
        ("train.milestones=[1]", 'write schedule = { name = "step", milestones = [80, 120], gamma = 0.1 }'),
    ],
)
def test_a_word_of_the_field_leads_to_the_name_here(tmp_path: Path, override: str, hint: str) -> None:
    assert hint in hints(tmp_path, override)


@pytest.mark.parametrize("key", ["criterion", "retrain", "rounds"])
@pytest.mark.parametrize("word", ["imp", "LTR", "lth"])
def test_a_recipe_is_explained_wherever_its_name_is_written(tmp_path: Path, key: str, word: str) -> None:
    (hint,) = hints(tmp_path, f"prune.0.{key}={word}")
    assert 'rounds = "iterative"' in hint and "weight-rewind" in hint and "prunectl new my --from" in hint


def test_every_synonym_means_something_and_is_no_name_itself() -> None:
    every = {name for catalog in tables.CATALOGS for name in lookup.names(catalog)}
    init = {"xavier-normal", "xavier-uniform", "kaiming-normal", "kaiming-uniform"}
    known = every | init | set(Study.model_fields) | {"step", "steps", "lr"}
    for word, names in SYNONYMS.items():
        assert set(names) <= known, word
        assert word not in every
    assert not set(RECIPES) & every


def test_a_name_that_is_allowed_nowhere_here_is_no_hint() -> None:
    assert nearest("he", ["alpha", "beta"]) is None
    assert nearest("glorot", ["xavier-uniform", "normal"]) is None
