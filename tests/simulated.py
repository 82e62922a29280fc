"""Studies that nobody ran: differences of claims, drawn at random, judged by the code that judges real ones."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from prunectl.catalog.seeds import Look
from prunectl.results.statistics import Center, bootstrap, incomplete_beta
from prunectl.results.verdict_rule import Answer, Case, Over, at_looks, judge

FAR = 100.0
"""A distance from the margin, in standard deviations, that is settled by three seeds."""


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """Where the truth of each case lies, and the answer that is wrong there."""

    wrong: Answer
    others: float = 0.0  # of every case but the first, from the margin; the first lies on it
    over: Over = "cases"


SCENARIOS = {
    "refuted, every case at the margin": Scenario(wrong="refuted"),
    "supported, every case at the margin": Scenario(wrong="supported"),
    "supported, one at it, others far above": Scenario(wrong="supported", others=FAR),
    "average at the margin, refuted": Scenario(wrong="refuted", over="average"),
    "average at the margin, supported": Scenario(wrong="supported", over="average"),
}
"""The worst cases: the nearer the truth is to the margin, the more often a verdict is wrong."""


def wrong(name: str, studies: int, *, cases: int, seeds: int, correlation: float) -> int:
    """In how many of a number of studies the verdict of a scenario is wrong.

    Noise is normal with a standard deviation of 1; cases of one seed have the given correlation.
    """
    scenario = SCENARIOS[name]
    draws = np.random.default_rng([cases, seeds, round(10 * correlation)])
    truth = np.full(cases, scenario.others)
    truth[0] = 0.0
    count = 0
    for _ in range(studies):
        common, own = draws.standard_normal((seeds, 1)), draws.standard_normal((seeds, cases))
        noise = math.sqrt(correlation) * common + math.sqrt(1 - correlation) * own
        study = [Case(differences=dict(enumerate(case))) for case in (truth + noise).T.tolist()]
        count += judge(study, 0.0, scenario.over).answer == scenario.wrong
    return count


def in_turn(
    looks: Sequence[Look], truth: float, studies: int, *, cases: int = 1, correlation: float = 0.0
) -> tuple[Counter[Answer], float]:
    """The answers of studies that add seeds until their claim is settled, and the mean number of seeds that they take.

    Every case lies `truth` standard deviations above the margin.
    """
    most = looks[-1].seeds
    draws = np.random.default_rng([cases, most, studies, round(10 * correlation)])
    common = draws.standard_normal((studies, 1, most))
    noise = math.sqrt(correlation) * common + math.sqrt(1 - correlation) * draws.standard_normal((studies, cases, most))
    answers: Counter[Answer] = Counter()
    seeds = 0
    for study in (truth + noise).tolist():

        def cases_at(look: Look, study: list[list[float]] = study) -> list[Case]:
            return [Case(differences=dict(enumerate(case[: look.seeds]))) for case in study]

        settled = at_looks(looks, cases_at, 0.0)
        assert settled is not None
        answers[settled[1].answer] += 1
        seeds += settled[0].seeds
    return answers, seeds / studies


def covered(n: int, of: Center, draws: int, seed: int = 1) -> float:
    """How often the 80 % bootstrap interval of n normal values holds the true mean and median, 0."""
    samples = np.random.default_rng([n, seed]).standard_normal((draws, n)).tolist()
    intervals = (bootstrap(sample, of) for sample in samples)
    return sum(each is not None and each.low <= 0 <= each.high for each in intervals) / draws


def upper_bound(count: int, total: int, confidence: float = 0.95) -> float:
    """Clopper and Pearson's upper bound of a share: at it, `count` or fewer of `total` come 2.5 times in a hundred."""
    low, high = count / total, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        too_low = 1 - incomplete_beta(count + 1, total - count, middle) > (1 - confidence) / 2
        low, high = (middle, high) if too_low else (low, middle)
    return high
