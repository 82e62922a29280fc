"""Seeds that are added until claims are settled: how many each arm is granted, and what reports show of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import polars as pl

from prunectl.base.text import and_list, plural
from prunectl.plan.graph import Placed
from prunectl.results.claims import Verdict, verdict
from prunectl.results.table import Task
from prunectl.study.schema import Study

SHOWN = 4
"""Maximum number of arms that a sentence names."""

LEANS = (
    "A study that stops when a difference is clear stops early where chance made it large: after such stopping means "
    "and differences lean outwards, away from the margin. The verdicts allow for it, the means do not"
)


def grants(
    study: Study, trials: pl.DataFrame, arms: Mapping[str, Placed], task: Task, granted: Mapping[str, int]
) -> dict[str, int]:
    """The number of seeds of each arm after the looks that can be taken: the arms of open claims go to the next look.

    No arm has fewer than `granted` gives it.
    """
    looks = study.sweep.looks
    after = dict(granted)
    for claim in study.claim if looks else ():
        judged = verdict(claim, trials, arms, task, looks, study.report.matching_margin)
        for label in judged.arms if judged.further else ():
            after[label] = max(after.get(label, 0), judged.further.seeds if judged.further else 0)
    return after


def seeds_by_arm(trials: pl.DataFrame) -> dict[str, int]:
    """The number of seeds of each arm, in the order of the table."""
    counts = trials.group_by("arm", maintain_order=True).agg(pl.col("seed").n_unique())
    return dict(counts.iter_rows())


def sentences(study: Study, trials: pl.DataFrame, verdicts: Sequence[Verdict]) -> tuple[str, ...]:
    """Of a study that adds seeds: its looks, the seeds of each arm, what is open, and what such means are worth."""
    looks = study.sweep.looks
    if not looks or trials.is_empty():
        return ()
    opens = sum(judged.further is not None for judged in verdicts)
    goes_on = f"; {plural(opens, 'claim')} {'is' if opens == 1 else 'are'} open and may get more seeds" if opens else ""
    taken, by_arm = and_list([str(look.seeds) for look in looks]), "; ".join(_by_number(seeds_by_arm(trials)))
    return (
        f"Seeds are added until the claims are settled, with looks after {taken} seeds: {by_arm}{goes_on}.",
        f"{LEANS}.",
    )


def _by_number(seeds: Mapping[str, int]) -> Iterator[str]:
    """How many arms got which number of seeds."""
    for number in sorted(set(seeds.values())):
        arms = [arm for arm, own in seeds.items() if own == number]
        named = arms[:SHOWN] + ([plural(len(arms) - SHOWN, "more arm")] if len(arms) > SHOWN else [])
        yield f"{plural(number, 'seed')} for {and_list(named)}"
