"""Every metric of the catalogue: a number of all images, a column of the table, readable without torch."""

from __future__ import annotations

import math
import subprocess
import sys

import polars as pl
import pytest
import torch

from prunectl.catalog.lookup import entry_type, names
from prunectl.catalog.metric import Metric
from prunectl.report.tables import COLUMNS
from prunectl.results.table import SCHEMA

ALL = [entry_type("metrics", name, Metric) for name in names("metrics")]
METRICS = [kind for kind in ALL if not kind.swept]
every_metric = pytest.mark.parametrize("kind", METRICS, ids=[kind.name for kind in METRICS])


def random(count: int = 60, classes: int = 10) -> tuple[torch.Tensor, torch.Tensor]:
    draws = torch.Generator().manual_seed(1)
    return torch.randn(count, classes, generator=draws), torch.randint(0, classes, (count,), generator=draws)


@every_metric
def test_batches_and_their_order_do_not_matter(kind: type[Metric]) -> None:
    metric, (logits, labels) = kind(), random()
    whole = metric.value(metric.sums(logits, labels).double(), 60)
    parts = [metric.sums(logits[run], labels[run]).double() for run in (slice(40, 60), slice(0, 7), slice(7, 40))]
    assert metric.value(torch.stack(parts).sum(0), 60) == pytest.approx(whole, rel=1e-6)
    assert math.isfinite(whole)
    assert metric.unit != "fraction" or 0 <= whole <= 1


@every_metric
def test_a_sure_and_right_network_is_at_the_better_end(kind: type[Metric]) -> None:
    metric, (logits, labels) = kind(), random()
    sure = torch.nn.functional.one_hot(labels, 10) * 50.0
    best, chance = (metric.value(metric.sums(each, labels).double(), 60) for each in (sure, logits))
    assert best > chance if metric.better == "high" else best < chance
    assert best == pytest.approx(1.0 if metric.better == "high" else 0.0, abs=1e-9)


@every_metric
def test_it_is_a_column_of_the_table_and_of_the_report(kind: type[Metric]) -> None:
    assert SCHEMA[kind.name] == pl.Float64
    (column,) = (each for each in COLUMNS if each.name == kind.name)
    assert kind.head in column.head
    assert column.write(0.25) == ("25.00" if kind.unit == "fraction" else "0.2500")


def test_the_table_is_read_without_torch() -> None:
    program = "import sys, prunectl.results.table, prunectl.report.tables; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
