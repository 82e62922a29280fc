"""What a run costs around its steps: long-lived workers against a process for each step, in the same run.

    pip install -e .
    python bench/engine.py [--data DIR] [--repeats 3] [--jobs 2] [--parts short small chain grid] [--size 1.0]

short: 200 short trainings of the tiny CNN on the included digits, in images and small steps a second.
small: 38 small steps of the tiny CNN on CIFAR-10, up to the masks; also beyond importing torch and reading the data.
chain: LeNet-300-100 on MNIST, dense, pruned, and trained again from the start, for 2 epochs each.
grid:  4 criteria, 5 sparsities, 4 ablations, 3 seeds of it, one epoch each, against the training steps alone.

The two engines take turns, each from nothing: a new process imports torch, in an empty store. Medians and their ratio
are printed. `--size` scales the number of seeds (and the images of a grid), to try the benchmark.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median

from training import BATCH, STEPS, WARM, worker

from prunectl.api.check import check
from prunectl.api.machine import Machine
from prunectl.api.run import complete, reach
from prunectl.api.session import Session, open_study
from prunectl.catalog.executor import Executor
from prunectl.execute.driver import Tally
from prunectl.execute.local import Local, LocalEngine
from prunectl.execute.outcome import Request
from prunectl.execute.started import close_idle
from prunectl.plan.stage import Stage
from prunectl.plan.steps import Data, Train

TINY = """
name = "bench"
[data]
name = "{data}"
[model]
name = "tiny-cnn"
[train]
epochs = 1
batch_size = 64
lr = 0.1
optimizer = {{ name = "sgd", momentum = 0.9 }}
[sweep]
sparsities = {sparsities}
seeds = {seeds}
[[prune]]
criterion = {criteria}
at = "init"
"""

LENET = """
name = "bench"
[data]
name = "mnist"
{limit}
[model]
name = "lenet-300-100"
[train]
epochs = {epochs}
batch_size = 128
lr = 0.1
optimizer = {{ name = "sgd", momentum = 0.9 }}
[sweep]
sparsities = {sparsities}
seeds = {seeds}
{arms}
"""

REWIND = """
[[prune]]
criterion = "magnitude"
at = "end"
retrain = { name = "weight-rewind", to = { epoch = 0 } }
"""

GRID = """
[[prune]]
criterion = ["random", "magnitude", "snip", "synflow"]
at = "init"
ablation = ["none", "shuffle", "reinit", "invert"]
"""


class OneStepEach(LocalEngine):
    """The first version's way: each step in a process that reads and verifies the data for itself.

    As there, torch is imported once, with its compiler, by the process that the others are forked from.
    """

    def start(self, request: Request) -> None:
        for idle in [held for held in self.workers.values() if held.request is None]:
            self._forget(idle)
        super().start(request)

    def _share(self, data: Sequence[Data], root: Path) -> None:
        """Nothing is read for all."""


class ProcessAStep(Executor):
    """The engine that workers are compared with."""

    name = "process-a-step"
    summary = "a new process for each step"

    def engine(self, jobs: int, imports: Sequence[str]) -> LocalEngine:
        return OneStepEach(jobs, [*imports, "torch._dynamo"])


@dataclass(frozen=True, kw_only=True)
class Took:
    """One run: seconds, its steps, and those of them that train."""

    wall_s: float
    steps: int
    trainings: int
    train_steps: int


@dataclass(frozen=True, kw_only=True)
class Bench:
    """What is measured, and how often."""

    data: Path
    jobs: int
    repeats: int
    engines: tuple[Executor, ...] = (Local(), ProcessAStep())

    def run(self, text: str, executor: Executor, stage: Stage = "retrain") -> Took:
        """Do a study from nothing."""

        def act(session: Session, machine: Machine) -> Tally:
            done = complete(session, machine) if stage == "retrain" else reach(session, stage, machine)
            return done.tally

        with tempfile.TemporaryDirectory() as folder:
            close_idle()
            session, machine, begun = self._opened(text, Path(folder), executor)
            tally = act(session, machine)
            wall_s = time.perf_counter() - begun
        assert not tally.failed, tally.failed
        steps = [session.plan.steps[key] for key in tally.done]
        trainings = [step for step in steps if isinstance(step, Train)]
        train_steps = sum(step.to_step - step.first_step for step in trainings)
        return Took(wall_s=wall_s, steps=len(steps), trainings=len(trainings), train_steps=train_steps)

    def import_and_read_s(self, text: str) -> float:
        """What a run costs before its first step: a new process, torch, the data once, the check of the study."""
        with tempfile.TemporaryDirectory() as folder:
            close_idle()
            session, machine, begun = self._opened(text, Path(folder), Local())
            check(session, machine)
            return time.perf_counter() - begun

    def _opened(self, text: str, folder: Path, executor: Executor) -> tuple[Session, Machine, float]:
        file = folder / "study.toml"
        file.write_text(text)
        begun = time.perf_counter()
        executor.start_early()
        session = open_study(file, store=folder / "store", data=self.data)
        return session, Machine(device="cpu", jobs=self.jobs, executor=executor), begun

    def compared(self, name: str, text: str, stage: Stage = "retrain") -> list[list[Took]]:
        """Both engines in turns; prints medians and their ratio. Returns the runs of each."""
        runs = [[self.run(text, executor, stage) for executor in self.engines] for _ in range(self.repeats)]
        ours, theirs = (median(took.wall_s for took in column) for column in zip(*runs, strict=True))
        ratio = median(other.wall_s / took.wall_s for took, other in runs)
        print(
            f"{name}: {runs[0][0].steps} steps, {runs[0][0].trainings} of them train; workers {ours:.2f} s, "
            f"a process a step {theirs:.2f} s, ratio {ratio:.2f}"
        )
        return [list(column) for column in zip(*runs, strict=True)]


def seeds(most: int, size: float) -> list[int]:
    """The seeds of a study."""
    return list(range(1, max(1, round(most * size)) + 1))


def short(bench: Bench, size: float) -> None:
    """Images and small steps a second of many short trainings: a dense one and one at 50 % for each seed."""
    text = TINY.format(data="digits", sparsities=[0.0, 0.5], seeds=seeds(100, size), criteria=["magnitude"])
    for executor, took in zip(bench.engines, bench.compared("short", text), strict=True):
        wall_s, of = median(each.wall_s for each in took), took[0]
        print(
            f"short, {executor.name}: {64 * of.train_steps / wall_s:,.0f} images/s, "
            f"{(of.steps - of.trainings) / wall_s:,.1f} small steps/s"
        )


def small(bench: Bench, size: float) -> None:
    """38 small steps on CIFAR-10."""
    text = TINY.format(
        data="cifar10",
        sparsities=[0.5, 0.8, 0.9, 0.95, 0.98],
        seeds=seeds(2, size),
        criteria=["magnitude", "snip", "grasp"],
    )
    ours = median(took.wall_s for took in bench.compared("small", text, "prune")[0])
    before = median(bench.import_and_read_s(text) for _ in range(bench.repeats))
    print(f"small: {before:.2f} s to import torch and to read the data, {ours - before:.2f} s beyond that")


def chain(bench: Bench, size: float) -> None:
    """Dense, pruned, trained again."""
    limit = "" if size >= 1 else f"train_limit = {round(60_000 * size)}"
    bench.compared("chain", LENET.format(limit=limit, epochs=2, sparsities=[0.9], seeds=[1], arms=REWIND))


def grid(bench: Bench, size: float) -> None:
    """A grid of short trainings, against the loop's own speed in as many processes."""
    limit = "" if size >= 1 else f"train_limit = {round(60_000 * size)}"
    text = LENET.format(limit=limit, epochs=1, sparsities=[0.5, 0.8, 0.9, 0.95, 0.98], seeds=seeds(3, size), arms=GRID)
    ratios, walls = [], []
    for _ in range(bench.repeats):
        rate = loop_rate("lenet-300-100", bench)
        took = bench.run(text, Local())
        walls.append(took.wall_s)
        ratios.append(took.wall_s / (BATCH * took.train_steps / rate))
    print(
        f"grid: {took.steps} steps, {took.trainings} of them train; {median(walls):.2f} s, "
        f"{median(ratios):.2f} times what its training steps cost alone ({rate:,.0f} images/s)"
    )


def loop_rate(network: str, bench: Bench, kind: str = "ours") -> float:
    """Images per second of a training loop alone ("ours" or "plain"), in as many processes as there are workers."""
    context, ends = get_context("spawn"), list[Connection]()
    for _ in range(bench.jobs):
        here, there = context.Pipe()
        context.Process(target=worker, args=(there, kind, network, bench.data), daemon=True).start()
        ends.append(here)
    rates: list[float] = []
    for steps in (WARM, 5 * STEPS[network]):
        for end in ends:
            end.send(steps)
        rates = [end.recv() for end in ends]
    for end in ends:
        end.send(0)
    return sum(rates)


PARTS: dict[str, Callable[[Bench, float], None]] = {"short": short, "small": small, "chain": chain, "grid": grid}


def main() -> None:
    """Measure the parts that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--parts", nargs="+", default=list(PARTS), choices=PARTS)
    parser.add_argument("--size", type=float, default=1.0)
    asked = parser.parse_args()
    bench = Bench(data=asked.data, jobs=asked.jobs, repeats=asked.repeats)
    for part in asked.parts:
        PARTS[part](bench, asked.size)


if __name__ == "__main__":
    main()
