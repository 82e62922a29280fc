"""Colours, shapes and dashes: fixed for known criteria, distinct for others, and visible."""

from __future__ import annotations

import pytest

from prunectl.report import palette
from prunectl.report.shell import PATHS


def luminance(colour: str) -> float:
    """Relative luminance as WCAG defines it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("colour", sorted({*palette.OWN.values(), *palette.OTHERS}))
def test_colours_can_be_seen_on_paper_and_in_the_dark(colour: str) -> None:
    assert 1.05 / (luminance(colour) + 0.05) >= 3
    assert (luminance(colour) + 0.05) / (luminance("#14161a") + 0.05) >= 3


def test_known_criteria_keep_their_colours_whatever_is_next_to_them() -> None:
    assert palette.colours(["theirs", "snip", "ours"])[1] == palette.colours(["snip"])[0] == palette.OWN["snip"]
    assert len(set(palette.colours(["theirs", "snip", "ours"]))) == 3


def test_other_names_take_no_colour_of_a_known_one() -> None:
    names = [*palette.OWN, "theirs", "ours"]
    assert len(set(palette.colours(names))) == len(names)


def test_more_names_than_colours_begin_again() -> None:
    names = [f"c{number}" for number in range(14)]
    assert palette.colours(names)[12:] == palette.colours(names)[:2]
    assert len(set(zip(palette.colours(names), palette.shapes(names), strict=True))) == 14


def test_shapes_and_dashes_begin_again_and_the_first_dash_is_a_solid_line() -> None:
    names = [f"c{number}" for number in range(9)]
    assert palette.shapes(names)[8] == palette.shapes(names)[0]
    assert palette.dashes(names)[8] == palette.dashes(names)[0] == [1, 0]
    assert len({tuple(dash) for dash in palette.dashes(names)}) == 8


def test_every_shape_has_a_path_for_the_switches() -> None:
    assert set(palette.SHAPES) == set(PATHS)
