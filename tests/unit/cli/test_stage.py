"""`prunectl train`, `prune`, `ablate`, `retrain`: what each prints."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from prunectl.api.results import rows_of
from prunectl.api.run import Reached
from prunectl.api.session import Session, open_study
from prunectl.cli.stage import HELP, lines, mask_lines
from prunectl.execute.driver import Tally
from prunectl.plan.steps import Key

Prunectl = Callable[..., Any]

MASK: dict[str, Any] = {
    "arm": "snip", "sparsity": 0.5, "compression": 2.0, "seed": 1, "reason": None, "remark": None,
    "sparsity_of": "prunable", "tied": 3, "n_kept": 60,
    "n_effective": 55, "uncounted": {}, "sparsity_actual": 0.4, "compression_actual": 1 / 0.6, "layers_collapsed": [],
    "layers": [
        {"name": "conv1", "n": 40, "kept": 40, "sparsity": 0.0},
        {"name": "head", "n": 60, "kept": 20, "sparsity": 2 / 3},
    ],
}  # fmt: skip


def test_each_stage_prints_what_it_made(prunectl: Prunectl) -> None:
    assert prunectl("train", "STUDY").out.startswith("baseline seed 1: top-1 ")
    table = prunectl("prune", "STUDY").out.splitlines()
    assert table[0].split("  ")[0] == "arm" and len(table) == 3, "a line for each mask"
    assert prunectl("prune", "STUDY", "--layers").out.count("on a path from input to output") == 2
    assert prunectl("ablate", "STUDY").out == ""
    assert prunectl("retrain", "STUDY").out.count("top-1") == 4


@pytest.mark.parametrize("stage", HELP)
def test_each_stage_has_its_rows_as_json(stage: str, prunectl: Prunectl) -> None:
    document = prunectl(stage, "STUDY", "--json").json()
    assert (document["study"], document["stage"]) == ("small", stage)
    assert len(document["rows"]) == {"train": 1, "prune": 2, "ablate": 0, "retrain": 4}[stage]


def test_a_mask_is_printed_layer_by_layer() -> None:
    assert mask_lines(MASK) == [
        "snip  sparsity 50 %  seed 1",
        "  layer      weights         kept  sparsity %",
        "  conv1           40           40        0.00",
        "  head            60           20       66.67",
        "  asked 50.0000 %, achieved 40.0000 %; compression asked 2.0000, achieved 1.6667 (error -1.67e-01)",
        "  tied at the cut: 3; collapsed layers: none; on a path from input to output: 55 of 60 kept",
        "",
    ]


def test_masks_are_a_table_of_a_line_each() -> None:
    other = {**MASK, "seed": 2, "layers_collapsed": ["head"], "compression_actual": None}
    assert lines("prune", [MASK, other]) == [
        "arm   seed  sparsity  reached  compression  kept  on a path  empty layers",
        "snip  1     50 %      40.00 %  1.667        60    55",
        "snip  2     50 %      40.00 %  inf          60    55         head",
    ]
    assert lines("prune", [MASK, other], layers=True) == [*mask_lines(MASK), *mask_lines(other)]


def test_a_table_of_masks_names_what_is_missing_and_each_remark_once() -> None:
    remarked = {**MASK, "remark": "prunes at random", "n_effective": None, "uncounted": {"n_effective": "bmm"}}
    lost = {**MASK, "seed": 3, "layers": None, "reason": "no answer"}
    table = lines("prune", [remarked, {**remarked, "seed": 2}, lost])
    assert len(table) == 6 and table[1].endswith("not known")
    assert table[3:] == [
        "snip  sparsity 50 %  seed 3: no answer", "on a path: not known where bmm", "note: prunes at random",
    ]  # fmt: skip
    assert lines("prune", []) == []


def test_the_table_of_ablated_masks_shows_how_much_moved() -> None:
    layers = [{**layer, "moved": moved} for layer, moved in zip(MASK["layers"], (0.5, 0.0), strict=True)]
    head, line = lines("ablate", [{**MASK, "layers": layers}])
    assert "moved" in head and line.endswith("20.0 %")


def test_the_table_has_critical_compressions_where_they_were_asked_for() -> None:
    head, line = lines("prune", [{**MASK, "critical_compression": 1234.5}])
    assert head.endswith("no empty layer up to") and line.endswith("1,234")


def test_weights_on_a_path_that_are_not_known_have_a_reason() -> None:
    unknown = mask_lines({**MASK, "n_effective": None, "uncounted": {"n_effective": "bmm is not known"}})
    assert unknown[-2].endswith("on a path from input to output: not known (bmm is not known)")
    earlier = mask_lines({**MASK, "n_effective": None, "uncounted": {}})
    assert earlier[-2].endswith("not known (counted by an earlier prunectl)")


def test_an_ablated_mask_shows_how_much_moved() -> None:
    layers = [{**layer, "moved": 0.25} for layer in MASK["layers"]]
    head, first, *_ = mask_lines({**MASK, "layers": layers})[1:]
    assert head.endswith("sparsity %  moved")
    assert first.endswith("      0.00   25.0 %")


def test_a_mask_without_weights_and_one_that_is_missing() -> None:
    empty = mask_lines({**MASK, "compression_actual": None, "layers_collapsed": ["conv1", "head"]})
    assert "achieved inf (no weight is left)" in empty[-3]
    assert "collapsed layers: conv1, head" in empty[-2]
    assert mask_lines({**MASK, "layers": None}) == ["snip  sparsity 50 %  seed 1: missing", ""]
    assert mask_lines({**MASK, "layers": None, "reason": "no answer"})[0].endswith(": no answer")


def test_a_loss_that_is_not_finite_and_a_result_that_is_missing() -> None:
    row = {"arm": "a", "sparsity": 0.5, "seed": 1, "top1": 0.1, "top5": 0.5, "loss": None, "ece": 0.02, "reason": None}
    (line,) = lines("retrain", [row])
    assert line == "a  sparsity 50 %  seed 1: top-1 10.00 %  top-5 50.00 %  loss not finite  ECE 2.00 %"
    assert lines("retrain", [{**row, "top1": None}])[0].endswith("missing")


def test_a_failure_ends_the_command_with_1(prunectl: Prunectl, monkeypatch: pytest.MonkeyPatch) -> None:
    reached = Reached(rows=[], tally=Tally(failed={Key("a"): "no answer"}))
    monkeypatch.setattr("prunectl.api.run.reach", lambda *arguments, **options: reached)
    assert prunectl("train", "STUDY").code == 1


def test_a_critical_compression_is_printed_where_it_was_asked_for() -> None:
    known = {**MASK, "critical_compression": 12.5, "max_compression": 50.0, "critical_by": "exact"}
    (line,) = [line for line in mask_lines(known) if "no layer is empty" in line]
    assert "up to compression 12.5000 of the prunable weights (exact); one weight for each layer: 50.0000" in line
    assert not any("no layer is empty" in line for line in mask_lines(MASK))


def test_a_mask_is_listed_before_its_ablation_once(session: Session, tmp_path: Path) -> None:
    """Not under the name of an arm whose own mask is another one: `ablate` has that."""

    def arms(*ablations: str) -> list[str]:
        changed = [f"prune[0].ablation={list(ablations)!r}".replace("'", '"'), 'prune[0].criterion=["magnitude"]']
        opened = open_study(session.path, set=changed, store=tmp_path / "store")
        return [row["arm"] for row in rows_of(opened, "prune")]

    plain, inverted = "magnitude · at init", "magnitude · at init · invert"
    assert arms("none", "shuffle", "reinit", "invert") == [plain, inverted]
    assert arms("shuffle", "shuffle-global") == [plain], "what is shuffled later is not shuffled yet"
