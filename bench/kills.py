"""Kills workers, the driver or everything at random moments, and compares the final table with an undisturbed run's.

    pip install -e '.[ray]'
    python bench/kills.py [--executor ray] [--kills 50] [--jobs 2] [--seed 1]

The study has iterative rounds, rewinding, fine-tuned channels and, from a plug-in, a network with dropout. A run that
was killed is started again until the kills are used up and one ends by itself. Needs Linux: it looks for processes in
/proc. The last line has the number of kills by kind, and of losses: cells of the table, and artefacts, that differ.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MARK = "PRUNECTL_KILLS"
"""A variable in the environment of every process of a run, by which its orphans are known too."""
TIMES = ("train_s", "score_s")
DROPOUT = """
from prunectl.catalog.model import Model


class Dropout(Model):
    name, summary = "dropout-net", "two convolutions and dropout"

    def _network(self, shape, classes):
        from collections import OrderedDict
        from torch import nn

        return nn.Sequential(OrderedDict(
            conv=nn.Conv2d(shape[0], 8, 3, padding=1), norm=nn.BatchNorm2d(8), act=nn.ReLU(),
            conv2=nn.Conv2d(8, 8, 3, padding=1), act2=nn.ReLU(), pool=nn.AdaptiveAvgPool2d(2), flat=nn.Flatten(),
            drop=nn.Dropout(0.3), head=nn.Linear(32, classes),
        ))
"""
STUDY = """
name = "kills"
[data]
name = "digits"
[model]
name = "dropout-net"
[train]
epochs = 20
batch_size = 64
lr = 0.05
[sweep]
sparsities = [0.0, 0.5, 0.75]
seeds = [1, 2]
[[prune]]
criterion = "magnitude"
at = "end"
rounds = "iterative"
retrain = { name = "weight-rewind", to = { step = 5 } }
[[prune]]
criterion = "magnitude"
at = "end"
structure = "channels"
retrain = "finetune"
[[prune]]
criterion = "snip"
at = { epoch = 3 }
"""


def prepared(folder: Path) -> Path:
    """The study and the plug-in that it needs, in a folder."""
    about = folder / "dropout_net-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: dropout-net\nVersion: 1\n")
    (about / "entry_points.txt").write_text("[prunectl.models]\ndropout-net = dropout_net:Dropout\n")
    (folder / "dropout_net.py").write_text(DROPOUT)
    (folder / "study.toml").write_text(STUDY)
    return folder / "study.toml"


def begun(study: Path, store: Path, *options: str) -> subprocess.Popen[str]:
    """A run, all of whose processes are marked."""
    path = os.pathsep.join([str(study.parent), os.environ.get("PYTHONPATH", "")])
    prunectl = [sys.executable, "-c", "from prunectl.cli.start import main; main()"]
    return subprocess.Popen(
        [*prunectl, "run", str(study), "--json", "-q", "--store", str(store), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=study.parent,
        env={**os.environ, "PYTHONPATH": path, MARK: str(study)},
    )


def processes(study: Path) -> Iterator[tuple[int, str]]:
    """Every process of the runs of a study, and its command line."""
    mark = f"{MARK}={study}".encode()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if mark in (entry / "environ").read_bytes().split(b"\0"):
                    yield int(entry.name), (entry / "cmdline").read_text().replace("\0", " ")


def workers(study: Path) -> list[int]:
    """Workers, their nurseries and actors."""
    return [pid for pid, text in processes(study) if "execute.nursery" in text or text.startswith("ray::Host")]


def wait_for_workers(process: subprocess.Popen[str], study: Path) -> None:
    """Starting takes long: most kills are to hit steps."""
    while process.poll() is None and not workers(study):
        time.sleep(0.05)


def killed(kind: str, driver: int, study: Path, draws: random.Random) -> bool:
    """kill -9 to one worker, nursery or actor, to the driver, or to everything. False if no such process runs."""
    running = list(processes(study))
    below = [pid for pid, text in running if "execute.nursery" in text or text.startswith("ray::Host")]
    chosen = {
        "worker": draws.sample(below, 1) if below else [],
        "driver": [driver],
        "tree": [pid for pid, _ in running],
    }
    for pid in chosen[kind]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return bool(chosen[kind])


def outcome(text: str, store: Path) -> tuple[list[dict[str, Any]], dict[str, dict[str, str]]]:
    """The table without times, and the digests of all artefacts without the file that holds times."""
    trials = [{name: cell for name, cell in row.items() if name not in TIMES} for row in json.loads(text)["trials"]]
    manifests = {
        path.parent.name: json.loads(path.read_text())["files"] for path in store.glob("objects/*/*/*fest.json")
    }
    return trials, {key: {n: sha for n, sha in of.items() if n != "info.json"} for key, of in manifests.items()}


def main() -> None:
    """Print a line for each kill, and what was lost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("--executor", "local"), ("--kills", 50), ("--jobs", 2), ("--seed", 1), ("--longest-s", 3.0)):
        parser.add_argument(name, type=type(default), default=default)
    asked = parser.parse_args()
    options = ["--jobs", str(asked.jobs), "--executor", asked.executor]
    draws, count = random.Random(asked.seed), Counter[str]()
    with tempfile.TemporaryDirectory() as folder:
        study = prepared(Path(folder))
        calm = begun(study, study.parent / "calm", "--jobs", str(asked.jobs))
        expected = outcome(calm.communicate()[0], study.parent / "calm")
        while True:
            store = study.parent / f"store-{count['runs']}"  # a new one after each run that has ended by itself
            process = begun(study, store, *options)
            while process.poll() is None and count.total() - count["runs"] - count["losses"] < asked.kills:
                if draws.random() < 0.8:
                    wait_for_workers(process, study)
                time.sleep(draws.uniform(0.0, asked.longest_s))
                kind = draws.choices(["worker", "driver", "tree"], [6, 2, 2])[0]
                if process.poll() is None and killed(kind, process.pid, study, draws):
                    count[kind] += 1
                    print(f"{count[kind]:4} {kind}", flush=True)
            out, err = process.communicate()
            if process.returncode not in (0, 1, -signal.SIGKILL):
                print(err)
            if process.returncode != 0:
                continue
            trials, artefacts = outcome(out, store)
            count["losses"] += sum(a != b for a, b in zip(trials, expected[0], strict=True)) + (
                artefacts != expected[1]
            )
            count["runs"] += 1
            if count.total() - count["runs"] - count["losses"] >= asked.kills:
                break
    kinds = ", ".join(f"{count[kind]} of {kind}" for kind in ("worker", "driver", "tree"))
    kills = count.total() - count["runs"] - count["losses"]
    print(f"{asked.executor}: {kills} kills ({kinds}); {count['runs']} runs ended; losses: {count['losses']}")


if __name__ == "__main__":
    main()
