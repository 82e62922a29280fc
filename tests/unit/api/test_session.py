"""Opening a study: what is read, where the store and the data are, which trials are left."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from cli import write_study
from prunectl.api.check import located
from prunectl.api.session import advice, assignments, data_root, existing_store, open_store, open_study
from prunectl.base.errors import DataError, Problem, PrunectlError, StoreError, StudyError
from small import SMALL


def test_a_study_is_planned_and_nothing_is_computed(tmp_path: Path) -> None:
    session = open_study(str(write_study(tmp_path, SMALL)), store=str(tmp_path / "store"))
    assert session.study.name == "small"
    assert len(session.plan.trials) == 4
    assert session.content.train_size > 1000
    assert list(session.store.keys()) == []


def test_overrides_are_texts_or_a_mapping(tmp_path: Path) -> None:
    study = write_study(tmp_path, SMALL)
    given = {"train.epochs": 3, "sweep.sparsities": [0.25, 0.5], "data.augment": ["flip"], "train.optimizer": "adam"}
    by_mapping = open_study(study, set=given, store=tmp_path / "store")
    texts = ["train.epochs=3", "sweep.sparsities=[0.25, 0.5]", 'data.augment=["flip"]', "train.optimizer=adam"]
    by_texts = open_study(study, set=texts, store=tmp_path / "store")
    assert by_mapping.plan.steps.keys() == by_texts.plan.steps.keys()
    assert by_mapping.study.train.epochs == 3
    assert "train.epochs=3" in by_mapping.text


def test_an_override_that_toml_does_not_have_is_refused() -> None:
    with pytest.raises(TypeError, match="NoneType"):
        assignments({"train.epochs": None})
    with pytest.raises(TypeError, match="list of 'key=value'"):
        assignments("train.epochs=2")


def test_a_comma_means_and_and_several_selectors_mean_or(tmp_path: Path) -> None:
    study = write_study(tmp_path, SMALL)

    def left(only: str | list[str]) -> list[tuple[str, float]]:
        plan = open_study(study, only=only, store=tmp_path / "store").plan
        return [(trial.arm.criterion.name, trial.sparsity) for trial in plan.trials]

    assert left("criterion=random") == left(["criterion=random"]) == [("random", 0.0), ("random", 0.5)]
    assert left("criterion=random,sparsity=0.5") == [("random", 0.5)]
    assert left(["criterion=random,sparsity=0.5", "criterion=magnitude,sparsity=0"]) == [
        ("magnitude", 0.0),
        ("random", 0.5),
    ]
    assert len(left([])) == 4
    with pytest.raises(StudyError, match="criterion=snap"):
        left(["criterion=random", "criterion=snap"])


def test_problems_of_a_study_are_one_error(tmp_path: Path) -> None:
    text = SMALL.replace("lr = 0.05", "lr = -1.0").replace("epochs = 1", "epoch = 1")
    with pytest.raises(StudyError) as raised:
        open_study(write_study(tmp_path, text), store=tmp_path / "store")
    assert len(raised.value.problems) == 3


def test_an_unknown_published_table_is_reported_at_once(tmp_path: Path) -> None:
    text = SMALL + '[published]\ntables = ["comp6258-figure"]\n'
    with pytest.raises(PrunectlError, match="comp6258-figure1"):
        open_study(write_study(tmp_path, text), store=tmp_path / "store")


def test_the_store_is_the_one_asked_for_else_that_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRUNECTL_STORE", str(tmp_path / "environment"))
    assert open_store(tmp_path / "asked").root == tmp_path / "asked"
    assert open_store().root == tmp_path / "environment"


def test_the_data_are_where_was_asked_else_where_the_study_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = tmp_path / "study.toml"
    monkeypatch.setenv("PRUNECTL_DATA", "/environment")
    assert data_root("data", study, Path("/asked")) == Path("/asked")
    assert data_root("data", study, None) == tmp_path / "data"
    assert data_root("data", study, Path("/environment")) == tmp_path / "data"
    assert data_root(None, study, None) == Path("/environment")
    monkeypatch.delenv("PRUNECTL_DATA")
    assert "prunectl" in str(data_root(None, study, None))


def test_a_store_to_read_from_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no store at"):
        existing_store(tmp_path / "typo")
    assert list(tmp_path.iterdir()) == []
    open_store(tmp_path / "store").create()
    assert existing_store(tmp_path / "store").root == tmp_path / "store"


def test_a_retraining_that_leaves_nothing_is_refused_in_its_place(tmp_path: Path) -> None:
    text = SMALL + '[[prune]]\ncriterion = "snip"\nat = "end"\nretrain = { name = "rewind", schedule = "end" }\n'
    with pytest.raises(StudyError) as refused:
        open_study(write_study(tmp_path, text), store=tmp_path / "store")
    place = len(text.splitlines())
    assert f"study.toml:{place}:1: prune[1].retrain: rewind(schedule=end) leaves nothing" in str(refused.value)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home without settings, data or caches."""
    for name in ("CONFIG", "DATA", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))
    for name in ("PRUNECTL_STORE", "PRUNECTL_DATA", "PRUNECTL_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_the_own_store_is_with_the_data_not_among_the_caches(home: Path) -> None:
    opened = open_store()
    assert opened.root == home / "data" / "prunectl" / "store"
    assert advice(opened) == ""
    assert list(home.iterdir()) == [], "opened, it is not made"


def test_the_store_of_an_earlier_prunectl_stays_in_use_until_it_is_moved(home: Path) -> None:
    earlier = home / "cache" / "prunectl" / "store"
    open_store(earlier).create()
    opened = open_store()
    assert opened.root == earlier
    command = advice(opened).partition("to move it: ")[2]
    assert command == f"mkdir -p {home}/data/prunectl && mv {earlier} {home}/data/prunectl/store"
    subprocess.run(command, shell=True, check=True)
    assert open_store().root == home / "data" / "prunectl" / "store"


RUDE = """\
import os, sys
from prunectl import Dataset


class Mine(Dataset):
    shape, classes, train_size, test_size, mean, std, fingerprint = (1, 8, 8), 2, 4, 4, (0.5,), (0.5,), None
    how: str = ""

    def arrays(self, root):
        print("loud")
        os.chdir("/")
        return sys.exit(7) if self.how == "exits" else [1, 2]
"""


@pytest.mark.parametrize(
    ("how", "why"), [("exits", r"SystemExit: 7 \(.*mine.py:12, in arrays\)"), ("", "list, not Arr")]
)
def test_a_data_set_of_a_third_party_neither_ends_nor_moves_the_command(
    how: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(RUDE)
    own = SMALL.replace('"digits"\ntrain_limit = 100\ntest_limit = 50', f'"file:mine.py:Mine"\nhow = "{how}"')
    study = write_study(tmp_path, own)
    with pytest.raises(DataError, match=why):
        open_study(study, store="store")
    assert Path.cwd() == tmp_path
    assert capfd.readouterr() == ("", "loud\n")


def test_a_rule_of_a_third_party_neither_moves_the_command_nor_prints_into_its_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    rule = """\
import os
from prunectl import Criterion


class Mine(Criterion):
    power: int = 2

    def model_post_init(self, context):
        os.chdir("/")
        print("loud")

    def score(self, subject):
        return {}
"""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(rule)
    open_study(write_study(tmp_path, SMALL.replace('["magnitude"', '[{ name = "file:mine.py:Mine", power = 3 }')))
    assert Path.cwd() == tmp_path
    out, err = capfd.readouterr()
    assert out == "" and "loud" in err


def test_what_only_the_plan_shows_to_be_wrong_with_an_option_is_blamed_on_the_option(tmp_path: Path) -> None:
    study = write_study(tmp_path, SMALL)
    session = open_study(study, set=['prunable.exclude=["hed"]', "train.lr=0.1"], store=tmp_path / "store")
    problems = [Problem(path=("prunable", "exclude", 0), message="x"), Problem(path=("train", "epochs"), message="x")]
    option, line = located(session, problems)
    assert option.where == '--set prunable.exclude=["hed"]'
    assert line.where is not None and line.where.startswith(f"{study}:")
