"""A mistake inside a table or entry that an entry holds is reported at its line, with what is allowed there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from unit.study.conftest import LoadText, Problems

SNIP = '{ name = "snip", samples_per_class = 5 }'
TUNED = (
    '{ name = "tuned", to = { epoch = 2 }, length = { epochs = 3 }, scope = "layerwise", '
    'augment = ["flip", { name = "pad-crop", pad = 2 }], rates = { "conv.1" = 0.5 } }'
)


def test_an_entry_may_hold_tables_and_entries(good: str, load_text: LoadText) -> None:
    study = load_text(good.replace(SNIP, f"{SNIP}, {TUNED}")).study
    assert study.prune[0].criterion[2].written() == {
        "name": "tuned",
        "to": {"epoch": 2},
        "length": {"epochs": 3},
        "scope": "layerwise",
        "augment": ["flip", {"name": "pad-crop", "pad": 2}],
        "rates": {"conv.1": 0.5},
    }


@pytest.mark.parametrize(
    ("old", "new", "key", "at", "message", "hint"),
    [
        ("{ epoch = 2 }", '"ned"', "to", "to =", 'one of "init", "end", or a table { epoch', 'did you mean "end"?'),
        ("{ epoch = 2 }", "{ epch = 2 }", "to.epch", "epch", "allowed here: epoch, step", 'did you mean "epoch"?'),
        ("{ epoch = 2 }", "{ epoch = -2 }", "to.epoch", "epoch", "a whole number, at least 0 and at most", None),
        ("{ epoch = 2 }", "{}", "to", "to", "one of the keys epoch, step must be given", None),
        ("{ epochs = 3 }", "{ epochs = 3, steps = 1 }", "length.steps", "steps", "cannot be combined with", None),
        ("{ epochs = 3 }", "3", "length", "length", "must be a table, not 3", None),
        ('"layerwise"', '"layrwise"', "scope", "scope", "there is no scope", 'did you mean "layerwise"?'),
        ('"layerwise"', "{}", "scope.name", "scope", "missing: must be the name of a scope: global, lay", None),
        ('"layerwise"', "7", "scope", "scope", "must be the name of a scope, or a table with a name, not 7", None),
        ("pad = 2", "pad = -2", "augment[1].pad", "pad =", "must be a whole number, at least 0, not -2", None),
        ("pad = 2", "pads = 2", "augment[1].pads", "pads", "allowed here: pad, name", 'did you mean "pad"?'),
        ('"pad-crop"', '"pad-corp"', "augment[1].name", "name =", "there is no augm", 'did you mean "pad-crop"?'),
        ('["flip"', '["flip", "flip"', "augment[1]", '"flip", {', "is in the list twice", None),
        ("= 0.5", "= 5", 'rates."conv.1"', '"conv.1"', "must be a number, more than 0 and less than 1, not 5", None),
        ("to =", "too =", "too", "too", "allowed here: to, length, scope, augment, rates, name", 'did you mean "to"?'),
    ],
)  # fmt: skip
def test_a_mistake_deep_inside_has_its_place(
    good: str, problems: Problems, old: str, new: str, key: str, at: str, message: str, hint: str | None
) -> None:
    assert old in TUNED
    text = good.replace(SNIP, TUNED.replace(old, new))
    problem = {each.key: each for each in problems(text)}[f"prune[0].criterion[1].{key}"]
    assert problem.where is not None
    row, column = map(int, problem.where.removeprefix("study.toml:").split(":"))
    assert text.split("\n")[row - 1][column - 1 :].startswith(at)
    assert message in problem.message
    assert problem.hint == hint


def test_every_mistake_of_a_nested_entry_is_reported_at_once(good: str, problems: Problems) -> None:
    wrong = '{ name = "tuned", to = { step = -1, x = 1 }, scope = { name = "globl", x = 1 }, rates = { a = 2, b = 3 } }'
    found = [each.key.removeprefix("prune[0].criterion[1].") for each in problems(good.replace(SNIP, wrong))]
    assert found == ["to.step", "to.x", "scope.name", "scope.x", "rates.a", "rates.b"]


def test_entries_nest_to_any_depth(good: str, problems: Problems) -> None:
    wrong = '{ name = "snip", samples_per_clas = 3 }'
    for _ in range(3):
        wrong = f'{{ name = "ranked", by = {wrong} }}'
    (problem,) = problems(good.replace(SNIP, wrong))
    assert problem.key == "prune[0].criterion[1].by.by.by.samples_per_clas"
    assert problem.hint == 'did you mean "samples_per_class"?'


def test_a_parameter_that_a_bare_name_lacks_is_named(good: str, problems: Problems) -> None:
    (problem,) = problems(good.replace(SNIP, '"ranked"'))
    assert (problem.key, problem.where) == ("prune[0].criterion[1].by", "study.toml:24:27")
    assert problem.message == "missing: must be a name of the criteria, or a table with a name"


def test_an_override_reaches_into_a_nested_entry(good: str, load_text: LoadText, problems: Problems) -> None:
    text = good.replace(SNIP, f"{SNIP}, {TUNED}")
    entry = load_text(text, "prune[0].criterion[2].length.steps=7").study.prune[0].criterion[2]
    assert entry.parameters()["length"] == {"steps": 7}
    (problem,) = problems(text, "prune[0].criterion[2].augment[1].pad=x")
    assert problem.where == "--set prune[0].criterion[2].augment[1].pad=x"


def test_entries_with_tables_inside_can_be_compared_and_hashed(good: str, load_text: LoadText) -> None:
    text = good.replace(SNIP, f"{SNIP}, {TUNED}")
    one, other = (load_text(text).study.prune[0].criterion[2] for _ in range(2))
    assert one == other
    assert hash(one) == hash(other)
    assert one.preimage() == other.preimage()
