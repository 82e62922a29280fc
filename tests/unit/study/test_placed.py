"""Where a user has written what a problem is about: a line of the study, or an option."""

from __future__ import annotations

from prunectl.base.errors import Problem
from prunectl.study.overrides import Override
from prunectl.study.placed import LONGEST_LABEL, placed

TEXT = '[train]\nlr = 0.1\n[data]\nname = "digits"\n[profile.quick]\n"train.epochs" = 1\n'


def where(*path: str | int, **overridden: Override) -> str | None:
    in_force = {override.path: override for override in overridden.values()}
    (problem,) = placed(TEXT, "x.toml", [Problem(message="wrong", path=path)], in_force)
    return problem.where


LR = Override(path=("train", "lr"), value=9.0, label="--set train.lr=9")


def test_what_nobody_has_changed_is_at_its_line() -> None:
    assert where("train", "lr") == "x.toml:2:1"
    assert where("data", "name", lr=LR) == "x.toml:4:1"
    assert where(lr=LR) == "x.toml:1:1"


def test_what_an_option_has_set_is_at_the_option() -> None:
    assert where("train", "lr", lr=LR) == "--set train.lr=9"
    assert where("train", "lr", 0, lr=LR) == "--set train.lr=9"
    made = Override(path=("prunable", "exclude"), value=["x"], label="--set prunable.exclude=['x']")
    assert where("prunable", made=made) == made.label, "the table is not in the file"


def test_what_is_wrong_with_an_entry_is_wrong_with_its_name() -> None:
    named = Override(path=("data", "name"), value="mnist", label="--set data.name=mnist")
    assert where("data", named=named) == "--set data.name=mnist"
    assert where("train", lr=LR) == "x.toml:1:2"


def test_what_a_profile_has_set_is_at_its_line() -> None:
    quick = Override(
        path=("train", "epochs"), value=1, label="--profile quick", origin=("profile", "quick", "train.epochs")
    )
    assert where("train", "epochs", quick=quick) == "x.toml:6:1"


def test_a_long_option_is_cut() -> None:
    long = Override(path=("train", "lr"), value="x", label="--set train.lr=" + "9" * 500)
    shown = where("train", "lr", long=long)
    assert shown is not None and len(shown) == LONGEST_LABEL + 1 and shown.endswith("…")
