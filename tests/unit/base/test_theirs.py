"""Whose code a module is, by its name and its file."""

from __future__ import annotations

import abc
import json
import sysconfig
from pathlib import Path

import pytest

from prunectl.base import theirs
from prunectl.base.theirs import third_party, within_package

SITE = str(Path(sysconfig.get_path("purelib")) / "mine.py")


@pytest.mark.parametrize(
    ("module", "file", "expected"),
    [
        ("prunectl.base.theirs", theirs.__file__, False),
        ("prunectl_more", "/x/prunectl_more.py", True),
        ("torch.nn.modules.linear", "/x/torch/nn/modules/linear.py", False),
        ("pydantic.main", "/x/pydantic/main.py", False),
        ("json.decoder", json.__file__, False),
        ("abc", abc.__file__, False),
        ("importlib._bootstrap", "<frozen importlib._bootstrap>", False),
        ("builtins", None, False),
        ("mine", SITE, True),
        ("mine", None, True),
        ("__main__", "/x/script.py", True),
    ],
)
def test_prunectl_what_it_is_built_on_and_python_are_not_third_parties(
    module: str, file: str | None, expected: bool
) -> None:
    assert third_party(module, file) is expected


@pytest.mark.parametrize("file", ["/x/profile.py", str(Path(SITE).with_name("profile.py"))])
def test_a_module_that_only_has_the_name_of_one_of_pythons_is_a_third_partys(file: str) -> None:
    assert third_party("profile", file)


@pytest.mark.parametrize(
    ("module", "file", "expected"),
    [
        ("net", "/home/me/net.py", "net.py"),
        ("meanprune.criterion", "/site/meanprune/criterion.py", "meanprune/criterion.py"),
        ("meanprune", "/site/meanprune/__init__.py", "meanprune/__init__.py"),
        ("a.b", "/site/a/b/__init__.py", "a/b/__init__.py"),
        ("__main__", "/home/me/script.py", "script.py"),
    ],
)
def test_a_file_is_named_from_its_package_on(module: str, file: str, expected: str) -> None:
    assert within_package(module, file) == expected
