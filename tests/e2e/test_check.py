"""`plan --check`, and the same check before a run: exit 2 with every problem, before anything is trained."""

from __future__ import annotations

from pathlib import Path

from cli import TINY, prunectl, write_study

BAD = '[prunable]\nexclude = ["hed", "convv*"]\n'


def test_a_sound_study_passes(tmp_path: Path) -> None:
    said = prunectl("plan", write_study(tmp_path), "--check", store=tmp_path / "store")
    assert (said.code, said.err) == (0, "")
    assert said.out.endswith("study.toml: no problems found\n")


def test_plain_plan_does_not_look(tmp_path: Path) -> None:
    assert prunectl("plan", write_study(tmp_path, TINY + BAD), store=tmp_path / "store").code == 0


def test_every_problem_is_reported_before_anything_is_trained(tmp_path: Path) -> None:
    study = write_study(tmp_path, TINY + BAD)
    for command, *options in (["plan", "--check"], ["run"], ["train"]):
        said = prunectl(command, study, *options, store=tmp_path / "store")
        assert said.code == 2
        assert said.err.startswith(f"error: {study}: 2 problems\n")
        line = len(TINY.splitlines()) + 2
        for column, name in ((12, "'hed'"), (19, "'convv*'")):
            assert f"study.toml:{line}:{column}: " in said.err and f"{name} matches no layer" in said.err
        assert "did you mean 'head'?" in said.err
        assert "Traceback" not in said.err
    assert not list((tmp_path / "store").glob("objects/*/*"))
    assert not (tmp_path / "results").exists()


def test_missing_data_are_reported_by_the_check_too(tmp_path: Path) -> None:
    text = TINY.replace('"digits"', '"mnist"')
    said = prunectl("plan", write_study(tmp_path, text), "--check", store=tmp_path / "store")
    assert said.code == 2
    assert "--data" in said.err and "PRUNECTL_DATA" in said.err
    assert "study.toml:2:" in said.err
