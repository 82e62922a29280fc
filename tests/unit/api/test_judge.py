"""The study that judges a criterion of one's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from prunectl.api.check import check
from prunectl.api.judge import SETTINGS, judgement
from prunectl.api.new_criterion import new_criterion
from prunectl.api.session import open_study
from prunectl.base.errors import PrunectlError, StudyError
from prunectl.catalog.lookup import names
from prunectl.study.load import load

ROOT = Path(__file__).parents[3]

FICKLE = """\
import itertools

import torch

from prunectl import Criterion

calls = itertools.count()


class Fickle(Criterion):
    def score(self, subject):
        return {name: weight.detach().abs() + next(calls) for name, weight in subject.weights.items()}
"""


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    new_criterion(tmp_path / "mine.py")
    return tmp_path / "mine.py"


@pytest.mark.parametrize("on", ["digits"])
def test_the_study_can_be_planned_and_checked(mine: Path, on: str) -> None:
    path = judgement(str(mine), on).path
    session = open_study(path, store=mine.parent / "store")
    assert path.name == f"judge-mine-{on}.toml"
    assert session.study.report.judged == "file:mine.py:Mine"
    assert {trial.sparsity for trial in session.plan.trials} > {0.0}
    assert all(trial.collapse for trial in session.plan.trials if trial.sparsity and trial.arm.at == "init")


def test_every_setting_names_a_data_set_and_a_network_that_exist() -> None:
    assert set(SETTINGS) <= set(names("datasets"))
    assert {setting.model for setting in SETTINGS.values()} <= set(names("models"))


def test_the_same_study_is_used_again_and_another_is_not_overwritten(mine: Path) -> None:
    first = judgement(str(mine), "digits")
    path, again = first.path, judgement(f"{mine}:Mine", "digits")
    assert again.path == path and first.new and not again.new
    path.write_text("precious")
    with pytest.raises(PrunectlError, match="is not what"):
        judgement(str(mine), "digits")
    assert path.read_text() == "precious"


def test_with_the_atlas_nothing_else_is_trained(mine: Path) -> None:
    session = open_study(judgement(str(mine), "digits", atlas=True).path, store=mine.parent / "store")
    assert {trial.arm.criterion.label() for trial in session.plan.trials} == {"file:mine.py:Mine"}
    assert [*session.study.published.tables] == ["atlas-digits"]
    whole = open_study(judgement(str(mine), "digits").path, store=mine.parent / "store")
    assert set(session.plan.steps) < set(whole.plan.steps), "the whole study goes on from it"


def test_a_data_set_without_an_atlas_is_refused(mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("prunectl.results.published.index.TABLES", {"atlas-digits": None})
    with pytest.raises(PrunectlError) as refused:
        judgement(str(mine), "mnist", atlas=True)
    assert refused.value.hint == "leave out --atlas: the included criteria are trained, too; there are atlas-digits"


@pytest.mark.parametrize("on", SETTINGS)
def test_an_atlas_has_the_recipe_that_criteria_are_judged_by(mine: Path, on: str) -> None:
    judging, atlas = load(judgement(str(mine), on).path).study, load(ROOT / "studies" / "atlas" / f"{on}.toml").study
    for section in ("data", "model", "train", "sweep", "prunable"):
        assert getattr(judging, section) == getattr(atlas, section), section


@pytest.mark.parametrize("on", SETTINGS)
def test_an_atlas_has_every_criterion_that_the_network_allows(on: str) -> None:
    study = load(ROOT / "studies" / "atlas" / f"{on}.toml").study
    here = {criterion.name for section in study.prune for criterion in section.criterion}
    assert set(names("criteria")) - here == ({"bn-scale"} if on == "mnist" else set()), "LeNet has no BatchNorm"


def test_a_data_set_that_nothing_is_judged_on_is_refused_with_the_nearest(mine: Path) -> None:
    with pytest.raises(PrunectlError) as refused:
        judgement(str(mine), "digit")
    assert refused.value.hint == 'did you mean "digits"?'


@pytest.mark.parametrize(
    ("source", "message"),
    [("x = 1\n", "has no class"), ("class A: ...\nclass B: ...\n", "has the classes A and B"), ("def\n", "mine.py:1:")],
)
def test_a_file_without_one_criterion_is_refused(source: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(source)
    with pytest.raises(PrunectlError, match=message):
        judgement(str(tmp_path / "mine.py"), "digits")


def test_a_criterion_that_changes_its_mind_is_refused_before_anything_is_trained(tmp_path: Path) -> None:
    (tmp_path / "fickle.py").write_text(FICKLE)
    session = open_study(judgement(str(tmp_path / "fickle.py"), "digits").path, store=tmp_path / "store")
    with pytest.raises(StudyError) as refused:
        check(session)
    assert "gives other scores for the same weights and images the second time" in str(refused.value)


def test_the_example_of_the_documents_gives_the_same_scores_twice(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "concrete.py").read_text().replace("steps: int = 200", "steps: int = 20")
    (tmp_path / "concrete.py").write_text(text)
    check(open_study(judgement(str(tmp_path / "concrete.py"), "digits").path, store=tmp_path / "store"))
