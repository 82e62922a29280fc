"""The table of a study of which little or nothing is done."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from prunectl.api.results import rows_of
from prunectl.api.run import reach
from prunectl.api.session import Session, open_study
from prunectl.catalog.dataset import Content
from prunectl.plan.build import build
from prunectl.plan.graph import Plan
from prunectl.plan.only import only
from prunectl.plan.steps import Key, preimage
from prunectl.results import stage
from prunectl.results.artefacts import Artefacts
from prunectl.results.gather import results, table
from prunectl.store import layout
from prunectl.store.local import LocalStore
from prunectl.store.manifest import Made
from prunectl.study.load import validate
from prunectl.study.schema import Study
from small import HERE

ROUNDS = 30


def deep(tmp_path: Path, levels: int, seeds: list[int]) -> tuple[Study, Plan, LocalStore]:
    study, slips = validate(
        {
            "name": "deep",
            "data": {"name": "digits"},
            "model": {"name": "tiny-cnn"},
            "train": {"epochs": 2, "batch_size": 100, "lr": 0.1},
            "sweep": {"sparsities": [1 - 0.8**n for n in range(1, levels + 1)], "seeds": seeds},
            "prune": [{"criterion": "magnitude", "at": "end", "rounds": "iterative", "retrain": "lr-rewind"}],
        }
    )
    assert study is not None, slips
    return study, build(study, study.data.dataset.declared("f" * 64)), LocalStore(tmp_path)


def content(study: Study) -> Content:
    return study.data.dataset.declared("f" * 64)


class Rewound:
    """A dense training with checkpoints at two epochs, as two studies need them; the artefacts are only said to be."""

    def __init__(self, tmp_path: Path) -> None:
        study, slips = validate(
            {
                "name": "rewound",
                "data": {"name": "digits"},
                "model": {"name": "tiny-cnn"},
                "train": {"epochs": 10, "batch_size": 100, "lr": 0.1},
                "sweep": {"sparsities": [0.5], "seeds": [1]},
                "prune": [
                    {"criterion": "magnitude", "at": "end", "retrain": {"name": "weight-rewind", "to": to}}
                    for to in ({"epoch": 2}, {"epoch": 5})
                ],
            }
        )  # fmt: skip
        assert study is not None, slips
        self.study = study
        self.plan = build(study, study.data.dataset.declared("f" * 64))
        self.store = LocalStore(tmp_path / "store").open()
        self.baseline = self.plan.trials[0].baseline
        self.second = self.plan.follows[self.baseline]
        self.first = self.plan.follows[self.second]

    def made(self, key: Key, wall_s: float, hour: int, resume: str | None) -> None:
        created = f"2026-01-01T{hour:02}:00:00+00:00"
        self.put(key, replace(MADE, wall_s=wall_s, created=created, resume=resume))

    def put(self, key: Key, made: Made) -> None:
        with self.store.scratch() as out:
            (out / layout.PROGRESS).write_text('{"curve": []}')
            self.store.put(key, preimage(self.plan.steps[key]), out, made)

    def put_document(self, key: Key | None, name: str, document: dict[str, Any]) -> None:
        """An artefact of one document."""
        assert key is not None
        with self.store.scratch() as out:
            (out / name).write_text(json.dumps(document))
            self.store.put(key, preimage(self.plan.steps[key]), out, MADE)

    def train_s(self) -> float | None:
        return Artefacts(self.plan, self.store).train_s(self.baseline)

    def unshared_s(self) -> float:
        told = results(self.study, "", self.plan, self.store, set(), content(self.study)).resources
        return float(told.filter(told["kind"] == "train")["unshared_s"].sum())


MADE = Made(wall_s=1.0, cpu_s=1.0, peak_bytes=7, device="cpu", hardware="x", versions={}, created="")


@pytest.mark.parametrize("recorded", [True, False])
def test_a_checkpoint_made_afterwards_is_no_part_of_a_training(tmp_path: Path, recorded: bool) -> None:
    rewound = Rewound(tmp_path)
    rewound.made(rewound.baseline, 100.0, 1, "" if recorded else None)
    rewound.made(rewound.first, 20.0, 2, "" if recorded else None)
    rewound.made(rewound.second, 30.0, 3, rewound.first if recorded else None)
    assert rewound.train_s() == 100.0
    assert rewound.unshared_s() == 2 * 100.0  # each trial on its own trains once, and keeps its checkpoint


@pytest.mark.parametrize("recorded", [True, False])
def test_the_pieces_of_a_training_are_all_of_it(tmp_path: Path, recorded: bool) -> None:
    rewound = Rewound(tmp_path)
    rewound.made(rewound.first, 20.0, 1, "" if recorded else None)
    rewound.made(rewound.second, 30.0, 2, rewound.first if recorded else None)
    rewound.made(rewound.baseline, 50.0, 3, rewound.second if recorded else None)
    assert rewound.train_s() == 100.0
    assert rewound.unshared_s() == 2 * 100.0


@pytest.mark.parametrize("recorded", [True, False])
def test_a_checkpoint_put_between_two_pieces_is_passed_over(tmp_path: Path, recorded: bool) -> None:
    rewound = Rewound(tmp_path)
    rewound.made(rewound.first, 20.0, 1, "" if recorded else None)
    rewound.made(rewound.baseline, 80.0, 2, rewound.first if recorded else None)
    rewound.made(rewound.second, 30.0, 3, rewound.first if recorded else None)
    assert rewound.train_s() == 100.0


def test_a_piece_that_only_another_study_plans_is_counted(tmp_path: Path) -> None:
    rewound = Rewound(tmp_path)
    rewound.made(rewound.first, 20.0, 1, "")
    rewound.made(rewound.baseline, 80.0, 2, rewound.first)
    study = rewound.study.model_copy(update={"prune": rewound.study.prune[1:]})
    plan = build(study, study.data.dataset.declared("f" * 64))
    assert rewound.first not in plan.steps
    assert Artefacts(plan, rewound.store).train_s(rewound.baseline) == 100.0


def test_each_step_behind_a_missing_trial_is_looked_up_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each round of iterative pruning rests on the one before in two ways: the ways double with every round."""
    study, plan, store = deep(tmp_path, ROUNDS, [1])
    looked: Counter[str] = Counter()
    failure = store.failure
    monkeypatch.setattr(store, "failure", lambda key: looked.update([key]) or failure(key))
    assert table(study, plan, store)["status"].to_list() == ["missing"] * ROUNDS
    assert max(looked.values()) == 1
    assert len(looked) > 3 * ROUNDS


def test_the_reason_is_found_behind_many_steps(tmp_path: Path) -> None:
    study, plan, store = deep(tmp_path, 2, [1, 2])
    first = next(trial for trial in plan.trials if trial.seed == 2)
    store.record_failure(first.baseline, "method", "the loss is not finite", "")
    found = table(study, plan, store).select("seed", "status", "reason").rows()
    assert sorted(set(found)) == [(1, "missing", None), (2, "failed", "the loss is not finite")]
    assert len(found) == 4


def test_resources_are_those_of_the_part_that_is_asked_for(tmp_path: Path) -> None:
    study, plan, store = deep(tmp_path, 2, [1, 2])
    part = only(plan, ["seed=2"])
    whole, half = (
        results(study, "", each, store, set(), content(study)).resources["steps"].sum() for each in (plan, part)
    )
    assert 2 * half == whole == len(plan.steps)


def test_what_the_steps_were_made_on_is_counted(tmp_path: Path) -> None:
    rewound = Rewound(tmp_path)
    for key, threads in ((rewound.first, 1), (rewound.second, 1), (rewound.baseline, 2)):
        rewound.put(key, replace(MADE, device_class="cpu/x86_64/AVX2", threads=threads))
    read = results(rewound.study, "", rewound.plan, rewound.store, set(), content(rewound.study))
    assert {of.label: count for of, count in read.made_on.items()} == {
        "cpu/x86_64/AVX2 with 1 thread": 2,
        "cpu/x86_64/AVX2 with 2 threads": 1,
    }
    assert "different hardware or numbers of threads" in read.mixture


def test_an_artefact_that_is_deleted_while_it_is_read_is_missing(own: Session) -> None:
    """As by `cache gc`, between the manifest and the file."""
    measure = own.plan.trials[-1].measure
    artefacts = Artefacts(own.plan, own.store)
    assert artefacts.manifest(measure) is not None
    own.store.delete(measure)
    assert artefacts.document(measure, layout.METRICS) is None
    assert artefacts.manifest(measure) is None
    trials = table(own.study, own.plan, own.store, artefacts)
    assert trials["status"].to_list() == ["done", "done", "done", "missing"]


def test_a_file_that_an_artefact_never_had_is_a_mistake_of_ours(own: Session) -> None:
    with pytest.raises(KeyError):
        Artefacts(own.plan, own.store).content(own.plan.trials[-1].measure, "nothing.json")


def test_how_far_an_ablated_mask_moved_is_left_out_when_its_original_is_deleted(own: Session) -> None:
    study = open_study(own.path, set=["prune[0].ablation=shuffle"], only="sparsity=0.5", store=own.store.root)
    reach(study, "ablate", HERE)
    for trial in study.plan.trials:
        assert trial.plain_mask is not None
        own.store.delete(trial.plain_mask)
    assert all("moved" not in layer for row in rows_of(study, "ablate") for layer in row["layers"])


def test_a_trial_whose_baseline_failed_has_the_reason(own: Session) -> None:
    part = open_study(own.path, only="sparsity=0.5", store=own.store.root)
    baseline = part.plan.trials[0].baseline
    own.store.delete(part.plan.trials[0].baseline_measure)
    own.store.delete(baseline)
    own.store.record_failure(baseline, "crash", "its process was killed by signal 9", "")
    trials = table(part.study, part.plan, part.store)
    assert trials["status"].to_list() == ["done", "done"]
    assert set(trials["reason"]) == {"the dense baseline failed: its process was killed by signal 9"}


def test_a_baseline_that_is_merely_missing_is_no_reason(own: Session) -> None:
    part = open_study(own.path, only="sparsity=0.5", store=own.store.root)
    own.store.delete(part.plan.trials[0].baseline_measure)
    assert table(part.study, part.plan, part.store)["reason"].to_list() == [None, None]


NULLS = {"n_effective": "what the output of bmm depends on is not known", "flops": "the FLOPs of lstm are not known"}


def test_a_count_that_is_null_has_its_reason_in_the_row(tmp_path: Path) -> None:
    """It is a trial that is done all the same."""
    rewound = Rewound(tmp_path)
    trial = rewound.plan.trials[0]
    layer = {"name": "head.weight", "shape": [4], "n": 4, "kept": 2, "effective": None}
    counts = {"n_effective": None, "flops": None, "flops_dense": 8.0, "n_params": 5, "n_prunable": 4, "n_nonzero": 3}
    rewound.put_document(trial.measure, layout.METRICS, {**counts, "layers": [layer], "uncounted": NULLS})
    row = table(rewound.study, rewound.plan, rewound.store).row(0, named=True)
    assert (row["status"], row["n_effective"], row["flops"], row["flops_dense"]) == ("done", None, None, 8.0)
    assert row["reason"] == "; ".join(f"{name} is not known: {why}" for name, why in NULLS.items())
    rewound.put_document(trial.mask, layout.INFO, {"layers": [layer], "tied": 0, "uncounted": {"n_effective": "why"}})
    shown = next(row for row in stage.rows_of(rewound.plan, rewound.store, "prune") if row["layers"])
    assert (shown["n_effective"], shown["uncounted"]) == (None, {"n_effective": "why"})


def test_weights_on_a_path_that_an_earlier_prunectl_counted_are_not_shown(tmp_path: Path) -> None:
    """Some of these numbers were wrong."""
    rewound = Rewound(tmp_path)
    layer = {"name": "head.weight", "shape": [4], "n": 4, "kept": 2, "effective": 1}
    rewound.put_document(rewound.plan.trials[0].mask, layout.INFO, {"layers": [layer], "tied": 0})
    shown = next(row for row in stage.rows_of(rewound.plan, rewound.store, "prune") if row["layers"])
    assert (shown["n_effective"], shown["uncounted"]) == (None, {})


def test_critical_compressions_are_columns_and_a_failure_is_a_reason(own: Session) -> None:
    """The trial is done all the same; where it was not asked for, the columns are null."""
    assert set(table(own.study, own.plan, own.store)["critical_compression"]) == {None}
    asked = open_study(own.path, set=["report.collapse=true"], only="sparsity=0.5", store=own.store.root)
    reach(asked, "prune", HERE)
    for row in rows_of(asked, "prune"):
        n = sum(layer["n"] for layer in row["layers"])
        assert (row["max_compression"], row["critical_by"]) == (n / len(row["layers"]), "exact")
        assert 1 < row["critical_compression"] <= row["max_compression"]
    whole = table(asked.study, asked.plan, asked.store)
    assert whole["critical_compression"].null_count() == 0 and set(whole["critical_by"]) == {"exact"}
    for key in {trial.collapse for trial in asked.plan.trials}:
        assert key is not None
        asked.store.delete(key)
        asked.store.record_failure(key, "method", "no such mask", "")
    failed = table(asked.study, asked.plan, asked.store)
    assert set(failed["critical_compression"]) == {None}
    assert set(failed["reason"]) == {"the critical compression is not known: no such mask"}
