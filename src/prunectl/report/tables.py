"""The other tables of a report, and those of a comparison, as texts: trials, resources, cases, published numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from prunectl.base.text import and_list, energy, percent, seconds, size
from prunectl.catalog.metric import Metric
from prunectl.report import arms, cells
from prunectl.results import compare
from prunectl.results.chance import explained
from prunectl.results.published.against import Held
from prunectl.results.table import METRICS


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of the table of trials: its head, and how a value is written."""

    name: str
    head: str
    write: Callable[[Any], str] = cells.plain
    number: bool = True


def _column(metric: type[Metric]) -> Column:
    """A fraction is shown in percent."""
    if metric.unit == "fraction":
        return Column(name=metric.name, head=f"{metric.head} %", write=cells.fixed(100, 2))
    return Column(name=metric.name, head=metric.head, write=cells.fixed(1, 4))


def _denominator(of: str | None) -> str:
    """Only what is not usual: sparsities are of the prunable weights."""
    return "all parameters" if of == "all" else ""


COLUMNS = (
    *(Column(name=name, head=name, write=cells.choice, number=False) for name in arms.COLUMNS),
    Column(name="seed", head="seed"),
    Column(name="sparsity", head="sparsity %", write=cells.sparsity),
    Column(name="sparsity_of", head="sparsity of", write=_denominator, number=False),
    Column(name="compression", head="compression", write=cells.significant),
    Column(name="compression_error", head="compression error %", write=cells.fixed(100, 2, True)),
    *(_column(metric) for metric in METRICS if metric.name == "top1"),
    Column(name="change", head="to dense", write=cells.fixed(100, 2, True)),
    Column(name="status", head="status", number=False),
    Column(name="reason", head="reason", number=False),
    Column(name="top1_before_retrain", head="before retraining %", write=cells.fixed(100, 2)),
    *(_column(metric) for metric in METRICS if metric.name != "top1"),
    Column(name="n_nonzero", head="nonzero", write=cells.fixed(1, 0)),
    Column(name="n_effective", head="effective", write=cells.fixed(1, 0)),
    Column(
        name="layers_collapsed", head="collapsed layers", write=lambda names: ", ".join(names or ()), number=False
    ),
    Column(name="critical_compression", head="critical compression", write=cells.significant),
    Column(name="critical_by", head="exact or found", number=False),
    Column(name="max_compression", head="maximal compression", write=cells.significant),
    Column(name="flops", head="MFLOPs", write=cells.fixed(1e-6, 2)),
    Column(name="size_bytes", head="size, kB", write=cells.fixed(1e-3, 1)),
    Column(name="latency_ms", head="latency, ms", write=cells.fixed(1, 2)),
    Column(name="train_s", head="training, s", write=cells.fixed(1, 1)),
    Column(name="score_s", head="scoring, s", write=cells.fixed(1, 2)),
    Column(name="device", head="device", number=False),
    Column(name="artefact", head="artefact", write=lambda key: (key or "")[:12], number=False),
)  # fmt: skip
"""The columns of the table of trials; `change` is top1 − top1_dense."""


LISTED = 1_000
"""Maximum number of trials in the page's table of trials. Each takes about 320 bytes of the page."""


@dataclass(frozen=True, kw_only=True)
class Listing:
    """The first trials as texts, up to LISTED of them, without the columns that have the same value in every trial."""

    total: int  # trials, listed or not
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    statuses: tuple[str, ...]
    constant: tuple[tuple[str, str], ...]  # head and text of the columns left out


def listing(trials: pl.DataFrame) -> Listing:
    """The table of trials, in the order of the study. All trials decide which columns it has."""
    frame = trials.with_columns(change=pl.col("top1") - pl.col("top1_dense"))
    shown = tuple(column for column in COLUMNS if _informative(column, frame[column.name].to_list()))
    listed = {column.name: [*map(column.write, frame[column.name].head(LISTED).to_list())] for column in COLUMNS}
    hidden = [(column.head, listed[column.name][0]) for column in COLUMNS if column not in shown and trials.height]
    return Listing(
        total=trials.height,
        columns=shown,
        rows=tuple(zip(*(listed[column.name] for column in shown), strict=True)),
        statuses=tuple(status or "missing" for status in frame["status"].head(LISTED).to_list()),
        constant=tuple((head, text) for head, text in hidden if text),
    )


def _informative(column: Column, values: Sequence[Any]) -> bool:
    """Whether a column has several values, empty cells not counted. A single reason is worth a column."""
    if column.name in ("top1", "artefact"):
        return True
    texts = filter(None, map(column.write, values))
    first = next(texts, None)
    return first is not None and (column.name == "reason" or any(text != first for text in texts))


RESOURCE_HEADS = (
    "kind of step", "criterion", "steps", "made", "reused", "wall time", "CPU time", "energy", "peak memory",
    "steps, unshared", "time, unshared", "device",
)  # fmt: skip


def resource_rows(resources: pl.DataFrame) -> list[Sequence[str]]:
    """The resources as texts, a row per kind of step and criterion."""
    return [
        (
            cells.plain(row["kind"]), cells.choice(row["criterion"]), f"{row['steps'] or 0:,}", f"{row['made'] or 0:,}",
            f"{row['reused'] or 0:,}", seconds(row["wall_s"]), seconds(row["cpu_s"]),
            energy(row["energy_j"]), size(row["peak_bytes"]),
            f"{row['unshared'] or 0:,}", seconds(row["unshared_s"]), cells.plain(row["device"]),
        )
        for row in resources.iter_rows(named=True)
    ]  # fmt: skip


def differing(side: compare.Side) -> dict[str, tuple[str, str]]:
    """The arm columns in which two tables differ, with the value of each as people write it."""
    return {
        name: (cells.choice(first) or cells.MISSING, cells.choice(other) or cells.MISSING)
        for name, (first, other) in side.differs.items()
    }


CASE_INTERVAL, CASE_SEEDS = 4, 5
"""Where a case has its interval and its seeds: the columns that a narrow terminal leaves out first."""


def case_heads(other: str) -> tuple[str, ...]:
    """The heads of the numbers of a case, where tables A and `other` are compared."""
    return ("sparsity", "A %", f"{other} %", f"{other} − A", "95 % t-interval", "seeds")


def case(cell: compare.Cell) -> tuple[str, ...]:
    """The numbers of an arm at one sparsity: sparsity, both accuracies, difference, interval, seeds."""
    interval = cell.interval
    return (
        percent(cell.sparsity), cells.marked(cell.first, cell.first_at_chance),
        cells.marked(cell.other, cell.other_at_chance), cells.change(cell.difference),
        cells.changes(interval.low, interval.high) if interval else cells.MISSING, str(cell.n),
    )  # fmt: skip


def chance_of(comparison: compare.Comparison) -> tuple[str, ...]:
    """What the mark of networks at chance means, and of which tables nothing is known; nothing without a mark."""
    tables = [comparison.means, *(side.means for side in comparison.sides)]
    cases = [case for side in comparison.sides for case in side.cells]
    marked = any(case.first_at_chance or case.other_at_chance for case in cases)
    if not marked and not any(mean.at_chance for means in tables for mean in means):
        return ()
    unknown = and_list([compare.letter(place) for place, task in enumerate(comparison.tasks) if task is None])
    return (
        f"{cells.CHANCE} {explained(compare.one_task(comparison.tasks))}",
        *([f"Not known of {unknown}: a results file does not record the number of classes"] if unknown else []),
    )


def chance_of_published(held: Held) -> str:
    """What the mark of networks at chance means, where a number of ours has it."""
    return f"{cells.CHANCE} {explained(None)}" if any(row["at_chance"] for row in held.rows) else ""


def published_heads(ours: str) -> tuple[str, ...]:
    """The heads of the numbers of a published table, compared with our table of that letter."""
    return ("sparsity", "published %", f"{ours} %", "difference", "95 % t-interval", "seeds")


def published(row: Mapping[str, Any]) -> tuple[str, ...]:
    """The numbers of a published number's row: sparsity, published, ours, difference with its interval, seeds."""
    return (
        percent(row["sparsity"]), cells.accuracy(row["published"]), cells.marked(row["ours"], row["at_chance"]),
        cells.change(row["difference"]), _from(row["published"], row["low"], row["high"]), str(row["n"]),
    )  # fmt: skip


def _from(published: float, low: float | None, high: float | None) -> str:
    """The interval of our mean, as that of its difference to the published number."""
    return cells.MISSING if low is None or high is None else cells.changes(low - published, high - published)


def within(row: Mapping[str, Any]) -> str:
    """Whether the interval of the difference holds 0, and so ours the published number."""
    return {None: "", True: "yes", False: "no"}[row["within"]]


def published_arms(held: Held) -> list[str]:
    """For each row the arm of ours that it is about, with network and data set where there are several."""
    several = [name for name in ("model", "dataset") if len({row[name] for row in held.rows}) > 1]
    return [" · ".join([row["arm"], *(cells.choice(row[name]) for name in several if row[name])]) for row in held.rows]
