"""Kill pull-workers at random moments, until a study is done all the same, and compare its table bit by bit.

    python bench/kills_slurm.py --kills 30 --way runs      # two plain `prunectl run` at once on one store
    python bench/kills_slurm.py --kills 30 --way submitit  # pull-workers of `--executor slurm`, on this machine

The study has iterative rounds, rewinding, fine-tuned channels and dropout, on the embedded digits. A kill is SIGKILL to
a run and, every second time, to its nursery and workers as well. After each another worker is started. When the study
is done before the kills are, it begins again with another store. Every finished table is compared.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import polars as pl

CLI = [sys.executable, "-c", "from prunectl.cli.start import main; main()"]
SLURM = '{ name = "slurm", cluster = "local", nodes = 2, time = "1h" }'
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
STUDY = """\
name = "kills"
[data]
name = "digits"
train_limit = 600
test_limit = 200
augment = [{ name = "pad-crop", pad = 1 }]
[model]
name = "dropout-net"
[train]
epochs = EPOCHS
batch_size = 20
lr = 0.05
[sweep]
sparsities = [0.0, 0.5, 0.8]
seeds = [1, 2]
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


def start(way: str, folder: Path) -> list[subprocess.Popen[bytes]]:
    """The processes that make the study: two plain runs, or one that submits two workers."""
    executor = ["--executor", SLURM] if way == "submitit" else []
    return [run(folder, number, *executor) for number in range(1 if executor else 2)]


def run(folder: Path, number: int, *options: str) -> subprocess.Popen[bytes]:
    command = [
        *CLI,
        "run",
        str(folder / "study.toml"),
        "--store",
        str(folder / "store"),
        "--jobs",
        "1",
        "--device",
        "cpu",
    ]
    command += ["--output", str(folder / f"out{number}"), *options]
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)


def processes(store: Path) -> dict[int, int]:
    """Every process whose command line names the store, and their descendants: pid → parent."""
    parents: dict[int, int] = {}
    ours: set[int] = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                words = (entry / "cmdline").read_bytes()
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, IndexError):
                continue
            if str(store).encode() in words and b"prunectl.cli" in words:
                ours.add(int(entry.name))
    while more := {pid for pid, parent in parents.items() if parent in ours} - ours:
        ours |= more
    return {pid: parents[pid] for pid in ours}


def kill(store: Path, way: str, chance: random.Random) -> str:
    """Kill one worker, alone or with what it has started; what was killed."""
    alive = processes(store)
    roots = [pid for pid in alive if b"--share" in words(pid)] if way == "submitit" else [
        pid for pid, parent in alive.items() if parent not in alive
    ]  # fmt: skip
    if not roots:
        return ""
    root = chance.choice(sorted(roots))
    below = {root}
    while more := {pid for pid, parent in alive.items() if parent in below} - below:
        below |= more
    chosen, kind = ((below, "tree"), ({root}, "run"), (below - {root}, "workers"))[chance.randrange(3)]
    for pid in chosen:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    return kind if chosen else ""


def words(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def finished(folder: Path, way: str, kills: int, longest_s: float, chance: random.Random) -> dict[str, int]:
    """Make the study in a folder while workers are killed; the kills by kind."""
    counts: dict[str, int] = {}
    running = start(way, folder)
    while not all(process.poll() == 0 for process in running):
        if sum(counts.values()) < kills:
            time.sleep(chance.uniform(0.5, longest_s))
            if kind := kill(folder / "store", way, chance):
                counts[kind] = counts.get(kind, 0) + 1
                if way == "submitit":  # a worker more, as an array that is submitted again would bring
                    running.append(run(folder, len(running), "--share"))
        else:
            time.sleep(0.5)
        for number, process in enumerate(running):
            if process.poll() not in (None, 0):
                running[number] = run(
                    folder, number, *(["--executor", SLURM] if way == "submitit" and not number else [])
                )
    return counts


def table(folder: Path) -> pl.DataFrame:
    return pl.read_csv(folder / "out0" / "table.csv", infer_schema=False).drop(TIMES)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--way", choices=["runs", "submitit"], default="runs")
    parser.add_argument("--longest", type=float, default=15.0, help="most seconds between two kills")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    chance, total, studies = random.Random(asked.seed), 0, 0
    with tempfile.TemporaryDirectory() as temporary:
        plug_in(Path(temporary))
        undisturbed: pl.DataFrame | None = None
        while undisturbed is None or total < asked.kills:
            folder = Path(temporary) / str(studies)
            folder.mkdir()
            (folder / "study.toml").write_text(STUDY.replace("EPOCHS", str(asked.epochs)))
            begun = time.monotonic()
            counts = finished(
                folder, asked.way, 0 if undisturbed is None else asked.kills - total, asked.longest, chance
            )
            made, total, studies = table(folder), total + sum(counts.values()), studies + 1
            assert set(made["status"]) == {"done"}, made
            undisturbed = made if undisturbed is None else undisturbed
            same = made.equals(undisturbed)
            print(
                f"study {studies}: {sum(counts.values())} kills {counts}, "
                f"{time.monotonic() - begun:.0f} s, same: {same}",
                flush=True,
            )
            assert same
    print(f"{total} kills ({asked.way}), {studies - 1} disturbed studies, every table identical")


if __name__ == "__main__":
    main()
