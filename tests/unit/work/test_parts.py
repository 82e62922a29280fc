"""What is measured on validation and training images: the right ones, once, without changing anything else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
import torch

from cli import write_study
from pictures import folders
from prunectl.api.make import make
from prunectl.api.results import results_of
from prunectl.api.session import Session, open_study
from prunectl.base.errors import MethodError
from prunectl.datasets.digits import Digits
from prunectl.datasets.load import load
from prunectl.datasets.pictures import ImageFolder
from prunectl.datasets.streaming import Streamed
from prunectl.plan.graph import Trial
from prunectl.plan.steps import Data, Measure
from prunectl.pruning import mask as masking
from prunectl.results.artefacts import Artefacts
from prunectl.training.evaluate import evaluate
from prunectl.training.metrics.top1 import Top1
from prunectl.training.pixels import Normalize
from prunectl.training.source import InMemory
from prunectl.work import measure
from prunectl.work.context import Context
from prunectl.work.masks import read_masks
from prunectl.work.material import part_of
from prunectl.work.networks import restored
from small import HERE, SMALL

HELD = SMALL.replace("test_limit = 50", "test_limit = 50\nvalidation = 60")


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    folder = tmp_path_factory.mktemp("held")
    session = open_study(write_study(folder, HELD), store=folder / "store")
    make(session, "retrain", HERE)
    yield session


def network_of(session: Session, trial: Trial) -> torch.nn.Module:
    step = session.plan.steps[trial.measure]
    assert isinstance(step, Measure)
    network = restored(step.network, step.seed, session.store.fetch(trial.state), torch.device("cpu"))
    if trial.mask is not None:
        masking.apply(read_masks(session.store.fetch(trial.mask)) or {}, network)
    return network


def test_each_part_is_measured_on_its_own_images(held: Session) -> None:
    asked = open_study(held.path, store=held.store.root, set={"data.top1_train": True})
    tally = make(asked, "retrain", HERE)
    assert {asked.plan.steps[key].kind for key in tally.done} == {"measure"}, "nothing else is done again"
    images = load(Digits(), Path(), validation=60, train_limit=100, test_limit=50)
    normalize = Normalize(Digits.mean, Digits.std, torch.device("cpu"))
    trials = results_of(asked).trials
    for trial in asked.plan.trials:
        row = trials.row(
            by_predicate=(pl.col("arm") == trial.arm.label) & (pl.col("sparsity") == trial.sparsity), named=True
        )
        network = network_of(asked, trial)
        for column, part in (("top1", "test"), ("top1_train", "train"), ("top1_validation", "validation")):
            source = InMemory(getattr(images, f"{part}_images"), getattr(images, f"{part}_labels"))
            assert row[column] == evaluate(network, source, normalize, [Top1()])["top1"], column
    assert make(asked, "retrain", HERE).done == set()


def test_what_is_not_asked_for_is_null(held: Session, session: Session) -> None:
    assert results_of(held).trials["top1_train"].null_count() == len(held.plan.trials)
    assert results_of(held).trials["top1_validation"].null_count() == 0
    other = results_of(session).trials
    assert other["top1_validation"].null_count() == other["top1_train"].null_count() == len(other)


def test_curves_have_the_accuracy_in_training(held: Session) -> None:
    assert results_of(held).curves["train_top1"].is_between(0, 1).all()


def test_a_measurement_that_failed_is_reported(held: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = measure.perform

    def failing(step: Measure, *others: object) -> None:
        if step.part == "validation":
            raise MethodError("the images are gone")
        real(step, *others)  # type: ignore[arg-type]  # passed on as they are

    monkeypatch.setattr(measure, "perform", failing)
    session = open_study(held.path, store=tmp_path / "store", only="sparsity=0")
    make(session, "retrain", HERE)
    trial = session.plan.trials[0]
    assert Artefacts(session.plan, session.store).why_missing(trial.measured_apart[0])[0] == "failed"
    row = results_of(session).trials.row(0, named=True)
    assert (row["status"], row["top1_validation"]) == ("done", None)
    assert row["reason"] == "top1_validation could not be measured: the images are gone"


def test_pictures_are_held_out_of_training_too(tmp_path: Path) -> None:
    root, pictures = folders(tmp_path / "tree"), ImageFolder(size=12, resize=16)
    data = Data(dataset=pictures, fingerprint=pictures.content(root).fingerprint, validation=9, train_limit=30)
    context = Context(device=torch.device("cpu"), data_root=root, snapshots=tmp_path)
    train, held_out = (part_of(data, part, context) for part in ("train", "validation"))
    assert isinstance(train, Streamed) and isinstance(held_out, Streamed)
    assert not set(train.positions) & set(held_out.positions)
    assert [part.labels.bincount().tolist() for part in (train, held_out)] == [[10] * 3, [3] * 3]
    assert len(part_of(data, "test", context).labels) == 36
