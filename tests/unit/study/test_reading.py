"""Cells of results files and published tables, read back."""

from __future__ import annotations

import pytest

from prunectl.pruning.criteria.snip import Snip
from prunectl.study.reading import choices, means
from prunectl.training.retrainings.weight_rewind import WeightRewind

pytestmark = pytest.mark.usefixtures("real_catalogs")


def test_entries_moments_and_budgets_are_read() -> None:
    read = choices(
        {
            "criterion": '{ name = "snip", wrt = "weight" }',
            "at": "{ epoch = 0 }",
            "retrain": "weight-rewind",
            "budget": "1",
        }
    )
    assert read == {"criterion": Snip(wrt="weight"), "at": "init", "retrain": WeightRewind(), "budget": 1.0}


def test_a_rewinding_by_a_budget_has_no_moment() -> None:
    assert choices({"retrain": "weight-rewind", "budget": "0.5"})["retrain"] == WeightRewind(to=None)
    assert choices({"retrain": "weight-rewind", "budget": None}) == {"retrain": WeightRewind(), "budget": 1.0}
    late = choices({"retrain": '{ name = "weight-rewind", to = "end" }', "budget": None})
    assert late == {"retrain": WeightRewind(to="end"), "budget": None}


@pytest.mark.parametrize(
    "cell",
    ["no-such-criterion", '{ name = "snip", no_such = 1 }', '{ name = "snip", batches = 0 }', "{ batches = 1 }", "3"],
)
def test_what_this_prunectl_does_not_have_stays_a_name_or_a_table(cell: str) -> None:
    (value,) = choices({"criterion": cell}).values()
    assert not isinstance(value, Snip)
    assert means({"criterion": cell}, {"criterion": value})


def test_a_published_name_means_every_choice_of_parameters_and_nothing_means_anything() -> None:
    ours = choices({"criterion": '{ name = "snip", samples_per_class = 1 }', "scope": "erk"})
    assert means({"criterion": "snip", "scope": None}, ours)
    assert means({"criterion": '{ name = "snip", samples_per_class = 1, batches = 1 }'}, ours)
    assert not means({"criterion": '{ name = "snip", samples_per_class = 10 }'}, ours)
    assert not means({"criterion": "snip", "scope": "global"}, ours)
