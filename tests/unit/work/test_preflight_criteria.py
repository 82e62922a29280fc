"""A third party's criterion is tried before the first training: on few images, with file and line."""

from __future__ import annotations

import os
from pathlib import Path
from typing import ClassVar

import pytest
import torch
from torch import Tensor, nn

from prunectl.api.check import check
from prunectl.api.session import open_study
from prunectl.base import ctrl_c
from prunectl.base.errors import MethodError, StudyError
from prunectl.catalog.criterion import Criterion, DataCriterion, Subject
from prunectl.models.tiny import TinyCnn
from prunectl.plan.steps import Network
from prunectl.work.preflight_criteria import MOST_IMAGES, tried
from small import SMALL

MINE = """\
from prunectl import Criterion


class Mine(Criterion):
    def score(self, subject):
        ratio = 1 / (len(subject.weights) - 3)
        return {name: weight.abs() * ratio for name, weight in subject.weights.items()}
"""


class Looking(DataCriterion):
    """Notes the images that it is given."""

    name, summary, paper = "looking", "notes", "none"
    seen: ClassVar[list[tuple[int, ...]]] = []

    def score(self, subject: Subject) -> dict[str, Tensor]:
        """Magnitude."""
        type(self).seen += [tuple(images.shape) for images, _ in subject.batches]
        return {name: weight.detach().abs() for name, weight in subject.weights.items()}


class Fickle(Criterion):
    """Remembers how often it was called."""

    name, summary, paper = "fickle", "remembers", "none"
    calls: ClassVar[list[int]] = []

    def score(self, subject: Subject) -> dict[str, Tensor]:
        """Other scores each time."""
        type(self).calls.append(1)
        return {name: weight.detach().abs() * len(type(self).calls) for name, weight in subject.weights.items()}


class Refusing(Criterion):
    """Has its own words for what it cannot do."""

    name, summary, paper = "refusing", "refuses", "none"

    def score(self, subject: Subject) -> dict[str, Tensor]:
        """Never."""
        raise MethodError("no answer for this network")


class Leaving(Criterion):
    """Raises what nobody catches by `except Exception`."""

    name, summary, paper = "leaving", "leaves", "none"
    kind: ClassVar[type[BaseException]]

    def score(self, subject: Subject) -> dict[str, Tensor]:
        """Never."""
        raise type(self).kind("bye")


def outcome(criterion: Criterion, classes: int = 10, *, again: bool = False) -> list[tuple[str, str | None]]:
    network = Network(model=TinyCnn(), init="kaiming-normal", bn_init="ones", shape=(1, 8, 8), classes=classes)
    built: nn.Module = TinyCnn().build((1, 8, 8), classes)
    before = {name: tensor.clone() for name, tensor in built.state_dict().items()}
    problems = list(tried(criterion, built.eval(), network, [], again=again))
    assert all(torch.equal(tensor, before[name]) for name, tensor in built.state_dict().items())
    return problems


def test_it_scores_two_images_of_each_class_and_never_more_than_twenty() -> None:
    Looking.seen.clear()
    assert outcome(Looking(), classes=4) == outcome(Looking(), classes=1000) == []
    assert Looking.seen == [(8, 1, 8, 8), (MOST_IMAGES, 1, 8, 8)]


class Careless(Criterion):
    """Looks at images and does not declare it."""

    name, summary, paper = "careless", "looks", "none"

    def score(self, subject: Subject) -> dict[str, Tensor]:
        """Magnitude, after a look at the first batch."""
        images, _ = subject.batches[0]
        return {name: weight.detach().abs() + len(images) for name, weight in subject.weights.items()}


def test_a_criterion_that_looks_at_images_has_to_declare_it_as_in_a_study() -> None:
    ((message, _),) = outcome(Careless())
    assert message.startswith("criterion careless fails: IndexError: list index out of range (")


def test_scores_that_differ_the_second_time_are_a_problem() -> None:
    assert outcome(Fickle()) == [], "asked of a criterion that is judged"
    ((message, hint),) = outcome(Fickle(), again=True)
    assert message == (
        "criterion fickle gives other scores for the same weights and images the second time, in conv1.weight, "
        "conv2.weight and head.weight"
    )
    assert hint == "draw random numbers from subject.generator, and keep nothing from call to call"


def test_its_own_refusal_is_reported_as_it_is() -> None:
    assert outcome(Refusing()) == [("no answer for this network", None)]


def test_what_a_criterion_in_a_file_raises_is_reported_before_the_first_training(tmp_path: Path) -> None:
    """Of any study, not only of one that judges it."""
    (tmp_path / "mine.py").write_text(MINE)
    (tmp_path / "small.toml").write_text(SMALL.replace('"random"', '"file:mine.py:Mine"'))
    with pytest.raises(StudyError) as caught:
        check(open_study(tmp_path / "small.toml", store=tmp_path / "store"))
    (problem,) = caught.value.problems
    assert problem.key == "prune[0].criterion"
    assert problem.message == (
        f"criterion file:mine.py:Mine fails: ZeroDivisionError: division by zero ({tmp_path / 'mine.py'}:6, in score)"
    )


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt, GeneratorExit])
def test_whatever_it_raises_in_a_worker_is_reported_with_its_type_and_line(
    kind: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Leaving, "kind", kind, raising=False)
    monkeypatch.setattr(ctrl_c, "_left_to_driver", {os.getpid()})
    ((message, _),) = outcome(Leaving())
    assert message.startswith(f"criterion leaving fails: {kind.__name__}: bye ({__file__}:")
    assert message.endswith("in score)")


def test_ctrl_c_is_not_a_problem_of_a_criterion(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Leaving, "kind", KeyboardInterrupt, raising=False)
    with pytest.raises(KeyboardInterrupt):
        outcome(Leaving())
