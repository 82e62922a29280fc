"""A table of trials small enough to compute by hand, and a view into the charts that are made of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

import altair as alt
import polars as pl

from prunectl.base.cells import words
from prunectl.catalog.retraining import After
from prunectl.plan.graph import Placed
from prunectl.report.charts import Chart, ticks
from prunectl.results.table import SCHEMA, Task
from prunectl.study.arms import COLUMNS, Arm
from prunectl.study.reading import choices

DENSE = 0.9
TASK = Task(classes=10, images=10_000)

SAME = {
    "study": "small", "model": "lenet", "dataset": "digits", "criterion": "magnitude", "scope": "global",
    "structure": "weights", "at": "init", "rounds": "one-shot", "init": "kaiming-normal", "ablation": "none",
    "retrain": "none", "seed": 1, "sparsity": 0.5, "top1_dense": DENSE, "status": "done",
}  # fmt: skip


def trial(**values: Any) -> dict[str, Any]:
    """A row of the table, done unless the values say otherwise."""
    row: dict[str, Any] = dict.fromkeys(SCHEMA) | SAME | values
    more = [row[name] for name in ("ablation", "retrain") if row[name] != "none"]
    names = [words(cell) for cell in (row["criterion"], row["at"], *more)]
    row["arm"] = values.get("arm", " · ".join([names[0], f"at {names[1]}", *names[2:]]))
    row["compression"] = 1 / (1 - row["sparsity"])
    row["artefact"] = values.get("artefact", f"{row['arm']}/{row['sparsity']}/{row['seed']}")
    return row


def trials(*rows: dict[str, Any]) -> pl.DataFrame:
    """Rows as the table of trials."""
    return pl.DataFrame([trial(**row) for row in rows], schema=SCHEMA)


def arms(trials: pl.DataFrame) -> dict[str, Placed]:
    """The arms of a table by label, in a dense training of one step."""
    rows = trials.unique("arm", maintain_order=True).select("arm", *COLUMNS).iter_rows(named=True)
    return {row.pop("arm"): Placed(arm=Arm(**choices(row)), at_step=0, after=After(), dense_steps=1) for row in rows}


def swept(
    criteria: Sequence[str] = ("magnitude", "snip"),
    sparsities: Sequence[float] = (0.0, 0.5, 0.9),
    seeds: Sequence[int] = (1, 2, 3),
    **values: Any,
) -> pl.DataFrame:
    """Every criterion at every sparsity with every seed. Top-1 falls by the sparsity over ten, for later criteria by
    one hundredth more, and seeds are a thousandth apart.
    """
    return trials(
        *(
            {
                "criterion": criterion, "sparsity": sparsity, "seed": seed,
                "top1": DENSE - sparsity / 10 - (0.01 * number if sparsity else 0) + seed / 1000, **values,
            }
            for number, criterion in enumerate(criteria)
            for sparsity in sparsities
            for seed in seeds
        )
    )  # fmt: skip


def guessing(*criteria: str) -> pl.DataFrame:
    """The same trials, with some criteria at chance at 90 %: each seed of TASK is at most 10.78 %."""
    at_chance = pl.col("criterion").is_in(criteria) & (pl.col("sparsity") == 0.9)
    return swept().with_columns(top1=pl.when(at_chance).then(0.1 + pl.col("seed") / 1000).otherwise("top1"))


def described(part: Any) -> dict[str, Any]:
    """A part of a chart (a channel, a mark, a tooltip) as Vega-Lite has it."""
    spec: dict[str, Any] = part.to_dict(validate=False) if isinstance(part, alt.TopLevelMixin) else part.to_dict()
    return spec


def shown(chart: Chart | None) -> Chart:
    """A chart that is drawn, valid Vega-Lite, and has no format of its own."""
    assert chart is not None
    alt.Chart.validate(chart.spec, alt.Chart._rootschema)
    return formatted(chart)


GUIDED = ("x", "y", "color", "fill")
"""The channels whose numbers have an axis or a legend."""
TICK = re.compile(r"[−-]?\d[\d,.]*( %|×)?")
"""A number as the text of a tick."""
LABELS = re.compile(r"(?P<texts>\[.*\])\[indexof\((?P<ticks>\[.*\]), datum\.value\)\]")
"""The expression that `ticks.written` makes."""
WITHOUT_SPACE = re.compile(r"\d+%")
"""A percentage that is not written as elsewhere."""


def formatted(chart: Chart | None) -> Chart:
    """A chart in which each tick, legend and tooltip has a format that is declared in `ticks`.

    Raises AssertionError for another format, for an axis or legend of numbers without one, for a rotated label, and
    for '30%' in any text.
    """
    assert chart is not None
    numbers: dict[str, list[dict[str, Any]]] = {}
    for unit in units(chart.spec):
        for channel, encoding in unit.get("encoding", {}).items():
            for each in encoding if isinstance(encoding, list) else [encoding]:
                guide = each.get("axis", each.get("legend", {}))
                _declared(f"{chart.name}, {channel} {each.get('field', '')}", channel, each, guide or {})
                if each.get("type") == "quantitative" and channel in GUIDED and guide is not None:
                    numbers.setdefault(channel, []).append(guide)
    for channel, guides in numbers.items():  # layers share the axis that one of them declares
        assert any("format" in guide or "labelExpr" in guide for guide in guides), f"{chart.name}, {channel}: no format"
    found = WITHOUT_SPACE.search(" ".join([chart.title, chart.caption, *_texts(chart.spec)]))
    assert not found, f"{chart.name} has a text with {found[0]}"
    return chart


def _declared(where: str, channel: str, encoding: dict[str, Any], guide: dict[str, Any]) -> None:
    for part in (encoding, guide):
        assert part.get("format", ticks.SHARE) in ticks.FORMATS, f"{where} has the format {part['format']!r}"
        assert part.get("labelAngle", 0) == 0, f"{where} is rotated"
    if channel in ("x", "y") and "labelExpr" in guide:
        labels = LABELS.fullmatch(guide["labelExpr"])
        assert labels, f"{where} has a labelExpr that is not of `ticks`"
        if (
            encoding.get("type", "quantitative") == "quantitative" and encoding.get("field") != "y"
        ):  # a place, whose labels are names
            texts = [line for text in json.loads(labels["texts"]) for line in text if line != ticks.BLANK]
            assert all(TICK.fullmatch(line) for line in texts), f"{where}: {texts}"


def _texts(node: Any) -> Iterator[str]:
    """Every text of a specification, without its formats."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        yield from (text for key, value in node.items() if key != "format" for text in _texts(value))
    elif isinstance(node, list):
        yield from (text for value in node for text in _texts(value))


def rows(chart: Chart | None) -> list[dict[str, Any]]:
    """The largest data set of a chart, without the rows of single seeds."""
    assert chart is not None
    data: list[dict[str, Any]] = max(chart.spec["datasets"].values(), key=len)
    return [row for row in data if row.get("seed") is None]


def seeds(chart: Chart | None) -> list[dict[str, Any]]:
    """The rows of single seeds in a chart."""
    assert chart is not None
    return [row for data in chart.spec["datasets"].values() for row in data if row.get("seed") is not None]


def units(node: Any) -> Iterator[dict[str, Any]]:
    """Every view of a specification that has a mark, from the first drawn to the last."""
    if isinstance(node, dict):
        if "mark" in node:
            yield node
        for key, value in node.items():
            if key not in ("datasets", "encoding", "config"):
                yield from units(value)
    elif isinstance(node, list):
        for value in node:
            yield from units(value)


def marks(chart: Chart | None) -> list[str]:
    """The types of the marks of a chart, from the first drawn to the last."""
    assert chart is not None
    return [unit["mark"]["type"] for unit in units(chart.spec)]


def encoding(chart: Chart | None, channel: str, mark: str | None = None) -> dict[str, Any]:
    """How a channel is first encoded, in the whole chart or for a type of mark."""
    assert chart is not None
    for unit in units(chart.spec):
        if channel in unit.get("encoding", {}) and mark in (None, unit["mark"]["type"]):
            found: dict[str, Any] = unit["encoding"][channel]
            return found
    raise KeyError(channel)


def domain(chart: Chart | None, channel: str) -> list[Any]:
    """The first domain of a channel."""
    assert chart is not None
    scales = (unit.get("encoding", {}).get(channel, {}).get("scale") or {} for unit in units(chart.spec))
    return list(next(scale["domain"] for scale in scales if "domain" in scale))


def panels(chart: Chart | None) -> list[str]:
    """The order of the panels of a chart."""
    assert chart is not None
    return list(chart.spec["facet"]["sort"])


def switches(chart: Chart | None) -> list[str]:
    """The hues that the page's switches can hide."""
    assert chart is not None
    return list(next(param["value"] for param in chart.spec["params"] if param["name"] == "shown"))


def tips(chart: Chart | None, mark: str) -> list[str]:
    """The titles in the tooltip of a type of mark, or the fields that have none."""
    fields: Any = encoding(chart, "tooltip", mark)
    return [tip.get("title", tip["field"]) for tip in fields]
