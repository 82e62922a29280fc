"""A catalogue gives the class behind a name, and refuses an entry that would be kept under a wrong name or kind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from prunectl.base.errors import PrunectlError
from prunectl.catalog.augmentation import Augmentation
from prunectl.catalog.lookup import entry_type, names, places
from prunectl.catalog.tables import CATALOGS

if TYPE_CHECKING:
    from unit.catalog.conftest import Register

FIX = "fix or uninstall the package that registers it"
FROM = "'mine' of the augmentations cannot be imported from"
RAISING = Path(__file__).with_name("raising.py")


def test_a_plug_in_is_an_entry_like_ours_and_comes_after_them(register: Register) -> None:
    register("augmentations", blur="unit.catalog.plugins:Blur", aa="unit.catalog.plugins:Blur")
    assert names("augmentations") == [*CATALOGS["augmentations"].entries, "aa", "blur"]
    assert entry_type("augmentations", "blur", Augmentation)().label() == "blur"


def test_a_name_of_ours_cannot_be_taken_over(register: Register) -> None:
    register("augmentations", flip="unit.catalog.plugins:Blur")
    assert places("augmentations")["flip"] == CATALOGS["augmentations"].entries["flip"]
    assert names("augmentations") == list(CATALOGS["augmentations"].entries)


def test_a_plug_in_of_one_catalogue_is_not_in_another(register: Register) -> None:
    register("augmentations", blur="unit.catalog.plugins:Blur")
    assert "blur" not in names("criteria")


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("unit.catalog.plugins:Other", "Augmentation"),
        ("unit.catalog.plugins:no_entry", "Augmentation"),
        ("unit.catalog.plugins:Inner", "Augmentation"),
        ("unit.catalog.plugins:Renamed", "calls itself 'another'"),
        ("unit.catalog.plugins:Nameless", "calls itself None"),
        ("unit.catalog.plugins:Missing", f"{FROM} unit.catalog.plugins:Missing: AttributeError: module"),
        ("unit.catalog.no_such_module:Blur", f"{FROM} unit.catalog.no_such_module:Blur: ModuleNotFoundError: No modul"),
        ("unit.catalog.raising:Blur", f"{FROM} unit.catalog.raising:Blur: RuntimeError: its licence has expired ("),
        ("unit.catalog.raising:Blur", f"{RAISING}:3)"),
        ("not a place", "'mine' of the augmentations is registered as 'not a place', which is not 'module:Class' ("),
        ("unit.catalog.plugins", "which is not 'module:Class' ("),
        ("", "is registered as '', which is not 'module:Class' ("),
    ],
)
def test_a_broken_plug_in_is_refused_and_costs_only_itself(register: Register, place: str, message: str) -> None:
    register("augmentations", mine=place)
    with pytest.raises(PrunectlError) as caught:
        entry_type("augmentations", "mine")
    assert message in caught.value.message
    assert "mine" in caught.value.message
    assert caught.value.hint == FIX
    assert entry_type("augmentations", "flip").name == "flip"


@pytest.mark.parametrize(("name", "near"), [("flop", "flip"), ("FLIP", "flip"), ("", None)])
def test_an_unknown_name_lists_what_is_known_and_the_nearest(name: str, near: str | None) -> None:
    with pytest.raises(PrunectlError) as caught:
        entry_type("augmentations", name)
    assert caught.value.message == f"no {name!r} among the augmentations: {', '.join(names('augmentations'))}"
    assert caught.value.hint == (near and f"did you mean '{near}'?")


def test_a_wrong_kind_asked_for_is_our_own_mistake() -> None:
    from prunectl.catalog.scope import Scope

    with pytest.raises(AssertionError, match="the augmentations hold Scope"):
        entry_type("augmentations", "flip", Scope)


def test_the_declarations_need_no_torch_numpy_or_polars() -> None:
    code = (
        "import sys, prunectl.catalog; from importlib import import_module; from pkgutil import iter_modules\n"
        "for module in iter_modules(prunectl.catalog.__path__, 'prunectl.catalog.'): import_module(module.name)\n"
        "print({'torch', 'numpy', 'polars'} & set(sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "set()\n"
