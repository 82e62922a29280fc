"""What was asked of a study: its names for files, and its words."""

from __future__ import annotations

import shlex

from hypothesis import given
from hypothesis import strategies as st

from prunectl.study.selection import LONGEST_NAME, WHOLE, Selection


def texts(start: str) -> st.SearchStrategy[tuple[str, ...]]:
    """Options that begin so, with characters of every kind after it."""
    return st.lists(st.text(max_size=120).map(lambda text: start + text), max_size=3).map(tuple)


SELECTIONS = st.builds(
    Selection, profile=st.none() | st.text(max_size=120), overrides=texts("train.lr="), only=texts("seed=")
)


def test_names_are_as_they_are_typed_where_that_is_possible() -> None:
    assert WHOLE.named("small") == "small"
    assert Selection(profile="quick").named("small") == "small@quick"
    assert Selection(only=("criterion=snip,sparsity=0.9",)).named("small") == "small+criterion=snip,sparsity=0.9"
    both = Selection(profile="quick", overrides=("train.epochs=2",), only=("seed=1",))
    assert both.named("small") == "small@quick+train.epochs=2+seed=1"


def test_a_name_that_the_profile_gives_shows_the_profile_already() -> None:
    assert Selection(profile="quick").named("small-quick", by_profile=True) == "small-quick"
    part = Selection(profile="quick", only=("seed=1",))
    assert part.named("small-quick", by_profile=True) == "small-quick+seed=1"


def test_what_cannot_be_typed_so_has_a_digest() -> None:
    more, less = (Selection(only=(f"seed{sign}1",)).named("small") for sign in "><")
    assert more.startswith("small+seed-1-") and less.startswith("small+seed-1-") and more != less


@given(SELECTIONS, SELECTIONS)
def test_different_selections_have_different_safe_and_short_names(one: Selection, other: Selection) -> None:
    names = one.named("small"), other.named("small")
    assert (names[0] == names[1]) == (one == other)
    assert all(name.isascii() and "/" not in name and "\\" not in name for name in names)
    assert all(len(name) < LONGEST_NAME + 20 and name.startswith("small") for name in names)


@given(SELECTIONS)
def test_the_words_are_the_options_of_a_command_line(selection: Selection) -> None:
    assert shlex.split(selection.text) == selection.options()
    assert bool(selection) == bool(selection.text)


def test_the_options_are_in_the_order_in_which_they_apply() -> None:
    selection = Selection(profile="quick", overrides=("a=1", "b=2"), only=("seed=1",))
    assert selection.text == "--profile quick --set a=1 --set b=2 --only seed=1"
