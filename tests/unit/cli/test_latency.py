"""`prunectl latency` and `prunectl sensitivity`: their options, formats and files."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from prunectl.api import latency as api
from prunectl.api import sensitivity as alone
from prunectl.api.run import Completed
from prunectl.api.session import open_study
from prunectl.work import onnx_file, stopwatch
from small import HERE

Prunectl = Callable[..., Any]


@pytest.fixture(scope="module")
def measured(completed: tuple[Path, Completed], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the study and its store in which both are measured of one trial: the commands then only print."""
    folder = tmp_path_factory.mktemp("measured") / "own"
    shutil.copytree(completed[0], folder)
    patch = pytest.MonkeyPatch()
    patch.setattr(onnx_file, "missing", lambda: "onnx")
    patch.setattr(stopwatch, "SAMPLE_S", 0.0)
    session = open_study(folder / "study.toml", only="criterion=random,sparsity=0.5", store=folder / "store")
    api.latency(session, HERE, api.conditions_of(HERE, (1, 2), 1))
    whole = open_study(folder / "study.toml", store=folder / "store")
    alone.sensitivity(whole, alone.planned(whole, (0.5, 0.9)), HERE)
    patch.undo()
    return folder


def test_the_table_of_variants_is_printed_or_written(prunectl: Prunectl, measured: Path, tmp_path: Path) -> None:
    def timed(*arguments: str) -> Any:
        chosen = ("--only", "criterion=random,sparsity=0.5", "--batch", "2,1", "--repeats", "1")
        return prunectl("latency", measured / "study.toml", "--store", measured / "store", *chosen, *arguments)

    printed = timed()
    assert printed.code == 0, printed.err
    assert "random · at init, sparsity 50 %" in printed.out and "torch-prune" in printed.out
    rows = list(csv.DictReader(io.StringIO(timed("--format", "csv").out)))
    assert [row["batch"] for row in rows if row["variant"] == "masked"] == ["1", "2"]
    document = timed("--json").json()
    chosen = ("--only", "criterion=random,sparsity=0.5", "--batch", "2", "--batch", "1", "--repeats", "1", "--json")
    repeated = prunectl("latency", measured / "study.toml", "--store", measured / "store", *chosen)
    assert repeated.json() == document, "an option that is given twice has the values of both"
    assert document["study"] == "small" and len(document["rows"]) == len(rows)
    written = timed("--format", "md", "--output", "page.txt")
    assert written.out == "" and "wrote page.txt" in written.err
    assert (tmp_path / "page.txt").read_text().startswith("**random · at init")


def test_the_table_of_layers_is_printed_or_drawn(prunectl: Prunectl, measured: Path, tmp_path: Path) -> None:
    def asked(*arguments: str) -> Any:
        rates = ("--rates", "0.5,0.9")
        return prunectl("sensitivity", measured / "study.toml", "--store", measured / "store", *rates, *arguments)

    printed = asked()
    assert printed.code == 0, printed.err
    assert printed.out.splitlines()[2].startswith("layer") and "heuristic" in printed.out
    document = asked("--json", "--margin", "1").json()
    assert document["proposed"] == {"conv1": 0.9, "conv2": 0.9, "head": 0.9}
    assert document["scope"].startswith('scope = { name = "rates"')
    assert asked("--format", "svg", "-o", "s.svg").code == 0
    assert (tmp_path / "s.svg").read_text().startswith("<svg")
    both = asked("--json", "--format", "csv", "-o", "s.csv")
    assert both.json()["criterion"] and (tmp_path / "s.csv").read_text().startswith("layer,")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("latency", "STUDY", "--batch", "1,x"), "--batch '1,x': 'x' is not a number of images, 1 or more"),
        (("latency", "STUDY", "--batch", "0"), "'0' is not a number of images"),
        (("latency", "STUDY", "--format", "cvs"), "no format 'cvs'; there are text, md, csv, json\n  did you mean csv"),
        (("latency", "STUDY", "--executor", "slurm"), "latency is measured on this machine"),
        (("latency", "STUDY", "--batch", "1,8,1"), "--batch '1,8,1': '1' is number 1 and number 3 of the list"),
        (("latency", "STUDY", "--json", "--format", "csv"), "--json and --format csv would both be written to stdout"),
        (("sensitivity", "STUDY", "--rates", "0.5,1"), "'1' is not a fraction above 0 and below 1"),
        (("latency", "STUDY", "--batch", "1", "--batch", "8,1"), "--batch '1,8,1': '1' is number 1 and number 3"),
        (("sensitivity", "STUDY", "--rates", "0.3", "--rates", "0.3"), "'0.3' is number 1 and number 2 of the list"),
        (("sensitivity", "STUDY", "--rates", "0.5, .50"), "'.50' is number 1 and number 2 of the list"),
        (("sensitivity", "STUDY", "--json", "--format", "svg"), "write the table to a file with --output FILE"),
        (("sensitivity", "STUDY", "--json", "--format", "svg", "-o", "-"), "--json and --format svg would both be"),
        (("sensitivity", "STUDY", "--criterion", "obs"), '"obs" changes the weights that stay'),
        (("export", "STUDY", "--format", "onx"), "no format 'onx'; there are safetensors, onnx"),
    ],
)
def test_mistakes_are_found_before_anything_is_computed(
    prunectl: Prunectl, arguments: tuple[str, ...], message: str
) -> None:
    ran = prunectl(*arguments)
    assert ran.code == 2 and message in ran.err
