"""`prunectl plan`: the plan for people and programs, and the check."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from prunectl.api.check import Checked
from prunectl.api.plan import Kind, Planned
from prunectl.base.errors import Problem, StudyError
from prunectl.cli.plan import NOT_ASKED, claims, lines
from prunectl.execute.driver import FatalError
from prunectl.execute.outcome import Outcome, Status
from prunectl.plan.probe import Measurement, Probed
from prunectl.plan.steps import Key
from prunectl.results.foresight import Foresight
from prunectl.results.verdict_rule import Over, spreads_needed

Prunectl = Callable[..., Any]


def test_a_plan_with_nothing_to_do(prunectl: Prunectl) -> None:
    said = prunectl("plan", "STUDY")
    assert said.code == 0
    assert said.out.startswith("small: 4 trials\n")
    assert "one per seed; training steps: 6 instead of" in said.out


def test_json_has_the_steps_by_kind(prunectl: Prunectl) -> None:
    document = prunectl("plan", "STUDY", "--json").json()
    assert document["dense_trainings"] == 1
    assert document["steps"]["train"] == {
        "steps": 3, "to_do": 0, "reused": 3, "failed": 0, "skipped": 0, "why": {},
    }  # fmt: skip


def test_what_is_to_do_and_why() -> None:
    kind = Kind(steps=1200, to_do=7, reused=1190, failed=2, skipped=1, why={"never made": 7})
    planned = Planned(
        study="s", trials=9, steps={"train": kind}, changed=["train: recipe.lr 0.1 → 0.2"], dense_trainings=3,
        training_steps=50, training_steps_unshared=100, estimate_s=None, estimate_bytes=None,
        workers="2 workers on cpu", claims=(), unknown=("init", "score (net, snip)"),
    )  # fmt: skip
    assert lines(planned) == [
        "s: 9 trials",
        "",
        "step            planned   reused    to do   why",
        "train             1,200    1,190        7   7 never made; 2 failed; 1 skipped",
        "  train: recipe.lr 0.1 → 0.2",
        "",
        "dense trainings: 3, one per seed; training steps: 50 instead of 100 without sharing (50% saved)",
        "estimated time: unknown until a step of each kind has been done here: init and score (net, snip)",
        "estimated disk space: unknown until a step of each kind has been done here: init and score (net, snip)",
        "where: 2 workers on cpu, unless `run` is given other --jobs, --device or --executor",
    ]


def test_of_many_kinds_that_were_never_done_the_first_are_named() -> None:
    kind = Kind(steps=9, to_do=9, reused=0, failed=0, skipped=0, why={"never made": 9})
    planned = Planned(
        study="s", trials=9, steps={"score": kind}, changed=[], dense_trainings=0, training_steps=0,
        training_steps_unshared=0, estimate_s=1.0, estimate_bytes=None, workers="2 workers on cpu", claims=(),
        unknown=[f"score (net, c{number})" for number in range(9)],
    )  # fmt: skip
    (line,) = [line for line in lines(planned) if "unknown" in line]
    assert line.startswith("estimated disk space:") and line.endswith("score (net, c5) and 3 more")


def test_what_a_short_measurement_has_found_is_marked_and_what_it_leaves_out_is_named() -> None:
    kind = Kind(steps=9, to_do=9, reused=0, failed=0, skipped=0, why={"never made": 9})
    training = Measurement(
        kind="train (net, d)", on="cpu", seconds=0.0021, per="step of 64 images", also_for=("train (net, d, gradual)",)
    )
    test = Measurement(kind="measure (net, d)", on="cpu", seconds=1.5, per="test of 9 images")
    planned = Planned(
        study="s", trials=9, steps={"train": kind}, changed=[], dense_trainings=0, training_steps=0,
        training_steps_unshared=0, estimate_s=90.0, estimate_bytes=5000, workers="2 workers on cpu", claims=(),
        unknown=("score (net, snip)", "prune (net)"), measured=(training, test),
        parts_s={"train (net, d)": 60.0, "measure (net, d)": 20.0, "tests during training": 9.0, "other steps": 1.0},
    )  # fmt: skip
    shown = lines(planned)
    at = shown.index("estimated time: 90.0 s with one process, from a short measurement")
    assert shown[at + 1 : at + 7] == [
        "estimated disk space: 5.0 kB, from a short measurement",
        "  train (net, d): 2.1 ms per step of 64 images (cpu), 60.0 s in all; assumed for train (net, d, gradual) too",
        "  measure (net, d): 1.5 s per test of 9 images (cpu), 20.0 s in all",
        "  tests during training: 9.0 s in all",
        "  other steps: 1.0 s in all",
        "  not included, as none was done here yet: score (net, snip) and prune (net)",
    ]


def test_a_measurement_is_asked_for_and_is_part_of_the_document(
    prunectl: Prunectl, monkeypatch: pytest.MonkeyPatch
) -> None:
    measurement = Measurement(kind="train (net, d)", on="cpu", seconds=0.5, per="step of 64 images")
    monkeypatch.setattr("prunectl.api.probe.probe", lambda *given: Probed(measurements=[measurement]))
    document = prunectl("plan", "STUDY", "--measure", "--json").json()
    assert document["measured"] == [
        {"kind": "train (net, d)", "on": "cpu", "seconds": 0.5, "per": "step of 64 images", "also_for": []}
    ]
    assert document["estimate_s"] is not None
    assert prunectl("plan", "STUDY", "--json").json()["measured"] == []
    changed = ("plan", "STUDY", "--set", "train.lr=0.123", "--json")
    assert " exists and " in prunectl(*changed).json()["unchecked"]
    unchecked = prunectl(*changed, "--measure").json()["unchecked"]
    assert "can be pruned" in unchecked and "exists" not in unchecked, "the measurement has used network and data"


def test_without_data_to_measure_on_the_plan_comes_before_the_error(
    prunectl: Prunectl, monkeypatch: pytest.MonkeyPatch
) -> None:
    def probe(*given: object) -> Probed:
        raise FatalError(
            Outcome(key=Key("0"), status=Status.FATAL, reason="no data here", hint="get them", exit_code=2)
        )

    monkeypatch.setattr("prunectl.api.probe.probe", probe)
    said, plain = prunectl("plan", "STUDY", "--measure"), prunectl("plan", "STUDY")
    assert said.code == 2
    assert said.out == plain.out
    assert said.err.splitlines()[-2:] == ["error: no data here", "  get them"]
    assert prunectl("plan", "STUDY", "--measure", "--json").json() == prunectl("plan", "STUDY", "--json").json()


def test_a_check_and_a_measurement_are_two_commands(prunectl: Prunectl) -> None:
    said = prunectl("plan", "STUDY", "--check", "--measure")
    assert said.code == 2
    assert said.err.startswith("error: --check only checks the study")


def foresight(seeds: int, cases: int, text: str = "A claim", over: Over = "cases") -> Foresight:
    needed = spreads_needed(seeds, 1 if over == "average" else cases) if seeds > 2 else (None, None)
    return Foresight(text=text, over=over, seeds=seeds, cases=cases, refutes_sd=needed[0], supports_sd=needed[1])


def test_a_line_for_each_claim_with_what_it_takes_to_settle_it() -> None:
    assert claims(()) == []
    assert claims([foresight(3, 36), foresight(5, 36), foresight(3, 1), foresight(3, 9, over="average")]) == [
        "",
        "claim                                         seeds  cases   refuted below, supported above the margin by",
        "A claim                                           3     36   22 SD in one case alone, 2.5 SD in every case",
        "A claim                                           5     36   4.2 SD in one case alone, 1.2 SD in every case",
        "A claim                                           3      1   2.5 SD, 2.5 SD",
        "A claim                                           3      9   2.5 SD of the average, 2.5 SD of the average",
        "SD: the standard deviation of the difference between paired seeds",
    ]


def test_one_seed_settles_nothing_and_the_plan_says_so_before_it_runs() -> None:
    one, none = claims([foresight(1, 4, "x" * 60), foresight(0, 0)])[2:4]
    assert one == f"{'x' * 43}…      1      4   settles nothing: give the study at least 3 seeds"
    assert none.endswith("0      0   settles nothing: there are no two arms to compare")


def test_a_claim_that_a_selection_leaves_no_trials_for_is_not_asked(prunectl: Prunectl) -> None:
    assert claims([foresight(0, 0)], NOT_ASKED)[2].endswith(
        "0      0   not asked: the selection leaves no trials for it"
    )
    assert prunectl("plan", "STUDY", "--only", "sparsity>=0", "--json").json()["only"] == ["sparsity>=0"]


def test_a_check_that_passes_is_one_line(prunectl: Prunectl, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("prunectl.api.check.check", lambda session: Checked(here=None))
    said = prunectl("plan", "STUDY", "--check")
    assert (said.code, said.out.endswith("study.toml: no problems found\n"), said.err) == (0, True, "")
    assert prunectl("plan", "STUDY", "--check", "--json").json() == {"study": "small", "problems": [], "unfinished": ""}


def test_a_check_that_was_not_finished_answers_so_and_exits_with_1(
    prunectl: Prunectl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("prunectl.api.check.check", lambda session: Checked(here=None, unfinished="it died"))
    said = prunectl("plan", "STUDY", "--check")
    assert said.code == 1
    assert said.out.endswith("study.toml: no problems found, but it died\n")
    assert "fails in its step" in said.err
    said = prunectl("plan", "STUDY", "--check", "--json")
    assert (said.code, said.json()["unfinished"]) == (1, "it died")


def test_a_check_that_fails_is_one_error_with_every_problem(
    prunectl: Prunectl, monkeypatch: pytest.MonkeyPatch
) -> None:
    def check(session: object) -> None:
        problems = [
            Problem(path=(key,), message="wrong", where="s.toml:1:2", hint="fix it") for key in ("model", "data")
        ]
        raise StudyError("s.toml: 2 problems", problems)

    monkeypatch.setattr("prunectl.api.check.check", check)
    said = prunectl("plan", "STUDY", "--check")
    assert said.code == 2
    assert said.err == (
        "error: s.toml: 2 problems\n  s.toml:1:2: model: wrong\n      fix it\n  s.toml:1:2: data: wrong\n      fix it\n"
    )
