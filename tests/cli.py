"""Running the real command line, in a process of its own, as users do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import warm

ROOT = Path(__file__).parent.parent

WARM = f"import sys; sys.path.insert(0, {str(ROOT / 'tests')!r}); import warm; del sys.path[0]; warm.use(); "
"""Code before that of a command: its nursery is forked from a process that has imported torch."""
CODE = "from prunectl.cli.start import main; main()"


@dataclass(frozen=True, kw_only=True)
class Ran:
    """What a command left: its exit code, and what it said."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """The one document on stdout."""
        return json.loads(self.out)


def environment(store: Path) -> dict[str, str]:
    """The surroundings of a command, with a store and data directory of its own."""
    return {
        **os.environ,
        "PRUNECTL_STORE": str(store),
        "PRUNECTL_DATA": str(store.parent / "data"),
        "COLUMNS": "100",
        "PYTHONWARNINGS": "default",
    }


def command(*arguments: str | Path) -> list[str]:
    """The command line of this very Python's prunectl."""
    return [sys.executable, "-c", CODE, *map(str, arguments)]


def prunectl(*arguments: str | Path, store: Path, cwd: Path | None = None) -> Ran:
    """Run a command to its end. If it starts a nursery, that is a warm one."""
    done = subprocess.run(
        [sys.executable, "-c", WARM + CODE, *map(str, arguments)],
        capture_output=True,
        text=True,
        env=environment(store) | {warm.ADDRESS: warm.begin()},
        cwd=cwd or store.parent,
        timeout=300,
        check=False,
    )
    return Ran(code=done.returncode, out=done.stdout, err=done.stderr)


TINY = """\
name = "tiny"
[data]
name = "digits"
train_limit = 200
test_limit = 100
[model]
name = "tiny-cnn"
[train]
epochs = 2
batch_size = 50
lr = 0.05
[sweep]
sparsities = [0.0, 0.5, 0.9]
seeds = [1, 2]
[[prune]]
criterion = "magnitude"
at = "init"
[[prune]]
criterion = "snip"
at = "init"
ablation = ["none", "shuffle"]
"""


def write_study(folder: Path, text: str = TINY, name: str = "study.toml") -> Path:
    """A study file in a folder."""
    path = folder / name
    path.write_text(text)
    return path
