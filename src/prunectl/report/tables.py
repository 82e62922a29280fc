"""The tables of a report and of a comparison as plain values, for each format to lay out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from prunectl.base.text import energy, percent, seconds, size, span
from prunectl.catalog.metric import Metric
from prunectl.report import arms, cells
from prunectl.results import compare, matching_words
from prunectl.results.aggregate import baselines, controls, roles, summarise, with_roles
from prunectl.results.matched import of_arms
from prunectl.results.pairing import groups
from prunectl.results.published.against import Held
from prunectl.results.ranking import name_of
from prunectl.results.statistics import FEWEST, Center, bootstrap, bootstrap_words, center, mean
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
        return cells.accuracy(self.center)

    @property
    def spread(self) -> str:
        """The interval in percent, or nothing."""
        return "" if self.low is None else cells.between(self.low, self.high)

    @property
    def with_spread(self) -> str:
        """In percent, with the interval in brackets if there is one."""
        return f"{self.text} ({self.spread})" if self.spread else self.text

    @property
    def change(self) -> str:
        """The difference to the baseline in points, or nothing."""
        return "" if self.center is None or self.dense is None else cells.change(self.center - self.dense)


@dataclass(frozen=True, kw_only=True)
class Row:
    """An arm."""

    arm: str
    name: str  # short, as sentences call it
    ablation: str
    matching: str  # the highest matching sparsity; empty where nothing is known
    furthest: float | None  # the same as a number, where some sparsity is matched
    cells: tuple[Cell, ...]

    @property
    def key(self) -> float:
        """What arms are ranked by: the mean over the sparsities. An arm without a value at one of them comes last."""
        known = [cell.center for cell in self.cells if cell.center is not None]
        return mean(known) if len(known) == len(self.cells) and known else -1.0


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Arms by sparsity. Sparsity 0 is the baseline, the same for all arms, and has no column."""

    sparsities: tuple[float, ...]
    rows: tuple[Row, ...]
    dense: Mapping[str, Cell]  # by 'dense', or 'dense, xavier-normal' where networks are drawn in several ways
    of: Center
    margin: float  # of matching accuracies, a fraction

    @property
    def heads(self) -> tuple[str, ...]:
        """The sparsities as column heads."""
        return tuple(percent(value) for value in self.sparsities)

    @property
    def seeds(self) -> int:
        """The number of seeds asked for, where arms differ the greatest."""
        return max((cell.of for row in self.rows for cell in row.cells), default=0)

    @property
    def several_seeds(self) -> str:
        """The number of seeds in words: '3 seeds', or '3 to 12 seeds' where some arms were granted more."""
        return f"{span(cell.of for row in self.rows for cell in row.cells if cell.of)} seeds"

    @property
    def interval(self) -> str:
        """What the cells have in brackets, in words; nothing with too few seeds for an interval."""
        most = self.seeds
        done = max((cell.n for row in self.rows for cell in row.cells), default=0)
        complete = [cell.n for row in self.rows for cell in row.cells if FEWEST <= cell.n == cell.of < most]
        done = min([done, *complete])  # arms that were granted fewer seeds
        return bootstrap_words(done, self.of) if done >= FEWEST else ""

    @property
    def matching(self) -> str:
        """What the column of matching sparsities has, in words; nothing where there is no such column."""
        shown = [row.matching for row in self.rows if row.matching]
        return matching_words.column(self.margin, shown) if shown else ""

    @property
    def ranked(self) -> tuple[Row, ...]:
        """The best arm first."""
        return tuple(sorted(self.rows, key=lambda row: -row.key))


def grid(
    trials: pl.DataFrame, of: Center = "mean", margin: float = 0.01, names: Mapping[str, str] | None = None
) -> Grid:
    """Means or medians over the seeds by arm and sparsity, in the order of the study; what matches within a margin.

    `names` are the labels that the study gives its arms.
    """
    role = roles(trials, names)
    pruned = with_roles(trials.filter(pl.col("sparsity") > 0), role)
    sparsities = tuple(sorted(pruned["sparsity"].unique().to_list()))
    summary = {(row["arm"], row["sparsity"]): row for row in summarise(pruned, role=role, of=of).iter_rows(named=True)}
    asked = {key: rest.height for key, rest in groups(pruned, ["arm", "sparsity"])}
    best = {
        sparsity: max((row["center"] for (_, at), row in summary.items() if at == sparsity), default=None)
        for sparsity in sparsities
    }

    reached = of_arms(trials, margin)
    matching = {arm: matching_words.cell(found) for arm, found in reached.items()}

    def cell(arm: str, sparsity: float) -> Cell:
        row = summary.get((arm, sparsity), {})
        return Cell(
            **{name: row.get(name) for name in ("center", "low", "high", "dense")},
            n=row.get("n", 0),
            of=asked.get((arm, sparsity), 0),
            best=bool(row) and row["center"] == best[sparsity],
        )

    rows = tuple(
        Row(
            arm=arm or cells.MISSING,
            name=name_of(rest.row(0, named=True), role),
            ablation=rest["ablation"][0] or "none",
            matching=matching.get(arm, ""),
            furthest=reached[arm].estimate if arm in reached and reached[arm].known else None,
            cells=tuple(cell(arm, sparsity) for sparsity in sparsities),
        )
        for (arm,), rest in groups(pruned, ["arm"])
    )
    return Grid(sparsities=sparsities, rows=rows, dense=_dense(trials, of), of=of, margin=margin)


def _dense(trials: pl.DataFrame, of: Center) -> dict[str, Cell]:
    by_init = dict(groups(baselines(trials), ["init"]))
    retrained = {
        arm: _baseline(networks["top1"].drop_nulls().to_list(), trials, of)
        for (arm,), networks in groups(controls(trials), ["arm"])
        if networks["top1"].drop_nulls().len()
    }
    return {
        "dense" if len(by_init) == 1 else f"dense, {init}": _baseline(networks["top1_dense"].to_list(), trials, of)
        for (init,), networks in by_init.items()
    } | retrained


def _baseline(numbers: list[float], trials: pl.DataFrame, of: Center) -> Cell:
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
        percent(cell.sparsity), cells.accuracy(cell.first), cells.accuracy(cell.other), cells.change(cell.difference),
        cells.changes(interval.low, interval.high) if interval else cells.MISSING, str(cell.n),
    )  # fmt: skip


def published_heads(ours: str) -> tuple[str, ...]:
    """The heads of the numbers of a published table, compared with our table of that letter."""
    return ("sparsity", "published %", f"{ours} %", "difference", "95 % t-interval", "seeds")


def published(row: Mapping[str, Any]) -> tuple[str, ...]:
    """The numbers of a published number's row: sparsity, published, ours, difference with its interval, seeds."""
    return (
        percent(row["sparsity"]), cells.accuracy(row["published"]), cells.accuracy(row["ours"]),
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
