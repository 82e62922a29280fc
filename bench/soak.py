"""Runs random small studies on one store for as long as asked, disturbs them, and compares each end with a calm run.

    pip install -e .
    python bench/soak.py FOLDER [--minutes 30] [--seed 1]

A second leg in the same FOLDER goes on from the store of the first. What disturbs a run is drawn: SIGKILL to a worker,
to the run, or to both and everything below them; SIGINT, SIGTERM and SIGHUP to the run; a second run of the study at
the same time; `cache gc`; `report --watch`; and a full disk, where FOLDER lies on a small file system (at most 4 GB
free, for example `mount -t tmpfs -o size=600m tmpfs FOLDER`). A run that was ended is started again. Then it is
compared: every row of the table but its times, and every byte of its artefacts; and no artefact that the store had
before may be gone. Counts of all legs, and memory in the first and last third of them, are printed at the end and
kept in FOLDER/soak.json. Needs Linux.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median

from runs import COMMAND, NURSERY, artefacts_of, begun, killed, processes, rows_of

SMALL_DISK = 4 * 2**30
HANGING_S = 1800.0
WRONG_STUDY = 2
"""How a command ends that a user has to correct."""
SIGNALS = {"SIGINT": signal.SIGINT, "SIGTERM": signal.SIGTERM, "SIGHUP": signal.SIGHUP}
KILLS = ("worker", "run", "tree", "all")
DISTURBANCES = (*KILLS, *KILLS, "worker", *SIGNALS, "two runs", "gc", "watch", "full disk")
"""One of these at a time; what is named twice comes twice as often."""
AT_INIT = ("magnitude", "snip", "grasp", "synflow", "random")
AT_END = ("magnitude", "snip", "gradient")
ROUNDS = ("one-shot", "iterative")
RETRAININGS = ("none", "finetune", "weight-rewind", "lr-rewind")
DURING = (
    '{ name = "gradual", to = "end", every = { steps = 20 } }',
    '"set"',
    '{ name = "rigl", every = { steps = 20 } }',
)


def study(draws: random.Random, number: int) -> str:
    """A study of a handful of short trainings."""
    ablations = json.dumps(["none", draws.choice(["shuffle", "reinit"])])
    arms = [
        f'criterion = "{draws.choice(AT_INIT)}"\nat = "init"\nablation = {ablations}',
        f'criterion = "{draws.choice(AT_END)}"\nat = "end"\nrounds = "{draws.choice(ROUNDS)}"\n'
        f'retrain = "{draws.choice(RETRAININGS[1:])}"',
        f'criterion = "lamp"\nat = "end"\nretrain = {json.dumps(draws.sample(RETRAININGS, 2))}',
        f'criterion = "magnitude"\nrounds = {draws.choice(DURING)}',
    ]
    network = draws.choice(["tiny-cnn", "lenet-300-100"])
    lines = [
        f'name = "soak-{number}"',
        'data = { name = "digits" }',
        f'model = {{ name = "{network}" }}',
        f"train = {{ epochs = {draws.choice([2, 3, 4])}, batch_size = 64, lr = {draws.choice([0.02, 0.05, 0.1])} }}",
        f"sweep = {{ sparsities = [0.0, {draws.choice([0.5, 0.6])}, {draws.choice([0.8, 0.9])}], "
        f"seeds = [{draws.randrange(1000)}] }}",
        *(f"[[prune]]\n{arm}" for arm in draws.sample(arms, 2)),
    ]
    return "\n".join(lines) + "\n"


@dataclass(kw_only=True)
class Memory:
    """The largest resident memory of runs and of workers while a study was made, in MB."""

    run: float = 0.0
    worker: float = 0.0

    def look(self, place: Path) -> None:
        """Read it for every process of the study's runs."""
        for pid, _, command in processes(place):
            with contextlib.suppress(OSError, StopIteration, ValueError):
                status = Path(f"/proc/{pid}/status").read_text().splitlines()
                used = next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmRSS"))
                if NURSERY in command:
                    self.worker = max(self.worker, used)
                elif COMMAND in command:
                    self.run = max(self.run, used)


@dataclass(kw_only=True)
class Leg:
    """What one study after another left in a folder."""

    folder: Path
    draws: random.Random
    counts: Counter[str] = field(default_factory=Counter)
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)
    deck: list[str] = field(default_factory=list)
    """What is left of the disturbances, before each of them comes again."""

    @property
    def store(self) -> Path:
        return self.folder / "store"

    def started(self, place: Path, *words: str, store: Path | None = None, out: str = "out.json") -> bool:
        """Start a command whose processes are known by the folder of the study."""
        words = (*words, "--store", str(store or self.store))
        self.running.append(begun(words, mark=place, folder=place, out=place / out, log=place / "log"))
        return True

    def run(self, place: Path, out: str = "out.json", store: Path | None = None) -> bool:
        """Start a run of the study in a folder."""
        words = ["run", "study.toml", "--json", "-q", "--jobs", "2", "--device", "cpu", "-o", out.removesuffix(".json")]
        return self.started(place, *words, store=store, out=out)

    def made(self, number: int, memory: Memory) -> int:
        """Make one study while it is disturbed; the number of rows and artefacts that are not as they should be."""
        place = self.folder / f"study-{number}"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        (place / "study.toml").write_text(study(self.draws, number))
        before = artefacts_of(self.store)
        self.run(place)
        main = self.running[-1]
        begun = time.monotonic()
        for _ in range(self.draws.randint(1, 4)):
            pause = time.monotonic() + self.draws.uniform(1.0, 12.0)
            while time.monotonic() < pause and main.poll() is None:
                memory.look(place)
                time.sleep(0.3)
            if main.poll() is None:
                self._disturb(place, self._drawn())
            main = self._again(place, main)
        while (main := self._again(place, main)).poll() is None:
            memory.look(place)
            time.sleep(0.3)
            if time.monotonic() - begun > HANGING_S:
                raise SystemExit(f"HANGS: {place}: {(place / 'log').read_text()[-4000:]}")
        for other in self.running:
            other.terminate()
            other.wait()
        self.running.clear()
        wrong = self._wrong(place, before)
        if not wrong:
            shutil.rmtree(place)
        return wrong

    def _again(self, place: Path, main: subprocess.Popen[bytes]) -> subprocess.Popen[bytes]:
        """The run; a new one in the place of one that was ended."""
        if main.poll() in (None, 0):
            return main
        if main.poll() == WRONG_STUDY:
            raise SystemExit((place / "log").read_text()[-1000:])
        self.counts["started again"] += 1
        self.run(place)
        return self.running[-1]

    def _drawn(self) -> str:
        if not self.deck:
            self.deck = self.draws.sample(DISTURBANCES, len(DISTURBANCES))
        return self.deck.pop()

    def _disturb(self, place: Path, kind: str) -> None:
        if kind in KILLS:
            happened = killed(place, kind, "", self.draws)
        elif kind in SIGNALS:
            happened = bool(runs := [pid for pid, _, text in processes(place) if COMMAND in text])
            if runs:
                os.kill(self.draws.choice(runs), SIGNALS[kind])
        elif kind == "full disk":
            happened = self._filled()
        elif kind == "two runs":
            happened = self.run(place, "second.json")
        elif kind == "gc":
            happened = self.started(place, "cache", "gc", "--yes", out="gc.txt")
        else:
            happened = self.started(place, "report", "study.toml", "--watch", "--every", "1", out="watch.txt")
        self.counts[kind] += happened
        print(f"{time.strftime('%T')} {place.name} {kind}", flush=True)

    def _filled(self) -> bool:
        """Leave no byte on the disk for some seconds. False, and nothing done, on a large one."""
        free = shutil.disk_usage(self.folder).free
        if free > SMALL_DISK:
            return False
        filler = self.folder / "filler"
        with contextlib.suppress(OSError), filler.open("wb") as file:
            while True:
                file.write(bytes(2**20))
        time.sleep(self.draws.uniform(0.5, 4.0))
        filler.unlink()
        return True

    def _wrong(self, place: Path, before: dict[str, dict[str, str]]) -> int:
        """Differences from a calm run in a fresh store, and artefacts that are gone or changed."""
        calm = place / "calm"
        self.run(place, "calm.json", store=calm)
        if self.running.pop().wait() != 0:
            raise SystemExit(f"an undisturbed run failed: {(place / 'log').read_text()[-4000:]}")
        after, sound = artefacts_of(self.store), artefacts_of(calm)
        gone = sum(after.get(key) != files for key, files in before.items())
        rows, expected = (rows_of(place / name) for name in ("out.json", "calm.json"))
        wrong = sum(row != other for row, other in zip(rows, expected, strict=True))
        wrong += sum(after.get(key) != files for key, files in sound.items())
        self.counts["artefacts lost"] += gone
        self.counts["rows and artefacts wrong"] += wrong
        return gone + wrong


@dataclass(kw_only=True)
class Past:
    """All legs up to now."""

    minutes: float = 0.0
    studies: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    memory: list[list[int]] = field(default_factory=list)
    """Of each study the largest memory of a run and of a worker, in MB."""


def main() -> None:
    """One leg."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    kept = asked.folder / "soak.json"
    past = Past(**json.loads(kept.read_text())) if kept.exists() else Past()
    leg = Leg(folder=asked.folder.resolve(), draws=random.Random(asked.seed), counts=Counter(past.counts))
    begun, before = time.monotonic(), past.minutes
    while past.minutes - before < asked.minutes:
        memory = Memory()
        if leg.made(past.studies, memory):
            print(f"WRONG: see {leg.folder}/study-{past.studies}", flush=True)
        past.studies += 1
        past.memory.append([round(memory.run), round(memory.worker)])
        past.counts, past.minutes = dict(leg.counts), round(before + (time.monotonic() - begun) / 60, 1)
        kept.write_text(json.dumps(asdict(past)))
    third = max(1, len(past.memory) // 3)
    print(f"{past.minutes} minutes, {past.studies} studies: {past.counts}")
    for place, name in enumerate(("run", "worker")):
        early, late = (median(each[place] for each in part) for part in (past.memory[:third], past.memory[-third:]))
        print(f"largest memory of a {name}, median of the first third {early:.0f} MB, of the last {late:.0f} MB")


if __name__ == "__main__":
    main()
