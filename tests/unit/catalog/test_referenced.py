"""Entries that a study names by a file: "file:mine.py:Mine"."""

from __future__ import annotations

import io
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from prunectl.base.errors import PrunectlError, StudyError
from prunectl.catalog import referenced, source_file
from prunectl.catalog.criterion import Criterion
from prunectl.catalog.entry import CODE
from prunectl.catalog.lookup import entry_type, read_entry
from prunectl.execute.outcome import Request
from prunectl.execute.task import packed
from prunectl.execute.worker import _Reading
from prunectl.plan.build import build
from prunectl.plan.steps import Score, key_of
from prunectl.study.arms import expand
from prunectl.study.load import load
from prunectl.study.reading import choices
from prunectl.study.schema import Study
from small import SMALL

MINE = """\
from prunectl import Criterion


class Mine(Criterion):
    \"\"\"The cube.\"\"\"

    power: float = 3.0

    def score(self, subject):
        return {name: w.detach().abs() ** self.power for name, w in subject.weights.items()}
"""
OTHERS = """\
from prunectl import Augmentation, Dataset, Optimizer, Retraining, Schedule, Scope


class Half(Scope):
    def groups(self, shapes, sparsity, gone, scores=None):
        return []


class Upside(Augmentation):
    def apply(self, images_NCHW, drawn):
        return images_NCHW.flip(2)


class Adagrad(Optimizer):
    eps: float = 1e-10

    def build(self, parameters, *, lr, weight_decay):
        import torch

        return torch.optim.Adagrad(parameters, lr=lr, weight_decay=weight_decay, eps=self.eps)


class Stays(Schedule):
    def factor(self, step, steps):
        return 1.0
"""

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """A study with a criterion of a file next to it, in a folder of its own."""

    def written(source: str, reference: str = "file:mine.py:Mine", folder: str = "one", name: str = "mine.py") -> Path:
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / name).write_text(source)
        study = tmp_path / folder / "study.toml"
        study.write_text(SMALL.replace('"random"', f'"{reference}"'))
        return study

    return written


def criterion(path: Path) -> Criterion:
    """The second criterion of a study."""
    return load(path).study.prune[0].criterion[1]


def problem(path: Path) -> str:
    """The one problem of a study, without the name of its file, and its hint."""
    with pytest.raises(StudyError) as caught:
        load(path)
    (only,) = caught.value.problems
    return f"{(only.where or '').rpartition('study.toml:')[2]} {only.message} / {only.hint}"


def test_a_class_needs_no_name_and_no_summary_and_its_cell_is_what_the_study_writes(write: Write) -> None:
    mine = criterion(write(MINE))
    assert (mine.written(), mine.label(), type(mine).summary) == ("file:mine.py:Mine", "file:mine.py:Mine", "The cube.")
    assert mine.parameters() == {"power": 3.0}
    (_, arm) = expand(load(write(MINE)).study.prune, "kaiming-normal")
    assert arm.cell("criterion") == "file:mine.py:Mine"
    assert choices({"criterion": "file:mine.py:Mine"}) == {"criterion": "file:mine.py:Mine"}, "no cell runs a file"
    assert arm.matches({"criterion": "file:mine.py:Mine"})


def test_parameters_are_checked_and_are_part_of_keys(write: Write) -> None:
    study = write(MINE)
    text = study.read_text()
    study.write_text(text.replace('"file:mine.py:Mine"', '{ name = "file:mine.py:Mine", power = 2.0 }'))
    changed = criterion(study)
    assert changed.label() == "file:mine.py:Mine(power=2.0)"
    assert changed.preimage()["power"] == 2.0
    study.write_text(text.replace('"file:mine.py:Mine"', '{ name = "file:mine.py:Mine", powr = 2.0 }'))
    assert problem(study) == '16:57 unknown key; allowed here: power, name / did you mean "power"?'


def test_keys_hold_what_is_in_the_file_and_not_where_it_is_or_what_it_is_called(write: Write) -> None:
    here = criterion(write(MINE)).preimage()
    assert here["name"] == "file:Mine" and len(here[CODE]) == 64
    elsewhere = write(MINE, "file:../two/lib.py:Mine", folder="two", name="lib.py")
    assert criterion(elsewhere).preimage() == here
    assert criterion(write(MINE.replace("\n", "\r\n"), folder="three")).preimage() == here
    assert criterion(write(MINE + "# any edit\n", folder="four")).preimage() != here


def test_a_file_that_was_edited_is_another_class_in_the_same_process(write: Write) -> None:
    before = criterion(write(MINE))
    after = criterion(write(MINE.replace("3.0", "4.0")))
    assert (before.parameters(), after.parameters()) == ({"power": 3.0}, {"power": 4.0})
    assert criterion(write(MINE)) == before, "the first content again is the first class again"


@pytest.mark.parametrize(
    ("source", "reference", "expected"),
    [
        (MINE, "file:nine.py:Mine", "nine.py does not exist / did you mean 'mine.py'?"),
        (MINE, "file:mine.py:Mime", "16:27 mine.py has no Mime; it has Mine / did you mean 'Mine'?"),
        (MINE, "file:mine.py", '"file:mine.py" does not name a file and a class of it / write "file:FILE.py:CLASS"'),
        (MINE, "mine.py:Mine", 'there is no criterion "mine.py:Mine" / write "file:FILE.py:CLASS"'),
        (MINE.replace("return", "retrun"), "file:mine.py:Mine", "SyntaxError: invalid syntax (mine.py:10)"),
        ("import nothing_like_it\n", "file:mine.py:Mine", "No module named 'nothing_like_it' (mine.py:1)"),
        ("raise SystemExit(3)\n", "file:mine.py:Mine", "cannot be imported: SystemExit: 3 (mine.py:1)"),
        ("\n\nclass Mine:\n    pass\n", "file:mine.py:Mine", "is not a Criterion (mine.py:3) / a criterion is"),
        (MINE.replace("def score", "def scores"), "file:mine.py:Mine", "does not define score() (mine.py:4)"),
        (MINE + "import helper\n", "file:mine.py:Mine", "mine.py imports helper.py next to it"),
    ],
)  # fmt: skip
def test_a_mistake_is_reported_with_the_line_of_the_study_and_that_of_the_file(
    write: Write, source: str, reference: str, expected: str
) -> None:
    study = write(source, reference)
    (study.parent / "helper.py").touch()
    found = problem(study)
    assert found.startswith("16:27 ") and expected in found


def test_scopes_optimizers_schedules_and_augmentations_too(write: Write) -> None:
    study = write(OTHERS, "random", name="others.py")
    text = study.read_text().replace("test_limit = 50", 'test_limit = 50\naugment = ["file:others.py:Upside"]')
    text = text.replace("lr = 0.05", 'lr = 0.05\noptimizer = { name = "file:others.py:Adagrad", eps = 1e-8 }')
    text = text.replace('at = "init"', 'at = "init"\nscope = "file:others.py:Half"')
    study.write_text(text.replace("lr = 0.05", 'lr = 0.05\nschedule = "file:others.py:Stays"'))
    read: Study = load(study).study
    (scope,) = read.prune[0].scope or ()
    names = [read.data.augment[0].name, read.train.optimizer.name, read.train.schedule.name, scope.name]
    assert names == [f"file:others.py:{kind}" for kind in ("Upside", "Adagrad", "Stays", "Half")]


def test_metrics_and_executors_are_registered_and_not_named_by_a_file() -> None:
    for catalog in ("metrics", "executors"):
        with pytest.raises(PrunectlError, match=f"among the {catalog}"):
            entry_type(catalog, "file:mine.py:Mine")


def test_outside_of_a_study_no_file_is_run() -> None:
    with pytest.raises(PrunectlError, match="in one only"):
        read_entry("criteria", "file:mine.py:Mine", Criterion)


def test_a_worker_gets_the_source_and_needs_no_file(
    write: Write, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    study = write(MINE)
    mine = criterion(study)
    loaded = load(study).study
    steps = build(loaded, loaded.data.dataset.declared("f" * 64)).steps.values()
    step = next(step for step in steps if isinstance(step, Score) and step.criterion == mine)
    request = Request(key=key_of(step), step=step, store=tmp_path, data=tmp_path, device="cpu", threads=1)
    sent = packed(request)
    (study.parent / "mine.py").unlink()
    monkeypatch.delitem(sys.modules, type(mine).__module__)
    monkeypatch.setattr(referenced, "MADE", {})
    monkeypatch.setattr(source_file, "_FINDER", source_file._Finder())
    reading = _Reading(io.BytesIO(sent))
    received: Request = reading.load()
    assert reading.foreign, "the worker does no other step after it"
    assert isinstance(received.step, Score)
    assert type(received.step.criterion) is not type(mine), "a class of its own, made from the source"
    assert key_of(received.step) == request.key
    with pytest.raises(AttributeError) as caught:
        received.step.criterion.score(None)  # type: ignore[arg-type]
    frame = next(frame for frame in traceback.extract_tb(caught.value.__traceback__) if frame.name == "score")
    assert frame.line == "return {name: w.detach().abs() ** self.power for name, w in subject.weights.items()}"
