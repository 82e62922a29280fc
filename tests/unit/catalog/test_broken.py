"""Every way in which a plug-in can be broken: it is refused with file and line, and costs only itself."""

from __future__ import annotations

import json
from textwrap import dedent
from typing import Any

import pytest

from plugged import Install
from prunectl.api.listing import broken, entries
from prunectl.base.errors import PrunectlError
from prunectl.catalog.lookup import entry_type
from prunectl.catalog.tables import CATALOGS
from prunectl.study.jsonschema import json_schema
from prunectl.study.load import validate

GOOD = """\
from prunectl.catalog.criterion import Criterion


class Mine(Criterion):
    name, summary, paper = "mine", "the size", "nobody"

    def score(self, subject):
        return {}
"""
WITHOUT_SUMMARY = GOOD.replace(", summary", "").replace(', "the size"', "")
POINTS = "[prunectl.criteria]\nmine = net:Mine\n"
STUDY: dict[str, Any] = {
    "name": "t",
    "data": {"name": "digits"},
    "model": {"name": "tiny-cnn"},
    "train": {"epochs": 1, "batch_size": 100, "lr": 0.1},
    "sweep": {"sparsities": [0.5], "seeds": 1},
    "prune": [{"criterion": "magnitude"}],
}

BROKEN = {
    "raises": ("1 // 0", "ZeroDivisionError: integer division or modulo by zero ({net}:1)"),
    "raises in a function": ("def f():\n    1 // 0\nf()", "modulo by zero ({net}:2, in f)"),
    "syntax": ("class Mine(:\n", "SyntaxError: invalid syntax ({net}:1)"),
    "exits": ("import sys\nsys.exit(7)", "SystemExit: 7 ({net}:2)"),
    "raises what is no Exception": ("raise BaseException('no')", "BaseException: no ({net}:1)"),
    "lacks a module": ("import not_there", "ModuleNotFoundError: No module named 'not_there' ({net}:1)"),
    "lacks the class": ("x = 1", "AttributeError: module 'net' has no attribute 'Mine' ({points}:2)"),
    "is a function": ("def Mine():\n    pass", "is not a Criterion ({net}:1)"),
    "is a number": ("Mine = 7", "is not a Criterion ({points}:2)"),
    "is another kind": ("from prunectl.catalog.scope import Scope\nclass Mine(Scope):\n    name = 'mine'", "({net}:2)"),
    "lacks its summary": (WITHOUT_SUMMARY, "does not define summary ({net}:4)"),
    "has a number for a summary": (
        GOOD.replace('"the size"', "7"),
        "has a summary that is 7 and must be text ({net}:4)",
    ),
    "has None for a paper": (GOOD.replace('"nobody"', "None"), "has a paper that is None and must be text"),
    "has text for a version": (
        GOOD + "    version = '2'\n",
        'has a version that is "2" and must be a whole number ({net}:4)',
    ),
    "has a mode that does not exist": (
        GOOD + "    precision = 'float16'\n",
        'has a precision that is "float16" and must be one of "float32", "float64" ({net}:4)',
    ),
    "has a list": (GOOD + "    scopes = ['global']\n", "has a scopes that is a list of 1 and must be"),
    "has a property": (
        WITHOUT_SUMMARY + "    @property\n    def summary(self): 1 // 0\n",
        "has a summary that is a property and must be a class variable: text ({net}:4)",
    ),
    "raises when it is looked at": (
        "class Bad:\n    def __get__(self, *_):\n        1 // 0\n" + GOOD + "    summary = Bad()\n",
        "cannot be used: ZeroDivisionError: integer division or modulo by zero ({net}:3, in __get__)",
    ),
    "has a parameter of an unknown type": (GOOD + "    power: 'Nothing' = 1\n", "cannot be used: PydanticUndefined"),
    "has a parameter without a type": (GOOD + "    power = 2\n", "cannot be imported from net:Mine: PydanticU"),
    "has a default that no key can hold": (
        "from typing import Any\n" + GOOD + "    power: Any = object()\n",
        "cannot be used: PydanticSerializationError",
    ),
    "has a default that raises": (
        "from pydantic import Field\n" + GOOD + "    power: int = Field(default_factory=lambda: 1 // 0)\n",
        "cannot be used: ZeroDivisionError: integer division or modulo by zero ({net}:",
    ),
    "calls itself another's name": (GOOD.replace('"mine"', '"magnitude"'), "calls itself 'magnitude' ({net}:4)"),
    "inherits another's name": (
        "from prunectl.pruning.criteria.snip import Snip\nclass Mine(Snip):\n    pass\n",
        "calls itself 'snip' ({net}:2)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_plug_in_is_refused_with_file_and_line_and_costs_only_itself(how: str, installed: Install) -> None:
    source, expected = BROKEN[how]
    points = installed(POINTS, {"net.py": source})
    with pytest.raises(PrunectlError) as caught:
        entry_type("criteria", "mine")
    message = caught.value.message
    assert expected.format(net=points.parent.parent / "net.py", points=points) in message
    assert message.endswith(")")
    assert ("net.py:" in message) or ("entry_points.txt:2" in message)
    listed = {entry.name: entry for entry in entries("criteria")}
    assert (listed["mine"].broken, listed["mine"].summary) == (True, f"broken: {message}")
    assert [entry.name for entry in listed.values() if not entry.broken] == list(CATALOGS["criteria"].entries)
    assert broken() == {"mine of the criteria": f"broken: {message}"}
    assert validate(STUDY)[1] == []


def test_a_module_that_raises_is_not_imported_a_second_time(
    installed: Install, capsys: pytest.CaptureFixture[str]
) -> None:
    installed(POINTS, {"net.py": "print('expensive')\n1 // 0\n"})
    for _ in range(3):
        with pytest.raises(PrunectlError):
            entry_type("criteria", "mine")
    out, err = capsys.readouterr()
    assert (out, err) == ("", "expensive\n")


def test_ctrl_c_while_a_plug_in_is_imported_is_ctrl_c(installed: Install) -> None:
    installed(POINTS, {"net.py": "raise KeyboardInterrupt"})
    with pytest.raises(KeyboardInterrupt):
        entries("criteria")


@pytest.mark.parametrize("how", ["calls itself another's name", "inherits another's name"])
def test_a_copied_class_with_the_name_left_in_it_is_a_problem_of_the_study(how: str, installed: Install) -> None:
    """Its results would be stored under the keys of the class that it was copied from."""
    installed("[prunectl.criteria]\nothername = net:Mine\n", {"net.py": BROKEN[how][0]})
    study, (problem,) = validate({**STUDY, "prune": [{"criterion": "othername"}]})
    assert study is None
    assert problem.path == ("prune", 0, "criterion")
    assert "net:Mine, registered as 'othername' of the criteria, calls itself '" in problem.message
    assert problem.hint == "fix or uninstall the package that registers it"


def test_a_sound_plug_in_is_listed_and_in_the_schema(installed: Install) -> None:
    installed(POINTS, {"net.py": GOOD + "    power: float = 2.0\n"})
    (mine,) = (entry for entry in entries("criteria") if entry.name == "mine")
    assert (mine.broken, mine.parameters) == (False, {"power": 2.0})
    assert '"const": "mine"' in json.dumps(json_schema())
    assert broken() == {}


def test_the_schema_leaves_out_what_is_broken_and_what_has_no_schema(installed: Install) -> None:
    source = """
        from typing import Annotated
        from pydantic import WithJsonSchema, Field
        from prunectl.catalog.criterion import Criterion

        class Base(Criterion):
            summary, paper = "the size", "nobody"
            def score(self, subject):
                return {}

        class Mine(Base):
            name = "mine"
            power: Annotated[int, Field(json_schema_extra=lambda schema: 1 // 0)] = 1

        class Plain(Base):
            name = "plain"
    """
    installed("[prunectl.criteria]\nmine = net:Mine\nplain = net:Plain\nx = nowhere:X\n", {"net.py": source})
    text = json.dumps(json_schema())
    assert '"const": "plain"' in text
    assert '"const": "mine"' not in text
    assert '"const": "x"' not in text


def test_a_name_of_ours_is_not_taken_over_and_the_list_shows_the_attempt(installed: Install) -> None:
    points = installed("[prunectl.criteria]\nmagnitude = net:Mine\n", {"net.py": GOOD})
    found = [entry for entry in entries("criteria") if entry.name == "magnitude"]
    assert [entry.broken for entry in found] == [False, True]
    reason = "'magnitude' of the criteria is prunectl's own: net:Mine of the package net is ignored"
    assert found[1].summary == f"broken: {reason} ({points}:2)"
    assert entry_type("criteria", "magnitude").__module__.startswith("prunectl.")


def test_a_name_that_two_packages_register_is_neithers(installed: Install) -> None:
    """Which of them it is would depend on the order of the path, and with it the results."""
    first = installed(POINTS, {"net.py": GOOD})
    second = installed("[prunectl.criteria]\nmine = other:Mine\nmore = other:More\n", {
        "other.py": GOOD + "\n\nclass More(Mine):\n    name = 'more'\n",
    }, package="other")  # fmt: skip
    with pytest.raises(PrunectlError) as caught:
        entry_type("criteria", "mine")
    assert caught.value.message.startswith("'mine' of the criteria is registered more than once: ")
    assert f"net:Mine by net ({first}:2)" in caught.value.message
    assert f"other:Mine by other ({second}:2)" in caught.value.message
    assert entry_type("criteria", "more").name == "more"


def test_the_same_name_in_two_catalogues_is_two_entries(installed: Install) -> None:
    scope = dedent(
        """
        from prunectl.catalog.scope import Scope

        class Spread(Scope):
            name, summary = "mine", "nothing"
            def groups(self, shapes, sparsity, gone, weights=None):
                return []
        """
    )
    installed(POINTS + "[prunectl.scopes]\nmine = net:Spread\n", {"net.py": GOOD + scope})
    assert {entry_type(catalog, "mine").__name__ for catalog in ("criteria", "scopes")} == {"Mine", "Spread"}


def test_a_metric_with_a_parameter_that_must_be_given_is_refused(installed: Install) -> None:
    """Every metric is measured in every study: one that cannot be made would stop them all."""
    source = """
        from prunectl.catalog.metric import Metric

        class Share(Metric):
            name = summary = head = title = "share"
            unit, better = "fraction", "high"
            of: int
            def sums(self, logits, labels): ...
            def value(self, total, count): ...
    """
    installed("[prunectl.metrics]\nshare = net:Share\n", {"net.py": source})
    with pytest.raises(PrunectlError, match="has parameters without a default: of"):
        entry_type("metrics", "share")
