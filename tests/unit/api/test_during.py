"""A study of arms that prune during training, through the api: every trial is a row with exact counts."""

from __future__ import annotations

from pathlib import Path

from cli import write_study
from in_process import InProcess
from prunectl.api.run import run
from prunectl.results.claims import verdicts

STUDY = """\
name = "during"
[data]
name = "digits"
train_limit = 100
test_limit = 50
[model]
name = "tiny-cnn"
[train]
epochs = 2
batch_size = 25
lr = 0.05
[sweep]
sparsities = [0.0, 0.7]
seeds = [1]
[[prune]]
criterion = ["magnitude", "snip"]
rounds = { name = "gradual", from = { step = 2 }, to = { epoch = 2 }, every = { steps = 3 } }
[[prune]]
criterion = "magnitude"
rounds = ["set", { name = "rigl", every = { steps = 2 } }]
[[prune]]
criterion = "magnitude"
at = ["init", { epoch = 1 }]
[[claim]]
text = "gradual is better than once"
better = { criterion = "magnitude", rounds = { name = "gradual" } }
than = { at = { epoch = 1 } }
"""


def test_such_a_study_runs_and_its_rows_are_complete(tmp_path: Path) -> None:
    results = run(write_study(tmp_path, STUDY), executor=InProcess(), store=tmp_path / "store")
    rows = results.trials
    assert rows["status"].unique().to_list() == ["done"] and rows["reason"].null_count() == len(rows)
    pruned = rows.filter(rows["sparsity"] > 0)
    assert pruned["at"].to_list() == [None] * 4 + ["init", "{ epoch = 1 }"]
    assert pruned["scope"].to_list() == ["global", "global", "er", "erk", "global", "global"]
    kept = pruned["n_prunable"] - (0.7 * pruned["n_prunable"]).round().cast(int)
    assert (pruned["n_nonzero"] == pruned["n_params"] - pruned["n_prunable"] + kept).all()
    assert (pruned["flops"] < pruned["flops_dense"]).all() and pruned["train_s"].null_count() == 0
    assert pruned["score_s"].is_null().to_list() == [True] * 4 + [False] * 2
    assert results.curves["artefact"].n_unique() == len(pruned) + 1


def test_no_moment_agrees_with_every_moment_in_claims(tmp_path: Path) -> None:
    results = run(
        write_study(tmp_path, STUDY), executor=InProcess(), store=tmp_path / "store", set={"sweep.sparsities": [0.7]}
    )
    (verdict,) = verdicts(results)
    assert len(verdict.details) == 1
