"""A study in sentences, each computed. No sentence judges from one seed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from prunectl.base.cells import words
from prunectl.base.text import and_list, count, energy, percent, plural, points, seconds
from prunectl.results import ablations
from prunectl.results.aggregate import (
    Roles,
    ablation_differences,
    baselines,
    collapses,
    controls,
    pruned,
    roles,
)
from prunectl.results.chance import all_guess, in_words
from prunectl.results.coverage import coverage, seeds_by_arm
from prunectl.results.pairing import groups
from prunectl.results.ranking import Best, best, name_of
from prunectl.results.statistics import FEWEST, Center, bootstrap, center, kinds_of_interval, mean, t_interval
from prunectl.results.table import Task

if TYPE_CHECKING:
    from prunectl.plan.graph import Placed

RANKED = 12
"""The maximum number of arms that are ranked by critical compression."""

NAMED = 4
"""The maximum number of arms that a sentence about arms at chance names."""

HIT = 0.005
"""How far a compression may be from the one asked for, as a share of it, to count as reached."""


def sentences(
    trials: pl.DataFrame, of: Center = "mean", names: Mapping[str, str] | None = None, task: Task | None = None
) -> tuple[str, ...]:
    """What the trials show: coverage, baseline, the best at each sparsity, ablations, and the notes.

    Accuracies are means or medians over the seeds, differences and their intervals always means. `names` are the
    labels that the study gives its arms, `task` is what the networks are measured on.
    """
    if trials.is_empty():
        return ("The study asks for no trial.",)
    return (
        coverage(trials),
        *_baseline(trials, of, task),
        *_best(best(trials, of, names, task=task)),
        *map(_ablation, ablated(trials, names, task)),
        *notes(trials, of, task),
    )


def notes(trials: pl.DataFrame, of: Center = "mean", task: Task | None = None) -> tuple[str, ...]:
    """What a reader of the figures should know in addition: controls, collapse, compression, what numbers are."""
    if trials.is_empty():
        return ("The study asks for no trial.",)
    return (
        *_controls(trials),
        *_collapse(trials),
        *(_at_chance(trials, task) if task is not None else ()),
        *critical(trials, of),
        *_compression(trials),
        *_reservations(trials),
        *_kinds(trials, of),
    )


def _kinds(trials: pl.DataFrame, of: Center) -> Iterator[str]:
    """What accuracies and differences are, and what their intervals are worth."""
    by_arm = seeds_by_arm(trials)
    if max(by_arm) == 1:
        yield "One seed settles nothing, so nothing is judged."
        return
    if of == "mean":
        yield "Accuracies and differences are means over the seeds."
    else:
        yield f"Accuracies are {of}s over the seeds, differences are means."
    if max(by_arm) < FEWEST:
        yield "Two seeds have no interval, and settle nothing."
        return
    done = trials.filter(pl.col("status") == "done")
    yield kinds_of_interval(max(FEWEST, min(done["seed"].n_unique(), *by_arm)), of)


def _baseline(trials: pl.DataFrame, of: Center, task: Task | None) -> Iterator[str]:
    several = trials["init"].n_unique() > 1
    for (model, dataset, init), dense in groups(baselines(trials), ["model", "dataset", "init"]):
        numbers, spent = dense["top1_dense"].to_list(), dense["train_s"].drop_nulls().to_list()
        drawn = f" drawn by {words(init)}" if several and init is not None else ""
        text = f"Dense {words(model)}{drawn} on {words(dataset)}: {percent(center(numbers, of), 2)}"
        if (interval := bootstrap(numbers, of)) is not None:
            text += _bracket(interval.low, interval.high)
        size = dense["n_params"].drop_nulls().to_list()
        text += f", {count(size[0])} parameters" if size else ""
        text += f", {seconds(mean(spent))} of training" if spent else ""
        text += ", at chance" if all_guess(dense, task, "top1_dense") else ""
        yield text + "."


def _controls(trials: pl.DataFrame) -> Iterator[str]:
    """What the dense network gains by the time that pruned ones are retrained."""
    for (arm,), rows in groups(controls(trials), ["arm"]):
        known = rows.filter(pl.col("top1").is_not_null() & pl.col("top1_dense").is_not_null())
        if known.is_empty():
            continue
        changes = (known["top1"] - known["top1_dense"]).to_list()
        interval = t_interval(changes)
        text = f"Retrained without pruning ({arm.removeprefix('dense · ')}), the dense network changes by "
        text += points(mean(changes), sign=True)
        if interval is None:
            text += f" ({plural(len(changes), 'seed')}: not judged)"
        else:
            low, high = (points(bound, sign=True, unit=False) for bound in (interval.low, interval.high))
            text += f" ({low} to {high})"
        yield f"{text}."


def _best(found: Iterable[Best]) -> Iterator[str]:
    for row in found:
        highest = f"{row.arm}, {percent(row.center, 2)}"
        if row.none_above_chance:
            yield f"No arm is better than guessing at {percent(row.sparsity)} sparsity. The highest: {highest}."
            continue
        text = f"Best at {percent(row.sparsity)} sparsity: {highest}{' (at chance)' if row.at_chance else ''}"
        text += f", {against_dense(row.change)}" if row.change is not None else ""
        following = f"{percent(row.next_center, 2)}{' (at chance)' if row.next_at_chance else ''}"
        lead = f", {row.lead}" if row.lead else ""
        yield f"{text}. Next: {row.next}, {following}{lead}."


def against_dense(change: float) -> str:
    """A difference to the dense network in words."""
    return f"{points(change, sign=True)} to dense"


def _bracket(low: float, high: float) -> str:
    return f" ({low * 100:.2f} to {high * 100:.2f})"


@dataclass(frozen=True, kw_only=True)
class Ablated:
    """What an ablation does to the accuracy of all the arms that it was made of, case by case."""

    noun: str  # 'shuffling'
    change: float  # on average over the cases
    cases: int
    judged: int  # cases with an interval
    worse: int
    better: int
    why: str  # why no case has an interval; empty where some have
    most: str  # the case that is worse by most, in words; empty without one
    guessing: int  # cases in which the ablated and the unmodified networks are at chance: not judged

    @property
    def counts(self) -> str:
        """In how many cases it is worse, and in how many better."""
        if self.why:
            return f"{plural(self.cases, 'case')}, {self.why}: not judged"
        guess = f"; {self.guessing} not judged, with every network at chance" if self.guessing else ""
        return f"{plural(self.judged, 'case')}: {self.worse} worse, {self.better} better{guess}"


def ablated(
    trials: pl.DataFrame, names: Mapping[str, str] | None = None, task: Task | None = None
) -> Iterator[Ablated]:
    """Each ablation of the study, against the same arms unmodified."""
    role = roles(trials, names)
    for (ablation,), rows in groups(ablation_differences(trials, role, task), ["ablation"]):
        guess = pl.col("at_chance").fill_null(value=False) & pl.col("unmodified_at_chance").fill_null(value=False)
        able = rows.filter(~guess)
        judged = able.filter(pl.col("low").is_not_null())
        worse = judged.filter(pl.col("high") < 0).sort("mean")
        few = {1: "one seed", 2: "two seeds"}.get(max(rows["n"].to_list()), "no spread over the seeds")
        few = "every network at chance" if able.is_empty() else few
        yield Ablated(
            noun=ablations.noun(ablation),
            change=mean(rows["mean"].to_list()),
            cases=rows.height,
            judged=judged.height,
            worse=worse.height,
            better=judged.filter(pl.col("low") > 0).height,
            why=few if judged.is_empty() else "",
            most="" if worse.is_empty() else _case(worse.row(0, named=True), role),
            guessing=rows.height - able.height,
        )


def _case(row: dict[str, Any], role: Roles) -> str:
    return f"{points(row['mean'], sign=True)}, {name_of(row, role)} at {percent(row['sparsity'])}"


def _ablation(found: Ablated) -> str:
    noun = f"{found.noun[:1].upper()}{found.noun[1:]}"
    most = f" Most: {found.most}." if found.most else ""
    return f"{noun}: {points(found.change, sign=True)} on average; {found.counts}.{most}"


def _collapse(trials: pl.DataFrame) -> Iterator[str]:
    known = trials.filter(pl.col("layers_collapsed").is_not_null() & (pl.col("sparsity") > 0))
    if known.is_empty():
        return
    found = collapses(known)
    if found.is_empty():
        yield "No layer is pruned away entirely in any trial."
        return
    arms = [
        f"{arm} from {percent(cell['sparsity'].to_list()[0])} on"
        for (arm,), cell in groups(found.sort("sparsity"), ["arm"])
    ]
    more = f" and {plural(len(arms) - 4, 'more arm')}" if len(arms) > 4 else ""
    yield (
        f"A layer is pruned away entirely in {found.height} of {plural(known.height, 'pruned trial')}: "
        f"{', '.join(arms[:4])}{more}."
    )


def _at_chance(trials: pl.DataFrame, task: Task) -> Iterator[str]:
    """Which arms are no better than guessing, with every seed, and at which sparsities."""
    known = pruned(trials).filter((pl.col("sparsity") > 0) & pl.col("top1").is_not_null())
    sparsities: dict[str, list[float]] = {}
    for (arm, sparsity), cell in groups(known.sort("sparsity", maintain_order=True), ["arm", "sparsity"]):
        if all_guess(cell, task):
            sparsities.setdefault(arm, []).append(sparsity)
    if not sparsities:
        return
    swept = {arm: own["sparsity"].unique().sort().to_list() for (arm,), own in groups(known, ["arm"])}
    arms = [f"{arm} {_guessed_at(own, swept[arm])}" for arm, own in sparsities.items()]
    more = f" and {plural(len(arms) - NAMED, 'more arm')}" if len(arms) > NAMED else ""
    yield f"At chance with every seed ({in_words(task)}): {', '.join(arms[:NAMED])}{more}."


def _guessed_at(sparsities: Sequence[float], swept: Sequence[float]) -> str:
    """'everywhere', 'from 75 % on', or the sparsities one by one where an arm is better at a higher one."""
    if len(sparsities) == len(swept):
        return "at every sparsity"
    if list(sparsities) == list(swept)[-len(sparsities) :]:
        return f"from {percent(sparsities[0])} on" if len(sparsities) > 1 else f"at {percent(sparsities[0])}"
    return f"at {and_list([percent(sparsity) for sparsity in sparsities])}"


def critical(trials: pl.DataFrame, of: Center = "mean") -> Iterator[str]:
    """The arms by critical compression, where it was asked for: as Tanaka et al. (2020), Figures 1 and 2, rank them."""
    computed = pl.col("critical_compression").is_not_null() & (pl.col("ablation") == "none")
    known = trials.filter(computed).unique(["arm", "seed"], maintain_order=True)
    if known.is_empty():
        return
    arms = [(center(rows["critical_compression"].to_list(), of), arm, rows) for (arm,), rows in groups(known, ["arm"])]
    ranked = [f"{arm} {_compressions(rows, of)}" for _, arm, rows in sorted(arms, key=lambda item: item[:2])]
    more = f", and {plural(len(ranked) - RANKED, 'more arm')} above them" if len(ranked) > RANKED else ""
    most = sorted({f"{number:,.4g}" for number in known["max_compression"]})
    yield (
        f"Critical compression, of the prunable weights, the highest at which no layer is empty, in ascending order "
        f"({of}s over the seeds): {'; '.join(ranked[:RANKED])}{more}. One weight for each layer would be "
        f"{and_list(most)}."
    )


def _compressions(rows: pl.DataFrame, of: Center) -> str:
    """The centre of the seeds, their range where they differ, and how they were computed."""
    numbers = rows["critical_compression"].to_list()
    low, high = f"{min(numbers):,.4g}", f"{max(numbers):,.4g}"
    span = "" if low == high else f"{low} to {high}, "
    return f"{center(numbers, of):,.4g} ({span}{and_list(rows['critical_by'].unique(maintain_order=True).to_list())})"


def _reservations(trials: pl.DataFrame) -> Iterator[str]:
    """What trials lack that are done: their baseline, counts that are not known."""
    known = trials.filter((pl.col("status") == "done") & pl.col("reason").is_not_null())
    for (reason,), cell in groups(known, ["reason"]):
        yield f"In {plural(cell.height, 'trial')} {reason}."


def _compression(trials: pl.DataFrame) -> Iterator[str]:
    errors = trials.filter(pl.col("compression_error").is_not_null() & (pl.col("sparsity") > 0))
    if errors.is_empty():
        return
    yield from _counted_in(errors)
    worst = errors.sort(pl.col("compression_error").abs(), descending=True).row(0, named=True)
    if abs(worst["compression_error"]) < HIT:
        yield "Every mask reaches the compression asked for to within 0.5 %."
        return
    yield (
        f"The compression reached is off by up to {percent(abs(worst['compression_error']), 1)} "
        f"({worst['arm']} at {percent(worst['sparsity'])})."
    )


def _counted_in(pruned: pl.DataFrame) -> Iterator[str]:
    """What sparsities are fractions of, where that is not the prunable weights: all the numbers at the sparsest."""
    row = pruned.sort("sparsity", maintain_order=True).row(-1, named=True)
    if row["sparsity_of"] != "all" or row["n_prunable"] is None:
        return
    total, prunable, left = row["n_params"], row["n_prunable"], row["n_nonzero"]
    yield (
        f"Sparsity and compression are of all {total:,} parameters, of which {prunable:,} may be pruned: at "
        f"compression {row['compression']:.4g} a network keeps {percent(left / total, 2)} of all parameters and "
        f"{percent((left - total + prunable) / prunable, 2)} of the prunable weights."
    )


def remarks(trials: pl.DataFrame, arms: Mapping[str, Placed]) -> tuple[str, ...]:
    """What readers have to know about masks of pruned trials, with the arms that it is about."""
    about: dict[str, list[str]] = {}
    pruned = set(trials.filter(pl.col("sparsity") > 0)["arm"])
    for label, placed in arms.items():
        if label in pruned and (remark := placed.arm.remark) is not None:
            about.setdefault(remark, []).append(label)
    return tuple(f"{remark} ({and_list(labels)})." for remark, labels in about.items())


def resources(frame: pl.DataFrame) -> tuple[str, ...]:
    """What the study cost, and what sharing saved."""
    if frame.is_empty():
        return ()
    steps, made, reused = (int(frame[name].sum()) for name in ("steps", "made", "reused"))
    wall, unshared = float(frame["wall_s"].sum()), float(frame["unshared_s"].sum())
    found = [
        f"{plural(steps, 'step')}: {made:,} made by this run, {reused:,} reused, {steps - made - reused:,} not there.",
        f"All of them together took {seconds(wall)} of wall time, whenever they were made.",
    ]
    if unshared > wall > 0:
        found.append(
            f"With nothing shared between trials it would have been {plural(int(frame['unshared'].sum()), 'step')} "
            f"and {seconds(unshared)}: {unshared / wall:.1f} times as much."
        )
    if made + reused:
        found.append(_energy(frame, made + reused))
    return tuple(found)


def _energy(frame: pl.DataFrame, there: int) -> str:
    """What the devices' counters measured, and of what; or that there was no counter."""
    metered = int(frame["metered"].sum())
    if not metered:
        return "Energy was not measured on the machine that made the steps: no counter of it could be read for each."
    return (
        f"Energy, by the counters of the devices: {energy(float(frame['energy_j'].sum()))} for "
        f"{f'all {there:,}' if metered == there else f'{metered:,} of the {there:,}'} steps that are there (a GPU's "
        "counter as a whole, a processor's shared out by CPU time; memory, host and power supply are in neither)."
    )
