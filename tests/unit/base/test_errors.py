"""Errors for users: what each carries, and the exit code that it ends a command with."""

from __future__ import annotations

import pickle

import pytest

from prunectl.base import errors


def test_each_error_ends_a_command_with_its_documented_code() -> None:
    codes = {kind: kind("x").exit_code for kind in (errors.PrunectlError, errors.StudyError, errors.DataError)}
    assert set(codes.values()) == {errors.USAGE} == {2}
    assert errors.StoreError("x").exit_code == errors.STORE == 4
    assert (errors.DONE, errors.FAILED, errors.INTERRUPTED) == (0, 1, 130)


def test_an_error_carries_its_message_and_what_to_do_next() -> None:
    error = errors.DataError("no images", hint="download them")
    assert (str(error), error.message, error.hint) == ("no images", "no images", "download them")
    assert errors.PrunectlError("x").hint is None


def test_a_study_error_carries_every_problem() -> None:
    problems = [
        errors.Problem(path=("train", "lr"), message="missing"),
        errors.Problem(path=("name",), message="wrong"),
    ]
    assert errors.StudyError("s.toml", iter(problems)).problems == tuple(problems)


def test_a_method_error_is_no_message_for_a_user() -> None:
    """It becomes the reason of a failed step: the rest of the study goes on."""
    assert not issubclass(errors.MethodError, errors.PrunectlError)


def test_an_error_comes_back_from_another_process() -> None:
    for error in (errors.MethodError("no answer"), errors.StoreError("full"), errors.DataError("gone", hint="look")):
        copy = pickle.loads(pickle.dumps(error))
        assert (type(copy), str(copy)) == (type(error), str(error))
        assert getattr(copy, "hint", None) == getattr(error, "hint", None)


@pytest.mark.parametrize(
    ("name", "found"),
    [("snpi", "snip"), ("SNIP", "snip"), ("magnitud", "magnitude"), ("x", None), ("", None), ("synfolw", "synflow")],
)
def test_the_nearest_name(name: str, found: str | None) -> None:
    assert errors.nearest(name, ["snip", "magnitude", "synflow"]) == found
