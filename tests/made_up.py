"""Results that nobody measured: as a study of this size would leave them, made from a formula and fixed noise."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl

from prunectl.plan.graph import Placed
from prunectl.plan.resolve import arms_of, dense_of
from prunectl.results.table import CURVES, LAYERS, RESOURCES, SCHEMA, Results, Task
from prunectl.results.table_files import to_csv, to_json, to_parquet
from prunectl.study.load import LoadedStudy, load

STUDY = """\
name = "made-up"
title = "VGG-16 pruned at initialization"
source = "Frankle et al. (2021), Pruning neural networks at initialization: why are we missing the mark?"

[data]
name = "cifar10"
augment = ["pad-crop", "flip"]

[model]
name = "vgg16"

[train]
epochs = 80
batch_size = 128
lr = 0.1
schedule = { name = "step", milestones = [40, 60], gamma = 0.1 }

[sweep]
sparsities = [0.0, 0.3, 0.6, 0.9, 0.98]
seeds = SEEDS

[[prune]]
criterion = ["random", "magnitude", "snip", "synflow"]
ablation = ["none", "shuffle", "reinit", "invert"]

[[prune]]
criterion = "magnitude"
at = "end"
retrain = ["none", "finetune"]

[[claim]]
text = "Shuffling within layers does not hurt SNIP"
better = { criterion = "snip", ablation = "shuffle" }
than = { criterion = "snip", ablation = "none" }
margin = -0.005

[[claim]]
text = "SynFlow beats magnitude at initialization at 98 %"
better = { criterion = "synflow", ablation = "none" }
than = { criterion = "magnitude", ablation = "none", at = "init" }
at_sparsity = 0.98

[[claim]]
text = "Inverting does no harm"
better = { criterion = "magnitude", ablation = "invert" }
than = { criterion = "magnitude", ablation = "none", at = "init" }
margin = -0.01
"""

LAYER_SIZES = {
    **{f"features.{index}": size for index, size in enumerate(
        [1728, 36864, 73728, 147456, 294912, 589824, 589824, 1179648, 2359296, 2359296, 2359296, 2359296, 2359296]
    )},
    "classifier": 5120,
}  # fmt: skip
TOTAL = sum(LAYER_SIZES.values())
HARM = {"none": 0.0, "random": 0.9, "magnitude": 0.55, "snip": 0.45, "synflow": 0.4}
ABLATED = {"none": 0.0, "shuffle": 0.02, "reinit": 0.05, "invert": 1.5}


def study(text: str = STUDY, seeds: int = 5) -> LoadedStudy:
    """A study read from a text, as from a file."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "made_up.toml"
        path.write_text(text.replace("SEEDS", str(list(range(1, seeds + 1)))), encoding="utf-8")
        return load(path)


def results(text: str = STUDY, seeds: int = 5, failed: int = 2, epochs: int = 80) -> Results:
    """Results of a study with `failed` of its sparsest trials failed."""
    loaded = study(text, seeds)
    placed = arms_of(loaded.study, dense_of(loaded.study, loaded.study.data.dataset.declared("f" * 64)))
    rows = [
        trial(arm, sparsity, seed)
        for arm in placed
        for seed in loaded.study.sweep.seeds_of()
        for sparsity in (loaded.study.sweep.asked if arm.arm.criterion.prunes else (0.0,))
    ]
    for row in [row for row in rows if row["sparsity"] == 0.98][:failed]:
        row |= dict.fromkeys(list(SCHEMA)[list(SCHEMA).index("loss") : -3])
        row |= {"sparsity_actual": None, "compression_actual": None, "compression_error": None, "top1": None}
        row |= {"top5": None, "status": "failed", "reason": "the loss is not finite at step 12 (lr 0.1)"}
    trials = pl.DataFrame(rows, schema=SCHEMA)
    return Results(
        study=loaded.study,
        arms={each.arm.label: each for each in placed},
        study_text=loaded.text,
        task=Task(classes=10, images=10_000),
        trials=trials,
        layers=pl.DataFrame(list(layers(rows)), schema=LAYERS),
        curves=pl.DataFrame(list(curves(rows, epochs)), schema=CURVES),
        resources=pl.DataFrame(resources(rows), schema=RESOURCES),
        versions={"prunectl": "0.1.0", "torch": "2.15.0", "python": "3.12.4", "hardware": "Tesla T4, 2 cores"},
    )


def draw(*what: object) -> random.Random:
    """A generator for one purpose, the same on every machine."""
    return random.Random(hashlib.sha256(repr(what).encode()).digest())


def trial(placed: Placed, sparsity: float, seed: int) -> dict[str, Any]:
    """One row of the table."""
    arm = placed.arm
    criterion, ablation, retrain = arm.criterion.name, arm.ablation.name, arm.retrain.name
    dense = 0.935 + draw("dense", seed).gauss(0, 0.0015)
    noise = draw(arm.label, sparsity, seed).gauss(0, 0.0025)
    harm = HARM[criterion] * (1 + ABLATED[ablation] * (0.2 if criterion == "synflow" else 1))
    if retrain != "none":
        harm *= {"finetune": 0.25, "lr-rewind": 0.18, "weight-rewind": 0.2}[retrain] / (placed.share or 1) ** 0.4
    elif placed.at_end:
        harm *= 1.6
    top1 = max(0.1, dense - harm * 0.12 * sparsity**6 - harm * 0.02 * sparsity + noise) if sparsity else dense
    if not arm.criterion.prunes:
        top1 = dense + 0.004 + noise
    collapsed = criterion == "random" and sparsity > 0.95 and ablation == "invert"
    top1 = 0.1 if collapsed else top1
    kept = round(TOTAL * (1 - sparsity))
    before = max(0.1, top1 - 0.4 * sparsity**4) if retrain == "finetune" and sparsity else None
    identity = ("dense", seed) if sparsity == 0 and arm.criterion.prunes else (arm.label, sparsity, seed)
    return dict.fromkeys(SCHEMA) | {
        "study": "made-up", "arm": arm.label, "model": "vgg16", "dataset": "cifar10", **arm.columns(), "seed": seed,
        "sparsity": sparsity, "sparsity_actual": 1 - kept / TOTAL, "compression": 1 / (1 - sparsity),
        "compression_actual": TOTAL / kept, "compression_error": TOTAL / kept * (1 - sparsity) - 1,
        "top1": top1, "top5": min(1.0, 0.8 + top1 * 0.21), "loss": 2.3 * (1 - top1) + 0.1, "ece": (1 - top1) / 4,
        "top1_dense": dense, "top1_before_retrain": before, "n_params": TOTAL + 8458, "n_nonzero": kept + 8458,
        "n_effective": round(kept * (1 - 0.03 * sparsity)), "layers_collapsed": ["features.12"] if collapsed else [],
        "flops": 6.26e8 * (1 - 0.8 * sparsity), "flops_dense": 6.26e8, "size_bytes": 4 * kept + 40_000,
        "size_bytes_dense": 4 * TOTAL + 40_000, "train_s": 1800 + draw("s", *identity).random() * 60,
        "score_s": 1.5 if criterion != "magnitude" and sparsity else None, "device": "cuda (Tesla T4)",
        "status": "done", "artefact": hashlib.sha256(repr(identity).encode()).hexdigest(),
    }  # fmt: skip


def layers(rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """What each trial's mask leaves of each layer; the deeper, the less."""
    for row in rows:
        for index, (name, n) in enumerate(LAYER_SIZES.items()):
            depth = index / len(LAYER_SIZES)
            lean = (
                (0.5 - depth) * (-1 if row["ablation"] == "invert" else 1) * (0 if "random" in row["criterion"] else 1)
            )
            kept = round(n * min(1.0, (1 - row["sparsity"]) ** (1 - lean)))
            if name in (row["layers_collapsed"] or ()):
                kept = 0
            if row["status"] == "done":
                yield {name: row[name] for name in ("arm", "criterion", "ablation", "sparsity", "seed")} | {
                    "layer": name, "index": index, "n": n, "kept": kept,
                }  # fmt: skip


def curves(rows: list[dict[str, Any]], epochs: int) -> Iterator[dict[str, Any]]:
    """A training curve per artefact, in three stages as the schedule has them."""
    for row in {row["artefact"]: row for row in rows if row["status"] == "done"}.values():
        noise = draw("curve", row["artefact"])
        for epoch in range(1, epochs + 1):
            stage = (epoch > epochs / 2) + (epoch > epochs * 0.75)
            reached = row["top1"] * (1 - 0.5 * 0.93**epoch) - (0.12, 0.012, 0)[stage] * (1 + noise.gauss(0, 0.3))
            test = min(1.0, max(0.1, reached))
            yield {
                "artefact": row["artefact"], "epoch": float(epoch), "step": epoch * 391, "lr": 0.1 ** (1 + stage),
                "train_loss": 2.3 * (1 - reached), "test_loss": 2.4 * (1 - reached), "top1": test,
                "train_top1": min(1.0, test + 0.04),
            }  # fmt: skip


def resources(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A row per kind of step and criterion."""
    criteria = list(dict.fromkeys(row["criterion"] for row in rows))
    trainings = len({row["artefact"] for row in rows})

    def kind(name: str, criterion: str | None, steps: int, each_s: float, shared: int) -> dict[str, Any]:
        return {
            "kind": name, "criterion": criterion, "steps": steps, "made": steps // 3, "reused": steps - steps // 3,
            "wall_s": steps * each_s, "cpu_s": steps * each_s * 1.7,
            "energy_j": steps * each_s * 62.0, "metered": steps, "peak_bytes": 2_400_000_000,
            "unshared": steps * shared, "unshared_s": steps * each_s * shared, "device": "cuda (Tesla T4)",
        }  # fmt: skip

    return [
        kind("init", None, 10, 0.2, 20),
        kind("train", None, trainings, 1830.0, 2),
        *(kind("score", name, 10, 4.0 if name != "synflow" else 75.0, 8) for name in criteria),
        *(kind("prune", name, 40, 0.4, 1) for name in criteria),
        kind("shuffle", None, 80, 0.3, 1),
        kind("measure", None, len(rows), 2.1, 1),
    ]


def write_table(trials: pl.DataFrame, path: Path) -> None:
    """A table as a results file, in the format that its name ends with."""
    writers: dict[str, Callable[[pl.DataFrame], str | bytes]] = {
        ".csv": to_csv,
        ".json": to_json,
        ".parquet": to_parquet,
    }
    content = writers[path.suffix](trials)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
