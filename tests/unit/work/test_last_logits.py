"""What a training's last test leaves for the measurement that follows: the same bits, and one pass over the images."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from cli import write_study
from prunectl.api.make import make
from prunectl.api.session import Session, open_study
from prunectl.datasets.digits import Digits
from prunectl.plan.steps import Data, Key, Measure
from prunectl.store import layout
from prunectl.training import evaluate
from prunectl.work import last_logits, measure
from prunectl.work.context import Context
from prunectl.work.last_logits import LastTest
from small import HERE, SMALL

RETRAINED = SMALL.replace('at = "init"', 'at = "end"\nretrain = ["none", "finetune"]').replace(', "random"', "")


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A name for each pass of a measurement over its images."""
    seen: list[str] = []

    def counted(network: torch.nn.Module, *others: Any) -> Iterator[torch.Tensor]:
        seen.append(type(network).__name__)
        return evaluate.answers(network, *others)

    monkeypatch.setattr(measure, "answers", counted)
    last_logits._LAST.clear()
    yield seen
    last_logits._LAST.clear()


def measured(session: Session, step: Measure, folder: Path) -> bytes:
    """The document that a measurement leaves."""
    folder.mkdir()
    inputs = {"state": session.store.fetch(step.state)}
    if step.mask is not None:
        inputs["mask"] = session.store.fetch(step.mask)
    measure.perform(step, inputs, folder, Context(device=torch.device("cpu"), snapshots=folder, data_root=folder))
    return (folder / layout.METRICS).read_bytes()


def test_a_trained_network_is_measured_with_the_answers_of_its_last_test(tmp_path: Path, passes: list[str]) -> None:
    """Two trainings, dense and fine-tuned, need no pass; what was pruned and not retrained needs one."""
    session = open_study(write_study(tmp_path, RETRAINED), store=tmp_path / "store")
    make(session, "retrain", HERE)
    steps = {key: step for key, step in session.plan.steps.items() if isinstance(step, Measure)}
    assert (len(steps), len(passes)) == (3, 1)
    for number, (key, step) in enumerate(steps.items()):
        last_logits._LAST.clear()
        again = measured(session, step, tmp_path / str(number))
        assert again == (session.store.fetch(key) / layout.METRICS).read_bytes(), "another worker measures the same"
    assert len(passes) == 1 + 3


def test_only_the_answers_of_the_same_network_and_images_are_taken() -> None:
    data = Data(dataset=Digits(), fingerprint="f" * 64, test_limit=50)
    same = LastTest(state=Key("a" * 64), mask=None, data=data, device=torch.device("cpu"))
    logits = [torch.zeros(50, 10)]
    last_logits.keep(same, logits)
    assert last_logits.kept(replace(same)) is logits
    for other in (
        replace(same, state=Key("b" * 64)),
        replace(same, mask=Key("b" * 64)),
        replace(same, data=replace(data, test_limit=40)),
        replace(same, device=torch.device("meta")),
    ):
        assert last_logits.kept(other) is None
    last_logits.keep(replace(same, state=Key("b" * 64)), [])
    assert last_logits.kept(same) is None, "the answers of one test are kept"


def test_answers_are_recorded_whole_or_not_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    batches = [torch.zeros(5, 10), torch.ones(3, 10)]
    monkeypatch.setattr(evaluate, "MOST_KEPT", 80)
    whole: list[torch.Tensor] = []
    assert list(evaluate.recorded(batches, whole)) == whole == batches
    for most in (79, 49):
        monkeypatch.setattr(evaluate, "MOST_KEPT", most)
        none: list[torch.Tensor] = []
        assert list(evaluate.recorded(batches, none)) == batches
        assert none == []
