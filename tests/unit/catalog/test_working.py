"""A catalogue without the plug-ins that cannot be used: each broken one costs only itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from prunectl.catalog import lookup, tables
from prunectl.catalog.lookup import working
from prunectl.catalog.metric import Metric
from prunectl.training.metrics.top1 import Top1


@pytest.fixture(autouse=True)
def with_plug_ins(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Two metrics, one that cannot be imported and one that is a criterion."""
    entries = {
        "top1": tables.METRICS["top1"],
        "broken": "no_such_module_at_all:Broken",
        "magnitude": tables.CRITERIA["magnitude"],
        "loss": tables.METRICS["loss"],
    }
    changed = {**tables.CATALOGS, "metrics": replace(tables.CATALOGS["metrics"], entries=entries)}
    monkeypatch.setattr(tables, "CATALOGS", changed)
    lookup.places.cache_clear()
    lookup._entry_type.cache_clear()
    yield
    lookup.places.cache_clear()
    lookup._entry_type.cache_clear()


def test_what_cannot_be_used_is_left_out_and_the_order_stays() -> None:
    metrics = working("metrics", Metric)
    assert [metric.name for metric in metrics] == ["top1", "loss"]
    assert metrics[0] is Top1
