"""Errors for users: what each carries, and the exit code that it ends a command with."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from prunectl.base import errors


def test_each_error_ends_a_command_with_its_documented_code() -> None:
    codes = {kind: kind("x").exit_code for kind in (errors.PrunectlError, errors.StudyError, errors.DataError)}
    assert set(codes.values()) == {errors.USAGE} == {2}
    assert errors.StoreError("x").exit_code == errors.STORE == 4
    assert (errors.DONE, errors.FAILED, errors.INTERRUPTED) == (0, 1, 130)


def test_an_error_carries_its_message_and_what_to_do_next() -> None:
    error = errors.DataError("no images", hint="download them")
    assert (str(error), error.message, error.hint) == ("no images\n  download them", "no images", "download them")
    assert errors.PrunectlError("x").hint is None


def test_a_study_error_carries_every_problem() -> None:
    problems = [
        errors.Problem(path=("train", "lr"), message="missing"),
        errors.Problem(path=("name",), message="wrong"),
    ]
    assert errors.StudyError("s.toml", iter(problems)).problems == tuple(problems)


def test_a_notebook_shows_every_problem_of_a_study_with_place_and_hint() -> None:
    problems = [
        errors.Problem(path=("train", "lr"), message="missing", hint="lr = 0.1", where="s.toml:3:1"),
        errors.Problem(message="no arm"),
    ]
    shown = "s.toml: 2 problems\n  s.toml:3:1: train.lr: missing\n      lr = 0.1\n  no arm\n  see docs"
    assert str(errors.StudyError("s.toml: 2 problems", problems, hint="see docs")) == shown


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


def test_a_file_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(errors.PrunectlError) as raised, errors.writing(tmp_path / "a", hint="elsewhere"):
        (tmp_path / "a" / "b").write_text("")
    assert raised.value.message == f"{tmp_path / 'a'} cannot be written: No such file or directory"
    assert raised.value.hint == "elsewhere"
    with pytest.raises(KeyError), errors.writing(tmp_path):
        raise KeyError


def test_an_exception_of_somebody_elses_code_is_described_with_its_line(tmp_path: Path) -> None:
    module = tmp_path / "theirs.py"
    module.write_text("import json\n\ndef deep():\n    raise ValueError('two\\nlines')\n\ndeep()\n")
    with pytest.raises(ValueError, match="two") as raised:
        exec(compile(module.read_text(), str(module), "exec"), {"__name__": "theirs"})
    assert errors.described(raised.value) == "ValueError: two lines (theirs.py:4, in deep)"
    assert errors.described(raised.value, full_path=True) == f"ValueError: two lines ({module}:4, in deep)"


def test_of_a_syntax_error_it_is_the_line_that_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(SyntaxError) as raised:
        compile("x = 1\ny = = 2\n", "theirs.py", "exec")
    assert errors.described(raised.value).endswith("(theirs.py:2)")


def test_the_line_is_theirs_and_not_the_librarys() -> None:
    """The exception of torch that their call brings about is theirs to fix."""
    import torch

    with pytest.raises(RuntimeError) as raised:
        torch.nn.Linear(2, 3)(torch.zeros(5))
    line = "test_errors.py:{}, in test_the_line_is_theirs_and_not_the_librarys)"
    assert errors.described(raised.value).endswith(line.format(raised.tb.tb_lineno))


def test_without_a_traceback_there_is_no_line() -> None:
    assert errors.described(ValueError("x")) == "ValueError: x"


def raised_in(tmp_path: Path, source: str) -> BaseException:
    """What a third party's module raises when it is imported."""
    module = tmp_path / "theirs.py"
    module.write_text(source)
    with pytest.raises(BaseException) as raised:
        exec(compile(source, str(module), "exec"), {"__name__": "theirs"})
    error = raised.value
    error.__traceback__ = error.__traceback__ and error.__traceback__.tb_next  # without the frame of this test
    return error


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import json\njson.loads('{')", "(theirs.py:2)"),
        ("def f():\n    return {n: 1 // n for n in [0]}\nf()", "(theirs.py:2, in f)"),
        ("f = lambda: 1 // 0\nf()", "(theirs.py:1)"),
        ("class A:\n    def b(self):\n        1 // 0\nA().b()", "(theirs.py:3, in b)"),
        ("raise SystemExit(7)", "SystemExit: 7 (theirs.py:1)"),
        ("raise KeyError", "KeyError (theirs.py:1)"),
    ],
)
def test_the_line_is_the_innermost_one_of_theirs_with_its_function(tmp_path: Path, source: str, expected: str) -> None:
    assert errors.described(raised_in(tmp_path, source)).endswith(expected)


def test_an_exception_that_a_library_raises_from_theirs_has_their_line(tmp_path: Path) -> None:
    """pydantic, torch and others wrap what they call."""
    inner = raised_in(tmp_path, "1 // 0")
    outer = RuntimeError("a hook failed")
    outer.__cause__ = inner
    assert errors.described(outer) == "RuntimeError: a hook failed (theirs.py:1)"
    assert errors.their_modules(outer) == {"theirs"}


def test_an_exception_whose_message_fails_is_described_all_the_same(tmp_path: Path) -> None:
    source = "class Bad(Exception):\n    def __str__(self):\n        return 1 // 0\nraise Bad"
    text = errors.described(raised_in(tmp_path, source))
    assert text == "Bad: its message cannot be shown, ZeroDivisionError (theirs.py:4)"
