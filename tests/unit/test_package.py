"""`import prunectl`: what it offers, and what it leaves alone until it is needed."""

from __future__ import annotations

import subprocess
import sys

import pytest

import prunectl

HEAVY = ("torch", "polars", "altair", "pydantic", "numpy")


def loaded(code: str) -> set[str]:
    """Which heavy packages a piece of code has loaded in the end."""
    script = f"import sys\n{code}\nprint(*(name for name in {HEAVY!r} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_it_imports_nothing_heavy() -> None:
    assert loaded("import prunectl; prunectl.__version__; dir(prunectl)") == set()


def test_what_it_offers_imports_neither_torch_nor_polars() -> None:
    assert loaded(f"import prunectl; [getattr(prunectl, name) for name in {prunectl.__all__!r}]") == {"pydantic"}


def test_every_module_of_the_api_imports_without_torch_and_polars() -> None:
    code = (
        "import importlib, pkgutil, prunectl.api\n"
        "names = [module.name for module in pkgutil.iter_modules(prunectl.api.__path__)]\n"
        "[importlib.import_module(f'prunectl.api.{name}') for name in names]\n"
        "assert len(names) > 12"
    )
    assert loaded(code) == set()


def test_each_name_has_a_place_and_is_the_class_of_that_place() -> None:
    assert {*prunectl.PLACES, "__version__"} == set(prunectl.__all__)
    for name, place in prunectl.PLACES.items():
        assert getattr(prunectl, name).__module__ == place
    assert set(prunectl.__all__) <= set(dir(prunectl))


def test_a_plug_in_derives_from_what_the_package_offers() -> None:
    class Mine(prunectl.Criterion):
        name = "mine"
        summary = "|w| cubed"
        paper = "nobody (2026)"

    assert Mine().label() == "mine"
    assert issubclass(prunectl.DataCriterion, prunectl.Criterion)


def test_a_name_that_does_not_exist_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'prunectl' has no attribute 'rum'"):
        prunectl.rum  # type: ignore[attr-defined]  # noqa: B018
