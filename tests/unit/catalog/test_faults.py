"""A plug-in that lacks what its catalogue requires is refused, with everything that it lacks."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from prunectl.base.errors import PrunectlError
from prunectl.catalog.ablation import Ablation
from prunectl.catalog.augmentation import Augmentation
from prunectl.catalog.dataset import Dataset
from prunectl.catalog.entry import Entry
from prunectl.catalog.faults import lacking
from prunectl.catalog.lookup import entry_type, kind_of, names, working
from prunectl.catalog.model import Model
from prunectl.catalog.rounds import Rounds
from prunectl.catalog.tables import CATALOGS

if TYPE_CHECKING:
    from unit.catalog.conftest import Register

LACKED = {
    "criteria": "paper, summary, score()",
    "scopes": "summary, groups()",
    "structures": "summary, units()",
    "rounds": "summary, targets()",
    "ablations": "changes, noun, summary, verb, masks()",
    "models": "summary, _network()",
    "datasets": "classes, fingerprint, mean, shape, std, summary, test_size, train_size, arrays()",
    "augmentations": "summary, apply()",
    "optimizers": "summary, build()",
    "schedules": "summary, factor()",
    "metrics": "better, head, summary, title, unit, sums(), value()",
    "retrainings": "summary, after()",
    "executors": "summary, engine()",
    "trackers": "summary, open()",
}
"""What a class with nothing but a name lacks."""


def derived(kind: type[Entry], **members: Any) -> type[Entry]:
    return type("Derived", (kind,), {"name": "mine", "__module__": __name__, **members})


def test_every_catalogue_is_covered() -> None:
    assert set(LACKED) == set(CATALOGS)


@pytest.mark.parametrize("catalog", CATALOGS)
def test_a_plug_in_that_only_has_a_name_is_refused_and_costs_only_itself(
    catalog: str, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = ModuleType("bare_plug_in")
    module.__dict__["Bare"] = derived(kind_of(catalog))
    monkeypatch.setitem(sys.modules, "bare_plug_in", module)
    register(catalog, mine="bare_plug_in:Bare")
    with pytest.raises(PrunectlError) as caught:
        entry_type(catalog, "mine")
    place = f"bare_plug_in:Bare, registered as 'mine' of the {catalog}"
    message, _, where = caught.value.message.partition(" (")
    assert message == f"{place}, does not define {LACKED[catalog]}"
    assert where.endswith("entry_points.txt:2)")
    assert caught.value.hint == "fix or uninstall the package that registers it"
    assert [kind.name for kind in working(catalog, Entry)] == names(catalog)[:-1]


def test_a_method_that_a_flag_makes_unnecessary_is_not_required() -> None:
    assert "masks()" not in lacking(derived(Ablation, changes="weights"), Ablation)
    assert "masks()" in lacking(derived(Ablation, changes="mask"), Ablation)
    assert lacking(derived(Rounds, summary=""), Rounds) == ["targets()"], "where its moments come from"
    assert lacking(derived(Rounds, summary="", retrains=True), Rounds) == ["levels()"]
    assert lacking(derived(Rounds, summary="", during=True), Rounds) == ["hook()"]
    assert lacking(derived(Augmentation, on_reading=True, summary=""), Augmentation) == ["cut()"]
    drawing = derived(Augmentation, summary="", draw=lambda self, count, generator: None)
    assert lacking(drawing, Augmentation) == ["apply()"], "what it draws would change nothing"
    assert lacking(derived(Model, summary="", build=lambda self, shape, classes: None), Model) == []
    in_files = lacking(derived(Dataset, in_files=True), Dataset)
    assert in_files == ["fingerprint", "mean", "shape", "std", "summary"]


def test_a_declaration_may_be_a_property_or_a_parameter() -> None:
    class Sized(Dataset):
        name = "sized"
        train_size: int = 5  # type: ignore[misc]

        @property
        def shape(self) -> tuple[int, int, int]:  # type: ignore[override]
            return (1, 8, 8)

        def arrays(self, root: Path) -> Any: ...

    assert lacking(Sized, Dataset) == ["classes", "fingerprint", "mean", "std", "summary", "test_size"]
