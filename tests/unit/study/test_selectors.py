"""The grammar of --only."""

from __future__ import annotations

import re
from typing import Any

import pytest

from prunectl.base.errors import StudyError
from prunectl.study.arms import Arm, expand
from prunectl.study.schema import PruneSection
from prunectl.study.selectors import conditions, selector_of

pytestmark = pytest.mark.usefixtures("real_catalogs")


def arm(**table: Any) -> Arm:
    (single,) = expand([PruneSection.model_validate({"criterion": "snip", **table})], "kaiming-normal")
    return single


def holds(selector: str, sparsity: float = 0.9, seed: int = 1, **table: Any) -> bool:
    return all(condition.holds(arm(**table), sparsity, seed) for condition in conditions(selector))


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("seed=1", True),
        ("seed=2", False),
        ("seed!=2", True),
        ("seed>1", False),
        ("seed>=1", True),
        ("sparsity=0.9", True),
        ("sparsity = .9", False),  # not TOML
        ("sparsity=0.90001", True),  # to four digits, as a paper rounds it
        ("sparsity=0.91", False),
        ("sparsity<0.9", False),
        ("sparsity<=0.9", True),
        ("sparsity>0.89,sparsity<0.91", True),
        ("compression=10", True),
        ("compression>10", False),
        ("criterion=snip", True),
        ("criterion!=snip", False),
        ("criterion=grasp", False),
        ('criterion={name="snip", wrt="mask"}', True),
        ("criterion={wrt='weight'}", False),
        ("at=init", True),
        ("budget=0.5", False),
        ("budget!=0.5", True),
        ("budget<1", False),
        (" criterion = snip ,, seed = 1 ,", True),
    ],
)
def test_conditions(selector: str, expected: bool) -> None:
    if selector == "sparsity = .9":
        with pytest.raises(StudyError, match="takes one number"):
            conditions(selector)
        return
    assert holds(selector) is expected


def test_budgets_are_ordered_where_they_are_fractions() -> None:
    late: dict[str, Any] = {"at": "end", "retrain": "lr-rewind"}
    assert holds("budget<=0.5,budget>0.2", **late, budget=0.5)
    assert not holds("budget<0.5", **late, budget=0.5)
    assert not holds("budget<1", **late, budget={"epochs": 1})
    assert holds("budget={epochs=1}", **late, budget={"epochs": 1})


def test_a_comma_inside_brackets_or_quotes_does_not_split() -> None:
    text = 'criterion={name="a, b", list=[1, 2]}, at="x,y", seed=1'
    assert [condition.field for condition in conditions(text)] == ["criterion", "at", "seed"]
    assert conditions(text)[0].value == {"name": "a, b", "list": [1, 2]}


@pytest.mark.parametrize(
    ("selector", "message", "hint"),
    [
        ("sed=1", "'sed=1' is no condition", "did you mean seed=...?"),
        ("criterion", "'criterion' is no condition", "write --only"),
        ("criterion=", "is no condition", "write --only"),
        ("seed=x", "seed takes one number, not 'x'", None),
        ("seed=true", "seed takes one number", None),
        ("criterion>snip", "criterion has no order", "write criterion= or criterion!="),
        ("criterion>magnitude", "criterion has no order$", "write criterion= or criterion!="),
        ("seed==1", "'seed==1' is no condition", "one = is enough: seed=1"),
        ("criterion!==snip", "is no condition", "one = is enough: criterion!=snip"),
        ("budget>half", "budget takes one number", None),
        (
            "sparsity=0.9|0.98",
            "sparsity takes one number, not '0.9|0.98'",
            "for several values repeat the option: --only sparsity=0.9 --only sparsity=0.98",
        ),
        ("sparsity>=[0.9, 0.98]", "sparsity takes one number", "--only 'sparsity>=0.9' --only 'sparsity>=0.98'"),
        ("criterion=snip,grasp", "'grasp' is no condition", "--only criterion=snip --only criterion=grasp"),
        ("at>3", "at has no order", "write at= or at!="),
        ("criterion={name=", "not a value of TOML", "write --only"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_way_to_write_it(selector: str, message: str, hint: str | None) -> None:
    with pytest.raises(StudyError) as caught:
        conditions(selector)
    assert re.search(message, caught.value.message)
    assert (hint or "") in (caught.value.hint or "")


def test_a_selector_is_written_so_that_it_is_read_back() -> None:
    values = {"criterion": {"name": "snip", "wrt": "a, b"}, "at": {"epoch": 4}, "init": "orthogonal", "seed": 3}
    assert {each.field: each.value for each in conditions(selector_of(values))} == values
