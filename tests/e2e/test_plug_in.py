"""A package with a criterion, as its author works with it: run, edited, run again, broken."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli import prunectl, write_study
from plugged import install
from small import SMALL

MINE = """\
from prunectl.catalog.criterion import Criterion


class Mine(Criterion):
    name, summary, paper = "mine", "the size", "nobody"

    def score(self, subject):
        return {name: w.detach().abs() for name, w in subject.weights.items()}
"""


def test_an_edit_of_a_plug_in_makes_its_results_again_and_an_error_in_it_has_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = tmp_path / "store"
    study = write_study(tmp_path, SMALL.replace('["magnitude", "random"]', '["magnitude", "mine"]'))
    install(tmp_path / "site", "[prunectl.criteria]\nmine = net:Mine\n", {"net.py": MINE})
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"), prepend=":")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    first = prunectl("run", study, "--json", "--jobs", "1", store=store)
    assert first.code == 0, first.err

    (tmp_path / "site" / "net.py").write_text(MINE.replace("{name: w", "{name: -w"))
    planned = prunectl("plan", study, "--json", store=store).json()
    assert "changed: the code of criterion mine" in planned["changed"]
    steps = planned["steps"]
    assert {kind: count["to_do"] for kind, count in steps.items()} == {
        "init": 0, "train": 1, "score": 1, "prune": 1, "measure": 1,
    }  # fmt: skip

    broken = MINE.replace(
        "Criterion", "DataCriterion"
    )  # only by the 100 images of the study, not by those of the check
    broken = broken.replace("w.detach()", "(1 // (len(subject.batches[0][0]) % 100) * w)")
    (tmp_path / "site" / "net.py").write_text(broken)
    failed = prunectl("run", study, "--json", "--jobs", "1", store=store)
    assert failed.code == 1
    reasons = {row["criterion"]: row["reason"] for row in failed.json()["trials"] if row["sparsity"]}
    assert reasons["mine"] == "ZeroDivisionError: integer division or modulo by zero (net.py:8, in score)"
    assert not reasons["magnitude"]
