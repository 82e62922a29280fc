"""Seeds until claims are settled: the looks with their shares of the error, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from prunectl.catalog.problems import problems_of
from prunectl.catalog.seeds import ALPHA, UntilSettled


def looks(**table: Any) -> list[tuple[int, float]]:
    """The looks of a table, in percent."""
    read = UntilSettled.model_validate({"until": "settled", **table})
    return [(look.seeds, round(100 * look.alpha, 6)) for look in read.looks]


def test_the_usual_looks_take_their_shares_and_the_last_one_the_rest() -> None:
    assert looks() == [(3, 0.5), (4, 0.5), (6, 0.7), (8, 0.8), (12, 2.5)]


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ({"at_most": 8}, [(3, 0.5), (4, 0.5), (6, 0.7), (8, 3.3)]),
        ({"at_most": 10}, [(3, 0.5), (4, 0.5), (6, 0.7), (8, 0.8), (10, 2.5)]),
        ({"at_least": 5}, [(5, 0.5), (6, 0.7), (8, 0.8), (12, 3.0)]),
        ({"at_least": 5, "at_most": 5}, [(5, 5.0)]),
    ],
)
def test_looks_are_cut_at_both_ends(table: dict[str, Any], expected: list[tuple[int, float]]) -> None:
    assert looks(**table) == expected


def test_the_shares_always_add_up_to_the_whole_error() -> None:
    for least in range(3, 13):
        for most in range(least, 13):
            read = UntilSettled(at_least=least, until="settled", at_most=most)
            assert sum(look.alpha for look in read.looks) == pytest.approx(ALPHA)
            assert read.looks[0].seeds == least and read.looks[-1].seeds == most


@pytest.mark.parametrize(
    ("table", "path", "message"),
    [
        ({"at_least": 2}, ("at_least",), "must be at least 3, not 2: fewer seeds have no interval, and settle nothing"),
        ({"at_most": 13}, ("at_most",), "must be at most 12, not 13: claims are judged after 3, 4, 6, 8, 12 seeds"),
        ({"at_least": 6, "at_most": 4}, ("at_most",), "must be at least 6 (at_least), not 4: at_least comes first"),
        ({"until": "setled"}, ("until",), 'must be "settled", not "setled"'),
        ({"at_lest": 3}, ("at_lest",), "unknown key; allowed here: at_least, until, at_most"),
    ],
)
def test_what_is_refused_is_explained_once(table: dict[str, Any], path: tuple[str, ...], message: str) -> None:
    given = {"until": "settled", **table}
    with pytest.raises(ValidationError) as raised:
        UntilSettled.model_validate(given)
    assert [(problem.path, problem.message) for problem in problems_of(raised.value, given)] == [(path, message)]
