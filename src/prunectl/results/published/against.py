"""A study's trials and published numbers: the difference, and whether the published number is in the interval."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Literal

from prunectl.base.text import plural, points
from prunectl.results.published.index import Description, describe, short
from prunectl.results.published.load import rows_about
from prunectl.study.arms import COLUMNS
from prunectl.study.reading import choices, means

if TYPE_CHECKING:
    import polars as pl

    from prunectl.results.table import Task

TOLERANCE = 1e-3
"""Sparsities nearer than this are the same one: papers round theirs."""

ORDER = ("table", "model", "dataset", "arm", *COLUMNS, "sparsity")
NUMBERS = ("published", "published_sd", "ours", "difference", "low", "high")


@dataclass(frozen=True, kw_only=True)
class Held:
    """A published table, and the rows of `compared` for one of our tables, which is called by a letter."""

    name: str
    about: Description
    ours: str
    rows: tuple[Mapping[str, Any], ...]

    @property
    def origin(self) -> str:
        """Title and source in a line, without those that only repeat the name."""
        texts = dict.fromkeys((self.about.title, self.about.source))
        return ". ".join(text for text in texts if text != self.name)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for `--json`."""
        return {"published": self.name, "ours": self.ours, **self.about._asdict(), "rows": list(self.rows)}


def held(trials: pl.DataFrame, name: str, ours: str, folder: Path | None = None, task: Task | None = None) -> Held:
    """Our trials, measured on `task`, against the published table; the path of a file begins in `folder`.

    Raises PrunectlError for a name that is not there.
    """
    rows = compared(trials, name, folder=folder, task=task).to_dicts()
    return Held(name=short(name), about=describe(name, folder), ours=ours, rows=tuple(rows))


def held_sentences(found: Held) -> tuple[str, ...]:
    """How many published numbers there are ours for, how far apart they are, and how many our intervals hold."""
    if not found.rows:
        return (f"No number in {found.name} is about an arm, a network and a data set of {found.ours}.",)
    differences = [row["difference"] for row in found.rows if row["difference"] is not None]
    number = len(found.rows)
    text = f"Of {found.name} {plural(number, 'number')} correspond{'s' * (number == 1)} to arms of {found.ours}"
    if differences:
        half = points(median([abs(difference) for difference in differences]))
        few = f"{len(differences)} of these {'is' if len(differences) == 1 else 'are'} done in {found.ours}"
        text += f"; {few}, " + ("half of them " if len(differences) > 1 else "") + f"within {half} of the published"
    judged = [row["within"] for row in found.rows if row["within"] is not None]
    if judged:
        hold = "holds" if sum(judged) == 1 else "hold"
        text += f"; {sum(judged)} of {plural(len(judged), 'interval')} of ours {hold} the published number"
    return (f"{text}.",)


def schema() -> dict[str, Any]:
    """The columns of `compared`. low and high are the 95 % t-interval of our mean, within 0 to 1: what judges whether
    the published number, which has no seeds to pair, differs from it.
    """
    import polars as pl

    return {
        **dict.fromkeys(ORDER[:-1], pl.String),
        "sparsity": pl.Float64,
        **dict.fromkeys(NUMBERS[:2], pl.Float64),
        "published_n": pl.Int64,
        **dict.fromkeys(NUMBERS[2:], pl.Float64),
        "n": pl.Int64,  # seeds of ours that are done
        "at_chance": pl.Boolean,  # whether all of ours are no better than guessing; null where that is not known
        "within": pl.Boolean,  # low ≤ published ≤ high; null where there is no interval
        "note": pl.String,
        "seeds": pl.List(pl.Float64),  # ours
    }


def compared(
    trials: pl.DataFrame,
    name: str,
    metric: Literal["top1", "top5"] = "top1",
    *,
    folder: Path | None = None,
    task: Task | None = None,
) -> pl.DataFrame:
    """One row for each published number and arm of ours that is meant by it, in the order of the published table.

    A published `snip` means our SNIP whatever its parameters, each arm in a row of its own; so with networks and
    rewinding points. A published dense network is compared with our baselines. Where no seed is done, `ours` is null.
    Raises PrunectlError for a name that is not there.
    """
    import polars as pl

    rows = [
        row
        for published in rows_about(trials, [name], folder).iter_rows(named=True)
        if published[metric] is not None
        for row in _rows(published, trials, metric, task)
    ]
    return pl.DataFrame(rows, schema=schema(), orient="row")


def _rows(
    published: Mapping[str, Any], trials: pl.DataFrame, metric: str, task: Task | None
) -> Iterator[dict[str, Any]]:
    about = _select(trials, published, ["model", "dataset", "init"])
    head = {key: published[key] for key in ("table", "note")}
    head |= {"published": published[metric], "published_n": published["n"]}
    head |= {"published_sd": published["sd"] if metric == "top1" else None}
    if published["criterion"] is None:
        yield from (head | row for row in _dense(about, published[metric], metric, task))
        return
    about = _select(about, published, COLUMNS)
    near = (about["sparsity"] - published["sparsity"]).abs() <= TOLERANCE
    for _, cell in about.filter(near).group_by("model", "dataset", "arm", "sparsity", maintain_order=True):
        first = cell.row(0, named=True)
        yield head | {key: first[key] for key in ORDER[1:]} | _numbers(cell, metric, published[metric], task)


def _select(trials: pl.DataFrame, published: Mapping[str, Any], columns: Sequence[str]) -> pl.DataFrame:
    """The trials whose choices are what the published row asks for."""
    rows = trials.select(columns).unique(maintain_order=True)
    wanted = {column: published[column] for column in columns}
    kept = [means(wanted, choices(row)) for row in rows.iter_rows(named=True)]
    return trials.join(rows.filter(kept), on=columns, how="semi", nulls_equal=True, maintain_order="left")


def _dense(trials: pl.DataFrame, published: float, metric: str, task: Task | None) -> Iterator[dict[str, Any]]:
    """Our baselines, one value a seed: sparsity 0 is the same network in every arm of one initialization."""
    column = "top1_dense" if metric == "top1" else metric
    found = trials if metric == "top1" else trials.filter(trials["sparsity"] == 0)
    several = found["init"].n_unique() > 1
    for (model, dataset, init), cell in found.group_by("model", "dataset", "init", maintain_order=True):
        networks = cell.sort(column, nulls_last=True).unique("seed", keep="first", maintain_order=True)
        arm = f"dense, {init}" if several and init is not None else "dense"
        head = {"model": model, "dataset": dataset, "arm": arm, "sparsity": 0.0}
        yield head | _numbers(networks, column, published, task)


def _numbers(networks: pl.DataFrame, column: str, published: float, task: Task | None) -> dict[str, Any]:
    from prunectl.results.chance import all_guess
    from prunectl.results.statistics import mean, t_interval

    known = networks.filter(networks[column].is_not_null())
    done = known[column].to_list()
    interval = t_interval(done) if done else None
    return {
        "ours": mean(done) if done else None,
        "difference": mean(done) - published if done else None,
        "low": max(interval.low, 0.0) if interval else None,
        "high": min(interval.high, 1.0) if interval else None,
        "n": len(done),
        "within": interval.low <= published <= interval.high if interval else None,
        "seeds": done,
        "at_chance": all_guess(known, task, column),
    }
