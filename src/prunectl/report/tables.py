"""The tables of a report as plain values: arms by sparsity, every trial, resources. Each format dresses them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from prunectl.base.text import energy, percent, seconds, size
from prunectl.catalog.metric import Metric
from prunectl.results.aggregate import roles, summarise
from prunectl.results.pairing import groups
from prunectl.results.statistics import Center, bootstrap, center, mean
from prunectl.results.table import METRICS


@dataclass(frozen=True, kw_only=True)
class Cell:
    """An arm at one sparsity: mean or median top-1 over the seeds that are done, with its 80 % bootstrap interval."""

    center: float | None
    low: float | None
    high: float | None
    n: int  # seeds done
    of: int  # seeds asked for
    best: bool  # the highest of the column
    dense: float | None  # the baseline's

    @property
    def text(self) -> str:
        """In percent, without the unit."""
        return "–" if self.center is None else f"{self.center * 100:.2f}"

    @property
    def spread(self) -> str:
        """The interval in percent, or nothing."""
        if self.low is None or self.high is None:
            return ""
        return f"{self.low * 100:.2f} to {self.high * 100:.2f}"

    @property
    def change(self) -> str:
        """The difference to the baseline in points, or nothing."""
        if self.center is None or self.dense is None:
            return ""
        return f"{(self.center - self.dense) * 100:+.2f}".replace("-", "−")


@dataclass(frozen=True, kw_only=True)
class Row:
    """An arm."""

    arm: str
    hue: str
    ablation: str
    cells: tuple[Cell, ...]

    @property
    def key(self) -> float:
        """What arms are ranked by: the mean over the sparsities; one with a hole comes last."""
        known = [cell.center for cell in self.cells if cell.center is not None]
        return mean(known) if len(known) == len(self.cells) and known else -1.0


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Arms by sparsity. Sparsity 0 is the baseline, the same for all arms, and stands by itself."""

    sparsities: tuple[float, ...]
    rows: tuple[Row, ...]
    dense: Cell | None
    of: Center

    @property
    def heads(self) -> tuple[str, ...]:
        """The sparsities as column heads."""
        return tuple(percent(value) for value in self.sparsities)

    @property
    def ranked(self) -> tuple[Row, ...]:
        """The best arm first."""
        return tuple(sorted(self.rows, key=lambda row: -row.key))


def grid(trials: pl.DataFrame, of: Center = "mean") -> Grid:
    """Means or medians over the seeds by arm and sparsity, in the order of the study."""
    role = roles(trials)
    pruned = trials.filter(pl.col("sparsity") > 0)
    sparsities = tuple(sorted(pruned["sparsity"].unique().to_list()))
    cells = summarise(pruned, role=role, of=of)
    found = {(row["arm"], row["sparsity"]): row for row in cells.iter_rows(named=True)}
    asked = {key: cell.height for key, cell in groups(pruned, ["arm", "sparsity"])}
    best = {
        sparsity: max((row["center"] for (_, at), row in found.items() if at == sparsity), default=None)
        for sparsity in sparsities
    }

    def cell(arm: str, sparsity: float) -> Cell:
        row = found.get((arm, sparsity), {})
        return Cell(
            center=row.get("center"),
            low=row.get("low"),
            high=row.get("high"),
            n=row.get("n", 0),
            of=asked.get((arm, sparsity), 0),
            best=bool(row) and row["center"] == best[sparsity],
            dense=row.get("dense"),
        )

    arms = groups(pruned, ["arm"])
    rows = tuple(
        Row(
            arm=arm or "–",
            hue=rest[role.hue][0] or "–",
            ablation=rest["ablation"][0] or "none",
            cells=tuple(cell(arm, sparsity) for sparsity in sparsities),
        )
        for (arm,), rest in arms
    )
    return Grid(sparsities=sparsities, rows=rows, dense=_dense(trials, of), of=of)


def _dense(trials: pl.DataFrame, of: Center) -> Cell | None:
    by_seed = trials.filter(pl.col("top1_dense").is_not_null()).unique("seed", keep="first", maintain_order=True)
    numbers = by_seed["top1_dense"].to_list()
    if not numbers:
        return None
    interval = bootstrap(numbers, of)
    return Cell(
        center=center(numbers, of),
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        n=len(numbers),
        of=trials["seed"].n_unique(),
        best=False,
        dense=None,
    )


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of the table of trials: its head, and how a value is written."""

    name: str
    head: str
    write: Callable[[Any], str]
    number: bool = True


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _fixed(factor: float, digits: int, sign: bool = False) -> Callable[[Any], str]:
    def write(value: Any) -> str:
        if value is None:
            return ""
        rounded = round(value * factor, digits) or 0.0  # no −0.00
        return f"{rounded:{'+' if sign and rounded else ''},.{digits}f}".replace("-", "−")

    return write


def _significant(value: Any) -> str:
    return "" if value is None else f"{value:.4g}"


def _sparsity(value: Any) -> str:
    return "" if value is None else percent(value).removesuffix(" %")


def _column(metric: type[Metric]) -> Column:
    """A fraction is shown in percent."""
    if metric.unit == "fraction":
        return Column(name=metric.name, head=f"{metric.head} %", write=_fixed(100, 2))
    return Column(name=metric.name, head=metric.head, write=_fixed(1, 4))


COLUMNS = (
    *(
        Column(name=name, head=name, write=_text, number=False)
        for name in (
            "study", "model", "dataset", "criterion", "scope", "structure", "at", "rounds", "ablation", "retrain",
        )
    ),
    Column(name="seed", head="seed", write=_text),
    Column(name="sparsity", head="sparsity %", write=_sparsity),
    Column(name="compression", head="compression", write=_significant),
    Column(name="compression_error", head="compression error %", write=_fixed(100, 2, True)),
    *(_column(metric) for metric in METRICS if metric.name == "top1"),
    Column(name="change", head="to dense", write=_fixed(100, 2, True)),
    Column(name="status", head="status", write=_text, number=False),
    Column(name="reason", head="reason", write=_text, number=False),
    Column(name="top1_before_retrain", head="before retraining %", write=_fixed(100, 2)),
    *(_column(metric) for metric in METRICS if metric.name != "top1"),
    Column(name="n_nonzero", head="nonzero", write=_fixed(1, 0)),
    Column(name="n_effective", head="effective", write=_fixed(1, 0)),
    Column(
        name="layers_collapsed", head="collapsed layers", write=lambda names: ", ".join(names or ()), number=False
    ),
    Column(name="flops", head="MFLOPs", write=_fixed(1e-6, 2)),
    Column(name="size_bytes", head="size, kB", write=_fixed(1e-3, 1)),
    Column(name="latency_ms", head="latency, ms", write=_fixed(1, 2)),
    Column(name="train_s", head="training, s", write=_fixed(1, 1)),
    Column(name="score_s", head="scoring, s", write=_fixed(1, 2)),
    Column(name="device", head="device", write=_text, number=False),
    Column(name="artefact", head="artefact", write=lambda key: (key or "")[:12], number=False),
)  # fmt: skip
"""The columns of the table of trials; `change` is top1 − top1_dense."""


@dataclass(frozen=True, kw_only=True)
class Listing:
    """Every trial as texts, without the columns that say the same in every row."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    statuses: tuple[str, ...]
    constant: tuple[tuple[str, str], ...]  # head and text of the columns left out


def listing(trials: pl.DataFrame) -> Listing:
    """The table of trials, in the order of the study."""
    frame = trials.with_columns(change=pl.col("top1") - pl.col("top1_dense"))
    written = {column.name: [column.write(value) for value in frame[column.name].to_list()] for column in COLUMNS}
    telling = [column for column in COLUMNS if _tells(column.name, written[column.name])]
    constant = [(column.head, written[column.name][0]) for column in COLUMNS if column not in telling and trials.height]
    return Listing(
        columns=tuple(telling),
        rows=tuple(zip(*(written[column.name] for column in telling), strict=True)),
        statuses=tuple(status or "missing" for status in trials["status"].to_list()),
        constant=tuple((head, text) for head, text in constant if text),
    )


def _tells(name: str, texts: Sequence[str]) -> bool:
    """Whether a column is worth its room. Holes alone do not make it so, but every reason does."""
    return name in ("top1", "artefact") or len({*texts} - {""}) > 1 or (name == "reason" and any(texts))


RESOURCE_HEADS = (
    "kind of step", "criterion", "steps", "made", "reused", "wall time", "CPU time", "energy", "peak memory",
    "steps, unshared", "time, unshared", "device",
)  # fmt: skip


def resource_rows(resources: pl.DataFrame) -> list[Sequence[str]]:
    """The resources as texts, a row per kind of step and criterion."""
    return [
        (
            _text(row["kind"]), _text(row["criterion"]), f"{row['steps'] or 0:,}", f"{row['made'] or 0:,}",
            f"{row['reused'] or 0:,}", seconds(row["wall_s"]), seconds(row["cpu_s"]),
            energy(row["energy_j"]), size(row["peak_bytes"]),
            f"{row['unshared'] or 0:,}", seconds(row["unshared_s"]), _text(row["device"]),
        )
        for row in resources.iter_rows(named=True)
    ]  # fmt: skip
