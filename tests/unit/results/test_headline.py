"""What a report is called shows what was run."""

from __future__ import annotations

import pytest

import made_up
from prunectl.results.headline import headline
from prunectl.study.selection import Selection

WRITTEN = "VGG-16 pruned at initialization"


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (Selection(), WRITTEN),
        (Selection(only=("criterion=snip",), overrides=("train.epochs=2",)), WRITTEN),
        (Selection(profile="quick"), f"vgg16 on cifar10: the quick profile of “{WRITTEN}”"),
        (Selection(overrides=('model.name="vgg16"',)), f"vgg16 on cifar10: a variant of “{WRITTEN}”"),
        (Selection(overrides=('"data".name=cifar10',)), f"vgg16 on cifar10: a variant of “{WRITTEN}”"),
    ],
)
def test_a_profile_or_another_network_is_no_study_of_the_paper(selection: Selection, expected: str) -> None:
    assert headline(made_up.study().study, selection) == expected


def test_a_study_without_a_title_is_called_by_its_name() -> None:
    study = made_up.study().study.model_copy(update={"title": ""})
    assert headline(study, Selection()) == "made-up"
    assert headline(study, Selection(profile="quick")).endswith("the quick profile of “made-up”")
