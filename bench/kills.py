"""Kills processes of a study's runs at random moments, and compares the end with that of an undisturbed run.

    pip install -e '.[ray,slurm]'
    python bench/kills.py [--way local|ray|runs|submitit] [--kills 50] [--longest-s 3] [--jobs 2] [--seed 1]

local, ray: one run with that executor. runs: two plain runs at once on one store. submitit: the pull-workers of
`--executor slurm`, on this machine. The study has iterative rounds, rewinding, fine-tuned channels, augmented images
and, from a plug-in, a network with dropout. A kill is SIGKILL to a worker, to a nursery or actor, to a run, to a run
with everything below it, or to everything. A run that was killed is started again; a study that is done before the
kills are used up is followed by another in a new store. Each end is compared: every row of the table but its times, and
every byte of every artefact. Needs Linux: it looks for processes in /proc.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runs import artefacts_of, begun, is_below, killed, processes, rows_of

HANGING_S = 3600.0
"""A study without kills takes a fraction of this, even on a machine with other work."""
SLURM = '{ name = "slurm", cluster = "local", nodes = 2, time = "1h" }'
WAYS = {
    "local": [["--jobs", "JOBS"]],
    "ray": [["--jobs", "JOBS", "--executor", "ray"]],
    "runs": [["--jobs", "1"], ["--jobs", "1"]],
    "submitit": [["--jobs", "1", "--executor", SLURM]],
}
"""The options of the runs that are started at once."""
KINDS = {"worker": 12, "nursery": 2, "run": 2, "tree": 1, "all": 1}
"""What is killed, and how often: whatever has imported torch takes seconds to be replaced."""
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
data = { name = "digits", augment = [{ name = "pad-crop", pad = 1 }] }
model = { name = "dropout-net" }
train = { epochs = 20, batch_size = 64, lr = 0.05 }
sweep = { sparsities = [0.0, 0.5, 0.75], seeds = [1, 2] }
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


@dataclass(kw_only=True)
class Runs:
    """The runs of one study on one store: those that end otherwise than well are started again."""

    study: Path
    store: Path
    options: Sequence[Sequence[str]]
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self) -> None:
        """Start what has not been started, or has been killed, or has ended with steps left."""
        for place, options in enumerate(self.options):
            if place == len(self.running):
                self.running.append(self._begun(place, options))
            elif self.running[place].poll() not in (None, 0):
                self.running[place] = self._begun(place, options)

    def done(self) -> bool:
        return all(process.poll() == 0 for process in self.running)

    def _begun(self, place: int, options: Sequence[str]) -> subprocess.Popen[bytes]:
        path = os.pathsep.join([str(self.study.parent), os.environ.get("PYTHONPATH", "")])
        words = ["run", str(self.study), "--json", "-q", "--device", "cpu", "--store", str(self.store)]
        return begun(
            [*words, "--output", str(self.store.parent / "out"), *options],
            mark=self.study,
            folder=self.study.parent,
            out=self.table(place),
            log=self.store.with_suffix(".log"),
            environment={"PYTHONPATH": path},
        )

    def table(self, place: int) -> Path:
        """Where a run prints its document."""
        return self.store.with_suffix(f".{place}.json")


def wait_for_workers(runs: Runs) -> None:
    """Starting takes long: most kills are to hit steps."""
    while not runs.done() and not any(is_below(text) for *_, text in processes(runs.study)):
        runs.start()
        time.sleep(0.05)


def disturbed(runs: Runs, kills: int, asked: argparse.Namespace, draws: random.Random) -> Counter[str]:
    """Make a study while it is killed up to a number of times; the kills by kind."""
    counts: Counter[str] = Counter()
    share = "--share" if asked.way == "submitit" else ""
    runs.start()
    calm_since = time.monotonic()
    while not runs.done():
        if counts.total() >= kills:
            time.sleep(0.1)
        else:
            if draws.random() < 0.8:
                wait_for_workers(runs)
            time.sleep(draws.uniform(0.0, asked.longest_s))
            kind = draws.choices(list(KINDS), list(KINDS.values()))[0]
            if not runs.done() and killed(runs.study, kind, share, draws):
                counts[kind] += 1
                calm_since = time.monotonic()
                print(f"{counts.total():4} {kind}", flush=True)
        runs.start()
        if time.monotonic() - calm_since > HANGING_S:
            raise SystemExit(f"HANGS: no end {HANGING_S:.0f} s after the last kill; its log:\n{log_of(runs)}")
    return counts


def log_of(runs: Runs) -> str:
    """The end of what the runs of a study have printed."""
    return runs.store.with_suffix(".log").read_text(errors="replace")[-4000:]


def outcomes(runs: Runs) -> tuple[list[list[dict[str, Any]]], dict[str, dict[str, str]]]:
    """The tables without times, and the verified digests of all artefacts, without the file that holds times."""
    return [rows_of(runs.table(place)) for place in range(len(runs.options))], artefacts_of(runs.store)


def losses(runs: Runs, calm: Runs) -> int:
    """The number of rows and artefacts that differ from those of an undisturbed run."""
    (tables, artefacts), (expected, sound) = outcomes(runs), outcomes(calm)
    rows = sum(row != other for table in tables for row, other in zip(table, expected[0], strict=True))
    return rows + sum(artefacts.get(key) != sound.get(key) for key in artefacts.keys() | sound.keys())


def main() -> None:
    """Print a line for each kill, and what was lost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--way", choices=WAYS, default="local")
    for name, default in (("--kills", 50), ("--jobs", 2), ("--seed", 1), ("--longest-s", 3.0)):
        parser.add_argument(name, type=type(default), default=default)
    asked = parser.parse_args()
    options = [[text.replace("JOBS", str(asked.jobs)) for text in each] for each in WAYS[asked.way]]
    draws, counts, studies, lost, begun = random.Random(asked.seed), Counter[str](), 0, 0, time.monotonic()
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as ends:
        study = prepared(Path(folder))
        ends.callback(killed, study, "all", "", draws)
        calm = Runs(study=study, store=study.parent / "calm", options=[["--jobs", str(asked.jobs)]])
        disturbed(calm, 0, asked, draws)
        while counts.total() < asked.kills:
            runs = Runs(study=study, store=study.parent / f"store-{studies}", options=options)
            counts += disturbed(runs, asked.kills - counts.total(), asked, draws)
            studies, worse = studies + 1, losses(runs, calm)
            lost += worse
            if worse:
                print(log_of(runs))
    kinds = ", ".join(f"{counts[kind]} of {kind}" for kind in KINDS)
    took = f"{time.monotonic() - begun:.0f} s"
    print(f"{asked.way}: {counts.total()} kills ({kinds}); {studies} studies ended; losses: {lost}; {took}")


if __name__ == "__main__":
    main()
