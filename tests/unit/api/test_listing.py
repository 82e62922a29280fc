"""What a study can name."""

from __future__ import annotations

import pytest

from prunectl.api.listing import entries, kinds, published
from prunectl.base.errors import PrunectlError
from prunectl.catalog import lookup
from prunectl.catalog.criterion import Criterion


def test_every_catalogue_can_be_listed() -> None:
    for kind in kinds():
        if kind not in ("published", "studies"):
            listed = entries(kind)
            assert [entry.name for entry in listed] == lookup.names(kind)
            assert all(entry.summary and entry.version >= 1 for entry in listed)


def test_parameters_come_with_their_defaults() -> None:
    snip = next(entry for entry in entries("criteria") if entry.name == "snip")
    assert snip.parameters["samples_per_class"] == 10


def test_published_tables_have_a_source() -> None:
    assert all(table.title and table.source for table in published())


def test_an_unknown_catalogue_is_answered_with_those_that_exist() -> None:
    with pytest.raises(PrunectlError, match="criteria, scopes") as raised:
        entries("criterions")
    assert raised.value.hint == "did you mean criteria?"


def test_a_broken_plug_in_costs_only_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    places = dict(lookup.places("criteria"))
    broken = {**places, "broken": "no_such_package.module:Broken"}
    monkeypatch.setattr(lookup, "places", lambda catalog: broken if catalog == "criteria" else {})
    listed = {entry.name: entry for entry in entries("criteria")}
    assert "cannot be imported" in listed["broken"].summary
    assert "no_such_package" in listed["broken"].summary
    assert listed["snip"].version >= 1


def test_a_parameter_that_must_be_given_is_listed_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    class Half(Criterion):
        name, summary, paper = "half", "a share of something", "nobody (2026)"
        share: float
        power: int = 2
        floor: float | None = None

    monkeypatch.setattr(lookup, "names", lambda catalog: ["half"])
    monkeypatch.setattr(lookup, "entry_type", lambda catalog, name: Half)
    (half,) = entries("criteria")
    assert (half.required, half.parameters) == (("share",), {"power": 2, "floor": None})
