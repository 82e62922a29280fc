"""Why a claim has its verdict, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from prunectl.base.text import and_list, percent, plural
from prunectl.catalog.metric import Metric
from prunectl.catalog.seeds import Look
from prunectl.results.chance import in_words
from prunectl.results.statistics import FEWEST, Interval
from prunectl.results.table import Task
from prunectl.results.verdict_rule import MISSING, Answer, Ruling, answered, below
from prunectl.study.schema import Claim

SAME = "the two arms are the same training"
ADVICE = f"give the study at least {FEWEST} seeds"


@dataclass(frozen=True, kw_only=True)
class Detail:
    """One case, an arm against another at one sparsity: the difference better − than, paired by seed.

    Its sign is turned where low is better. `answer` is that of the case alone.
    """

    arm: str  # what the pairs share and what is compared, where the claim leaves a choice; else empty
    sparsity: float  # of a metric of the whole sweep its highest
    n: int  # seeds that both sides have
    difference: float | None  # the mean over the seeds
    interval: Interval | None  # at the level that supports, usually 95 %
    refuting: Interval | None  # at the level that refutes
    answer: Answer
    idle: str  # why it settles nothing whatever its difference ("one seed"); else empty
    artefacts: tuple[str, ...]
    differences: tuple[float, ...] = ()  # of the single seeds
    better_at_chance: bool = False  # every network of that side guesses
    than_at_chance: bool = False
    guessing: str = ""  # the side that is at chance while the other is not; else empty


def guessing(metric: type[Metric], task: Task) -> str:
    """Why a case of networks at chance settles nothing, with the limit."""
    return f"every network is at chance ({in_words(task, metric)})"


def reason(
    claim: Claim,
    minus: str,
    ruling: Ruling,
    details: Sequence[Detail],
    also: Sequence[str],
    looked: str = "",
) -> str:
    """The reason for an answer. `minus` is what the difference is of, 'magnitude − grasp'; `also` is what else the two
    sides differ in, `looked` at which look the answer was given.
    """
    worded = _average if claim.over == "average" else _cases
    parts = [worded(claim, _subject(claim, minus), ruling, details)]
    parts += [looked] if looked else []
    parts += [text for text in (_guessing(details),) if text]
    parts += [f"Mind that {and_list(also)}"] if also else []
    return ". ".join(parts)


def at_look(answer: Answer, looks: Sequence[Look], at: Look | None, further: Look | None) -> str:
    """At which look a claim with added seeds was settled, or what comes next; `further` is the look that can follow."""
    if at is None:
        return f"The first look, after {looks[0].seeds} seeds, has not been taken"
    which = f"look {looks.index(at) + 1} of {len(looks)}"
    if answer != "not settled":
        return f"Settled at {which}, after {at.seeds} seeds"
    if further is not None:
        return f"Open at {which}, after {at.seeds} seeds: the next look is after {further.seeds}"
    if at == looks[-1]:
        return f"Open at the last look, after {at.seeds} seeds"
    return f"Open at {which}, after {at.seeds} seeds: more seeds cannot settle it"


def phrase(claim: Claim, detail: Detail, interval: Interval | None) -> str:
    """A case in words: where, the mean difference, an interval and the seeds."""
    over = "over sparsities up to" if claim.metric.swept else "at"
    where = f"{over} {percent(detail.sparsity)}{'' if claim.metric.swept else ' sparsity'}"
    where += f" ({detail.arm})" if detail.arm else ""
    if detail.difference is None:
        return f"{where}: no pair of trials is done"
    text = f"{where}: {claim.metric.difference(detail.difference)}"
    return f"{text} ({_range(claim, interval) if interval else plural(detail.n, 'seed')})"


def _range(claim: Claim, interval: Interval) -> str:
    low, high = (claim.metric.difference(bound, unit=False) for bound in (interval.low, interval.high))
    return f"{interval.kind} {low} to {high}, {plural(interval.n, 'seed')}"


def _subject(claim: Claim, minus: str) -> str:
    """What a verdict is about: the difference of what, and in which metric if the claim names one."""
    metric = f" in {claim.metric.title}" if "metric" in claim.model_fields_set else ""
    return f"the difference{metric} ({minus})"


def _start(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}"


def _needed(claim: Claim) -> str:
    return f"at least {claim.metric.difference(claim.margin)}"


def _cases(claim: Claim, subject: str, ruling: Ruling, details: Sequence[Detail]) -> str:
    if ruling.answer == "supported":
        worst = min(details, key=lambda detail: detail.interval.low if detail.interval else 0)
        every = f"in all {len(details)} cases, most narrowly " if len(details) > 1 else ""
        return f"{_start(subject)} is {_needed(claim)} {every}{phrase(claim, worst, worst.interval)}"
    if ruling.answer == "refuted":
        return "; ".join(
            [f"{_start(subject)} is not {_needed(claim)} {_against(claim, ruling, details)}", *_idle(details)]
        )
    return _open(claim, details, f"Whether {subject} is {_needed(claim)} stays open")


def _against(claim: Claim, ruling: Ruling, details: Sequence[Detail]) -> str:
    """What refutes a claim: the clearest of the cases that do, or the mean over the cases."""
    refuting = [detail for detail in details if detail.answer == "refuted"]
    if refuting:
        worst = min(refuting, key=lambda detail: detail.refuting.high if detail.refuting else 0)
        where = f"in {len(refuting)} of {len(details)} cases, most clearly " if len(details) > 1 else ""
        return where + phrase(claim, worst, worst.refuting)
    assert ruling.average is not None, "a claim is refuted by a case or by the mean over the cases"
    return f"on average over the cases: {_middle(claim, ruling.average)}"


def _middle(claim: Claim, interval: Interval) -> str:
    return f"{claim.metric.difference((interval.low + interval.high) / 2)} ({_range(claim, interval)})"


def _open(claim: Claim, details: Sequence[Detail], text: str) -> str:
    """Why nothing is settled: cases whose interval does not decide, and cases that can decide nothing."""
    if (few := _too_few(details)) is not None:
        return few
    undecided = [detail for detail in details if detail.answer == "not settled" and not detail.idle]
    parts = []
    if undecided:
        widest = max(undecided, key=lambda each: each.interval.high - each.interval.low if each.interval else 0)
        where = f"in {len(undecided)} of {len(details)} cases, most widely " if len(details) > 1 else ""
        parts.append(f"{_held(claim, widest)} {where}{phrase(claim, widest, widest.interval)}")
    return f"{text}: {'; '.join([*parts, *_idle(details)])}"


def _too_few(details: Sequence[Detail]) -> str | None:
    """That there are too few seeds, where this alone keeps every case from being settled."""
    seeds = max(detail.n for detail in details)
    if not 0 < seeds < FEWEST or any(detail.idle in (SAME, MISSING) for detail in details):
        return None
    return f"{'One seed settles' if seeds == 1 else 'Two seeds settle'} nothing: {ADVICE}"


def _held(claim: Claim, detail: Detail) -> str:
    """A case of several may lie below the margin at the level that supports, and not at the one that refutes."""
    clear = below(detail.interval, claim.margin)
    return "the interval holds the margin at the level that refutes" if clear else "the interval holds the margin"


def _idle(details: Sequence[Detail]) -> list[str]:
    """The reasons why cases settle nothing, each with the number of these cases."""
    counts = Counter(detail.idle for detail in details if detail.idle)
    if len(details) == 1:
        return list(counts)
    return [f"in {count} of {len(details)} cases {idle}" for idle, count in counts.items()]


def _guessing(details: Sequence[Detail]) -> str:
    """Which side is at chance, and in how many cases; nothing where none is, or where both are and nothing is settled.

    A network that collapses is a finding: these cases are judged as any other.
    """
    counts = Counter(detail.guessing for detail in details if detail.guessing)
    of = f" of {len(details)} cases" if len(details) > 1 else ""
    sides = [f"{side} in {count}{of}" if of else side for side, count in counts.items()]
    return f"At chance, with every seed: {and_list(sides)}" if sides else ""


def _average(claim: Claim, subject: str, ruling: Ruling, details: Sequence[Detail]) -> str:
    over = f"on average over {plural(len(details), 'case')}"
    interval = ruling.average or details[0].interval
    if ruling.answer != "not settled" and interval is not None:
        has = "" if ruling.answer == "supported" else "not "
        return f"{_start(subject)} is {has}{_needed(claim)} {over}: {_middle(claim, interval)}"
    if (few := _too_few(details)) is not None:
        return few
    if interval is None:
        parts = ["it is the same with every seed" if not _idle(details) else "it has no interval"]
    elif answered(interval, interval, claim.margin) == "not settled":
        parts = [f"the interval holds the margin: {_middle(claim, interval)}"]
    else:
        parts = [f"it is {_middle(claim, interval)}"]
    asked = f"Whether {subject} is {_needed(claim)} {over}"
    return f"{asked} stays open: {'; '.join([*parts, *_idle(details)])}"
