"""The rates that are proposed: the highest that loses at most the margin, layer by layer."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from prunectl.results.sensitivity import SENSITIVITIES, Spared

DENSE = 0.9


def spared(top1: dict[str, dict[float, float | None]], margin: float = 0.01, n: int = 100) -> Spared:
    """Layers of n weights each, with the accuracy at each rate."""
    rows: list[dict[str, Any]] = [
        {"layer": layer, "index": index, "n": n, "rate": rate, "gone": None if value is None else round(rate * n),
         "top1": value, "loss": 1.0, "top1_dense": DENSE, "change": None if value is None else value - DENSE,
         "reason": "it is tied" if value is None else None}
        for index, (layer, by_rate) in enumerate(top1.items()) for rate, value in by_rate.items()
    ]  # fmt: skip
    return Spared(
        study="s", criterion="magnitude", structure="weights", seed=1, margin=margin, top1_dense=DENSE,
        rows=pl.DataFrame(rows, schema=SENSITIVITIES),
    )  # fmt: skip


def test_the_highest_rate_within_the_margin_is_proposed_at_its_very_edge_too() -> None:
    found = spared({"conv1": {0.5: 0.9, 0.8: 0.89, 0.9: 0.88}, "fc": {0.5: 0.95, 0.8: 0.91, 0.9: 0.895}})
    assert found.proposed == {"conv1": 0.8, "fc": 0.9}
    assert found.sparsity == pytest.approx(0.85)
    assert found.pasted == 'scope = { name = "rates", per_layer = { conv1 = 0.8, fc = 0.9 } }'


def test_a_higher_rate_may_be_fine_although_a_lower_one_is_not() -> None:
    assert spared({"fc": {0.5: 0.5, 0.9: 0.9}}).proposed == {"fc": 0.9}


def test_a_layer_that_spares_nothing_stays_dense() -> None:
    found = spared({"conv1": {0.5: 0.2}, "fc": {0.5: 0.9}})
    assert found.proposed == {"fc": 0.5}
    assert found.sparsity == pytest.approx(0.25)


def test_where_nothing_is_spared_or_known_nothing_is_proposed() -> None:
    for found in (spared({"conv1": {0.5: 0.2}}), spared({"conv1": {0.5: None}})):
        assert (found.proposed, found.sparsity, found.pasted) == ({}, None, None)


def test_what_is_pasted_is_a_scope() -> None:
    import tomllib

    from prunectl.catalog.section import resolve
    from prunectl.pruning.scopes.rates import Rates

    text = spared({"features.0": {0.5: 0.9}, "fc": {0.8: 0.9}}).pasted
    assert text is not None
    scope = resolve("scopes", tomllib.loads(text)["scope"])
    assert isinstance(scope, Rates) and dict(scope.per_layer) == {"features.0": 0.5, "fc": 0.8}
