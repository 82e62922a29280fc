"""Cells of ablations in words."""

from __future__ import annotations

import pytest

from prunectl.results import ablations


@pytest.mark.parametrize(
    ("cell", "noun", "verb"),
    [
        ("shuffle", "shuffling", "shuffled"),
        ("shuffle-global", "shuffling over the whole network", "shuffled over the whole network"),
        ('{ name = "invert" }', "inverting", "inverted"),
        ("theirs(x=1)", "the ablation theirs(x=1)", "theirs(x=1)"),
        ("{ broken", "the ablation { broken", "{ broken"),
    ],
)
def test_words_are_those_of_the_entry_or_the_name(cell: str, noun: str, verb: str) -> None:
    assert ablations.noun(cell) == noun
    assert ablations.verb(cell) == verb


def test_the_order_is_that_of_the_catalogue_with_others_last() -> None:
    cells = ["theirs", "invert", "a", "shuffle", "none", "shuffle"]
    assert ablations.ordered(cells) == ["none", "shuffle", "invert", "a", "theirs"]
