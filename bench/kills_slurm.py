"""Kill pull-workers at random moments, until a study is done all the same, and compare its table bit by bit.

    python bench/kills_slurm.py --kills 30 --way runs      # two plain `prunectl run` at once on one store
    python bench/kills_slurm.py --kills 30 --way submitit  # pull-workers of `--executor slurm`, on this machine

The study has iterative rounds, rewinding, fine-tuned channels and dropout, on the embedded digits. A kill is SIGKILL to
a run, to its nursery and workers, or to all of them. After each another run is started. A study that is done before the
kills are is followed by another, in a new store. Every finished table is compared with an undisturbed run's. Linux.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import polars as pl

CLI = [sys.executable, "-c", "from prunectl.cli.start import main; main()"]
SLURM = ["--executor", '{ name = "slurm", cluster = "local", nodes = 2, time = "1h" }']
TIMES = ["train_s", "score_s", "device"]
NETWORK = """
from collections import OrderedDict
from prunectl.catalog.model import Model

class Dropout(Model):
    name, summary = "dropout-net", "two convolutions and dropout"

    def _network(self, shape, classes):
        from torch import nn

        return nn.Sequential(OrderedDict(
            conv=nn.Conv2d(shape[0], 8, 3, padding=1), norm=nn.BatchNorm2d(8), act=nn.ReLU(), flat=nn.Flatten(),
            drop=nn.Dropout(0.3), head=nn.Linear(8 * shape[1] * shape[2], classes),
        ))
"""
STUDY = """
name = "kills"
data = { name = "digits", train_limit = 600, test_limit = 200, augment = [{ name = "pad-crop", pad = 1 }] }
model = { name = "dropout-net" }
train = { epochs = EPOCHS, batch_size = 20, lr = 0.05 }
sweep = { sparsities = [0.0, 0.5, 0.8], seeds = [1, 2] }
[[prune]]
criterion = "magnitude"
at = "end"
rounds = { name = "iterative", rate = 0.5 }
retrain = { name = "weight-rewind", to = { epoch = 1 } }
[[prune]]
criterion = "magnitude"
at = "end"
structure = "channels"
retrain = { name = "finetune", lr = 0.01 }
"""


def plug_in(folder: Path) -> None:
    """A network with dropout, registered as an installed package would, for every process that is started from now."""
    about = folder / "dropnet-1.dist-info"
    about.mkdir()
    (folder / "dropnet.py").write_text(NETWORK)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: dropnet\nVersion: 1\n")
    (about / "entry_points.txt").write_text("[prunectl.models]\ndropout-net = dropnet:Dropout\n")
    os.environ["PYTHONPATH"] = f"{folder}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"


def run(folder: Path, number: int, *options: str) -> subprocess.Popen[bytes]:
    command = [*CLI, "run", str(folder / "study.toml"), "--store", str(folder / "store"), "--jobs", "1"]
    command += ["--device", "cpu", "--output", str(folder / f"out{number}"), *options]
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)


def below(roots: set[int], parents: dict[int, int]) -> set[int]:
    """Processes and their descendants."""
    tree = set(roots)
    while more := {pid for pid, parent in parents.items() if parent in tree} - tree:
        tree |= more
    return tree


def kill(store: Path, chance: random.Random, share: bytes) -> str:
    """Kill one run, alone or with what it has started; what was killed."""
    parents: dict[int, int] = {}
    roots: list[int] = []
    for entry in (entry for entry in Path("/proc").iterdir() if entry.name.isdecimal()):
        with contextlib.suppress(OSError, IndexError):
            parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            words = (entry / "cmdline").read_bytes()
            if str(store).encode() in words and b"prunectl.cli.start" in words and share in words:
                roots.append(int(entry.name))
    root = {chance.choice(sorted(roots))} if roots else set()
    tree = below(root, parents)
    chosen, kind = ((tree, "tree"), (root, "run"), (tree - root, "workers"))[chance.randrange(3)]
    for pid in chosen:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return kind if chosen else ""


def finished(folder: Path, way: str, kills: int, longest_s: float, chance: random.Random) -> Counter[str]:
    """Make the study in a folder while runs are killed; the kills by kind."""
    share = b"--share" if way == "submitit" else b""
    options = [SLURM] if share else [[], []]
    running = [run(folder, number, *more) for number, more in enumerate(options)]
    counts: Counter[str] = Counter()
    while not all(process.poll() == 0 for process in running[: len(options)]):
        time.sleep(chance.uniform(0.5, longest_s) if counts.total() < kills else 0.5)
        if counts.total() < kills and (
            kind := kill(folder / "store", chance, b"--share" if way == "submitit" else b"")
        ):
            counts[kind] += 1
            if share:  # another worker, as an array that is submitted again would bring
                running.append(run(folder, len(running), "--share"))
        for number, process in enumerate(running):
            if process.poll() not in (None, 0) and number < len(options):
                running[number] = run(folder, number, *options[number])
    return counts


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--way", choices=["runs", "submitit"], default="runs")
    parser.add_argument("--longest", type=float, default=15.0, help="most seconds between two kills")
    parser.add_argument("--epochs", type=int, default=4)
    asked = parser.parse_args()
    chance, total, tables = random.Random(1), 0, list[pl.DataFrame]()
    with tempfile.TemporaryDirectory() as temporary:
        plug_in(Path(temporary))
        while not tables or total < asked.kills:
            folder = Path(temporary) / str(len(tables))
            folder.mkdir()
            (folder / "study.toml").write_text(STUDY.replace("EPOCHS", str(asked.epochs)))
            begun, kills = time.monotonic(), asked.kills - total if tables else 0
            counts = finished(folder, asked.way, kills, asked.longest, chance)
            tables.append(pl.read_csv(folder / "out0" / "table.csv", infer_schema=False).drop(TIMES))
            total += counts.total()
            print(f"study {len(tables)}: {dict(counts)} in {time.monotonic() - begun:.0f} s", flush=True)
            assert set(tables[-1]["status"]) == {"done"} and tables[-1].equals(tables[0]), tables[-1]
    print(f"{total} kills ({asked.way}), {len(tables) - 1} disturbed studies, every table identical")


if __name__ == "__main__":
    main()
