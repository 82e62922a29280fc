"""What a whole study takes from the prompt, against a script that trains every trial by itself with a plain loop.

    pip install -e .
    python bench/sharing.py [--data DIR] [--parts lottery grid] [--size 1.0] [--repeats 1]

Both studies train LeNet-300-100 on MNIST, one epoch a training. lottery: iterative magnitude pruning with rewinding,
10 levels, 3 seeds. grid: 4 criteria, 5 sparsities, 4 ablations, 3 seeds, at initialization. The script would train the
dense network of every trial, and every level up to it, again: the steps of that are counted by `prunectl plan`. Its
time is theirs at the speed of a plain PyTorch loop (DataLoader, torchvision's transforms, SGD), measured in the same
run with as many processes at once; reading, scoring and measuring are given to it for nothing. `--size` scales the
number of training images, to try the benchmark.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from engine import GRID, LENET, Bench, loop_rate, seeds
from training import BATCH

from prunectl.api.session import open_study
from prunectl.plan.cost import training_steps

LOTTERY = """
[[prune]]
criterion = "magnitude"
at = "end"
rounds = { name = "iterative", rate = 0.2 }
retrain = "weight-rewind"
"""
LEVELS = [round(1 - 0.8**level, 6) for level in range(1, 11)]


def lottery(limit: str) -> str:
    """Ten levels, each with 80 % of the weights of the one before."""
    return LENET.format(limit=limit, epochs=1, sparsities=[0.0, *LEVELS], seeds=seeds(3, 1.0), arms=LOTTERY)


def grid(limit: str) -> str:
    """The ablations of Frankle et al. (2021)."""
    return LENET.format(limit=limit, epochs=1, sparsities=[0.5, 0.8, 0.9, 0.95, 0.98], seeds=seeds(3, 1.0), arms=GRID)


PARTS = {"lottery": lottery, "grid": grid}


def from_the_prompt(study: Path, data: Path, jobs: int) -> float:
    """Seconds of `prunectl run`, in a new process and an empty store, up to the written report."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", "from prunectl.cli.start import main; main()", "run", str(study), "-q"]
        command += ["--data", str(data), "--store", f"{folder}/store", "-o", f"{folder}/out", "--jobs", str(jobs)]
        begun = time.perf_counter()
        subprocess.run([*command, "--device", "cpu"], check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - begun


def measured(name: str, data: Path, jobs: int, repeats: int, size: float) -> None:
    """Both ways in turns."""
    with tempfile.TemporaryDirectory() as folder:
        study = Path(folder) / "study.toml"
        study.write_text(PARTS[name]("" if size >= 1 else f"train_limit = {round(60_000 * size)}"))
        counted = training_steps(open_study(study, data=data).plan)
        ours: list[float] = []
        plain: list[float] = []
        for _ in range(repeats):
            ours.append(from_the_prompt(study, data, jobs))
            rate = loop_rate("lenet-300-100", Bench(data=data, jobs=jobs, repeats=1), "plain")
            plain.append(BATCH * counted["training_steps_unshared"] / rate)
    shared, alone = counted["training_steps"], counted["training_steps_unshared"]
    print(
        f"{name}: {shared:,} training steps instead of {alone:,} ({alone / shared:.2f} times as many); "
        f"{median(ours):.0f} s from the prompt, {median(plain):.0f} s for a plain loop to train every trial, ratio "
        f"{median(other / own for own, other in zip(ours, plain, strict=True)):.1f}",
        flush=True,
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """A line for each study."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--size", type=float, default=1.0)
    asked = parser.parse_args(arguments)
    for name in asked.parts:
        measured(name, asked.data, asked.jobs, asked.repeats, asked.size)


if __name__ == "__main__":
    main()
