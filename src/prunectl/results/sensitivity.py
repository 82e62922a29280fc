"""What `prunectl sensitivity` has measured, and the rates that it proposes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from prunectl.base.cells import cell
from prunectl.plan.sensitivity import Alone
from prunectl.results.artefacts import Artefacts
from prunectl.store import layout
from prunectl.store.local import LocalStore

SENSITIVITIES: dict[str, Any] = {
    "layer": pl.String,
    "index": pl.Int64,  # the layer's place in the network
    "n": pl.Int64,  # its weights
    "rate": pl.Float64,  # asked for
    "gone": pl.Int64,  # weights removed
    "top1": pl.Float64,
    "loss": pl.Float64,
    "top1_dense": pl.Float64,
    "change": pl.Float64,  # top1 − top1_dense
    "reason": pl.String,  # why the layer cannot be pruned alone
}


@dataclass(frozen=True, kw_only=True)
class Spared:
    """A row for each layer and rate (`SENSITIVITIES`), and what follows from them."""

    study: str
    criterion: str
    structure: str
    seed: int
    margin: float
    """The loss of top-1 accuracy that a proposed rate may have, as a fraction."""
    top1_dense: float | None
    rows: pl.DataFrame

    @property
    def proposed(self) -> dict[str, float]:
        """The highest rate of each layer that loses at most the margin. A layer that no rate spares is left out."""
        fine = self.rows.filter(pl.col("change") >= -self.margin - 1e-12)
        highest = fine.group_by("layer", "index").agg(pl.col("rate").max()).sort("index")
        return dict(highest.select("layer", "rate").iter_rows())

    @property
    def sparsity(self) -> float | None:
        """The fraction of all prunable weights that is gone where every layer has its proposed rate."""
        sizes: Mapping[str, int] = dict(self.rows.select("layer", "n").unique().iter_rows())
        gone: Mapping[tuple[str, float], int] = {
            (layer, rate): count
            for layer, rate, count in self.rows.select("layer", "rate", "gone").iter_rows()
            if count is not None
        }
        if not self.proposed:
            return None
        return sum(gone[layer, rate] for layer, rate in self.proposed.items()) / sum(sizes.values())

    @property
    def pasted(self) -> str | None:
        """The proposed rates as a study file has them; None if no layer can spare anything."""
        return f"scope = {cell({'name': 'rates', 'per_layer': self.proposed})}" if self.proposed else None


def spared(study: str, alone: Alone, store: LocalStore, margin: float) -> Spared:
    """What the store holds of the steps. Raises DamagedError."""
    artefacts = Artefacts(alone.plan, store)
    dense = artefacts.document(alone.dense, layout.METRICS)
    top1 = dense["top1"] if dense else None
    return Spared(
        study=study,
        criterion=alone.criterion.label(),
        structure=alone.structure.label(),
        seed=alone.seed,
        margin=margin,
        top1_dense=top1,
        rows=pl.DataFrame(list(_rows(alone, artefacts, top1)), schema=SENSITIVITIES, orient="row"),
    )


def _rows(alone: Alone, artefacts: Artefacts, dense: float | None) -> Iterator[dict[str, Any]]:
    """In the order of the network's layers, each with its rates in ascending order."""
    documents = {rate: artefacts.document(key, layout.SENSITIVITY) for rate, key in alone.by_rate.items()}
    known = {rate: document["rows"] for rate, document in documents.items() if document}
    for index, _ in enumerate(next(iter(known.values()), ())):
        for rate, rows in known.items():
            row = rows[index]
            change = None if dense is None or row["top1"] is None else row["top1"] - dense
            yield {name: row.get(name) for name in ("layer", "n", "gone", "top1", "loss", "reason")} | {
                "index": index, "rate": rate, "top1_dense": dense, "change": change,
            }  # fmt: skip
