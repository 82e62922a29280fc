"""The house's own rules, checked by the tools that know them: lint, formatting, types, floors."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent


@pytest.mark.parametrize(
    "command",
    [["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy"], ["lint-imports"]],
    ids=["lint", "format", "types", "floors"],
)
def test_the_tools_have_nothing_to_say(command: list[str]) -> None:
    done = subprocess.run([BIN / command[0], *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_nothing_of_this_machine_is_in_the_repository() -> None:
    """No machine path, no registry's address, no large file."""
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if files.returncode:
        pytest.skip("not a git checkout")
    for name in filter(None, files.stdout.split("\0")):
        path = ROOT / name
        if not path.is_file() or path == Path(__file__):
            continue
        assert path.stat().st_size < 1_000_000, name
        if path.suffix in {".py", ".md", ".toml", ".txt", ""}:
            text = path.read_text(errors="replace")
            for forbidden in ("/root/", "files.pythonhosted", "registry.npmjs"):
                assert forbidden not in text, f"{name}: {forbidden}"
