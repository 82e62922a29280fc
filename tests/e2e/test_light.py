"""The wing that tells, the planner and the command line never import torch; `--help` imports nothing heavy."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cli import environment, write_study

HEAVY = ("torch", "polars", "altair", "pydantic", "rich")


def loaded(code: str, tmp_path: Path) -> set[str]:
    """Which heavy packages a piece of code has loaded in the end."""
    script = (
        f"import sys\ntry:\n    {code}\nexcept SystemExit:\n    pass\n"
        f"sys.stderr.write('LOADED ' + ' '.join(name for name in {HEAVY!r} if name in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environment(tmp_path / "store"), check=False
    )
    assert "LOADED" in done.stderr, done.stderr
    return set(done.stderr.rpartition("LOADED")[2].split())


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["run", "--help"], ["cache", "--help"]])
def test_help_is_instant(arguments: list[str], tmp_path: Path) -> None:
    code = f"sys.argv = ['prunectl', *{arguments!r}]; from prunectl.cli.app import main; main()"
    assert loaded(code, tmp_path) == set()


@pytest.mark.parametrize("arguments", [["plan"], ["report", "--format", "csv", "-o", "-"], ["report", "-o", "-"]])
def test_planning_and_telling_never_import_torch(arguments: list[str], tmp_path: Path) -> None:
    study = write_study(tmp_path)
    code = f"sys.argv = ['prunectl', {arguments[0]!r}, {str(study)!r}, *{arguments[1:]!r}]; "
    assert "torch" not in loaded(code + "from prunectl.cli.app import main; main()", tmp_path)


@pytest.mark.parametrize(
    "arguments",
    [
        ["cache", "ls"],
        ["schema"],
        *(["list", name] for name in ("criteria", "structures", "retrainings", "models", "optimizers", "metrics")),
    ],
)
def test_looking_around_never_imports_torch(arguments: list[str], tmp_path: Path) -> None:
    code = f"sys.argv = ['prunectl', *{arguments!r}]; from prunectl.cli.app import main; main()"
    assert "torch" not in loaded(code, tmp_path)


def test_every_module_of_the_light_rooms_imports_without_torch(tmp_path: Path) -> None:
    source = Path(__file__).parents[2] / "src"
    names = [
        ".".join(path.relative_to(source).with_suffix("").parts)
        for room in ("base", "study", "store", "plan", "results", "report", "api", "cli")
        for path in sorted((source / "prunectl" / room).rglob("*.py"))
    ]
    assert len(names) > 30
    assert "torch" not in loaded(f"import importlib; [importlib.import_module(name) for name in {names!r}]", tmp_path)
