"""Matching sparsities and moments in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import polars as pl

from prunectl.base.text import and_list, percent, plural, points
from prunectl.results.matched import Matching, Moments, guessing, of_arms, of_moments
from prunectl.results.matching_rule import Reach
from prunectl.results.statistics import FEWEST
from prunectl.results.table import Results

if TYPE_CHECKING:
    from prunectl.plan.graph import Placed

NONE = "none"
NAMED = 4
"""Maximum number of arms that a sentence names; the others are counted."""
SPOKEN = 6
"""Maximum number of sentences about sparsities, and about moments."""


def sentences(results: Results) -> tuple[str, ...]:
    """Up to which sparsity, and from which moment on, unmodified arms match the dense network."""
    margin = results.study.report.matching_margin
    plain, _ = _plain(results)
    known = {arm: each for arm, each in of_arms(plain, margin, results.task).items() if each.known}
    return (*_guessing(guessing(plain, results.task), len(known)), *_sparsities(known, margin), *moments(results))


def moments(results: Results) -> tuple[str, ...]:
    """From which moment on unmodified arms match the dense network, where arms differ in when they are pruned."""
    known, plain = _plain(results)
    return tuple(_moments(of_moments(known, plain, results.study.report.matching_margin, results.task)))


def _plain(results: Results) -> tuple[pl.DataFrame, dict[str, Placed]]:
    """The trials of unmodified arms, and these arms by label."""
    plain = {label: placed for label, placed in results.arms.items() if placed.arm.ablation.changes == "nothing"}
    return results.trials.filter(pl.col("arm").is_in(list(plain))), plain


def tolerance(margin: float) -> str:
    """A margin, with as few digits as it needs: '1 point', '0.5 points'."""
    number = f"{margin * 100:.4g}"
    return f"{number} point" if number == "1" else f"{number} points"


def column(margin: float, shown: Sequence[str]) -> str:
    """What a column of cells has: brackets and signs are explained where a cell that is shown has them."""
    signs = {"(settled)": "settled: the same", "≥": "≥: up to the last of the sweep"}
    meant = "; ".join(words for sign, words in signs.items() if any(sign in text for text in shown))
    bracket = "; in brackets what is proved and what is not excluded, each at 95 % on one side"
    return (
        "Matching: the highest sparsity at which, and at every lower one, the mean lies at most "
        f"{points(margin)} below the dense network"
        f"{bracket if any('(' in text for text in shown) else ''}{f' ({meant})' if meant else ''}."
    )


def cell(matching: Matching) -> str:
    """The estimate, in brackets what is proved and what is not excluded: '80 % (60 % to ≥ 98 %)'. Nothing where no
    trial is done.
    """
    if not matching.known:
        return ""
    return f"{_sparsity(matching, matching.reach.estimate)}{_bracket(matching)}"


def _sparsity(matching: Matching, count: int) -> str:
    """A sparsity by its place; that of all places may lie beyond the sweep."""
    return _place([percent(sparsity) for sparsity in matching.sparsities], count, "≥ {}")


def _place(names: Sequence[str], count: int, beyond: str) -> str:
    if not count:
        return NONE
    return beyond.format(names[-1]) if count == len(names) else names[count - 1]


def _guessing(arms: Sequence[str], others: int) -> Iterator[str]:
    """That arms are not compared with dense networks that guess; `others` is the number of those that are."""
    if arms:
        whose = f" of {and_list(_named(arms))}" if others else ""
        yield f"The dense network{whose} is at chance: a pruned network that matches it shows nothing."


def _sparsities(found: Mapping[str, Matching], margin: float) -> Iterator[str]:
    """A sentence for the arms of one estimate, the highest first."""
    alike: dict[float, list[str]] = {}
    for arm, matching in found.items():
        alike.setdefault(matching.estimate or 0.0, []).append(arm)
    ordered = sorted(alike.items(), reverse=True)
    for _, arms in ordered[:SPOKEN]:
        yield f"Within {tolerance(margin)} of dense {_upto(found[arms[0]])}: {and_list(_named(arms))}."
    if rest := sum(len(arms) for _, arms in ordered[SPOKEN:]):
        yield f"{plural(rest, 'arm')} with lower matching sparsities: see the table of accuracies."


def _named(arms: Sequence[str]) -> list[str]:
    return [*arms[:NAMED], *([plural(len(arms) - NAMED, "more arm")] if len(arms) > NAMED else [])]


def _upto(matching: Matching) -> str:
    if matching.estimate is None:
        return "at no sparsity"
    every = matching.reach.estimate == matching.reach.of
    return "at every sparsity" if every else f"up to {percent(matching.estimate)} sparsity"


def _bracket(matching: Matching) -> str:
    """What is proved and what is not excluded; nothing with too few seeds for either."""
    if matching.seeds < FEWEST:
        return ""
    low, high = (_sparsity(matching, count) for count in (matching.reach.proved, matching.reach.not_excluded))
    return " (settled)" if low == high else f" ({low} to {high})"


def _moments(found: Sequence[Moments]) -> Iterator[str]:
    """A sentence for each group of arms, with its sparsest sparsities."""
    grouped: dict[str, list[Moments]] = {}
    for moments in found:
        grouped.setdefault(moments.arms, []).append(moments)
    for arms, each in list(grouped.items())[:SPOKEN]:
        at = [f"at {percent(moments.sparsity)} sparsity {_moment(moments)}" for moments in each[-SPOKEN:]]
        yield f"Earliest moment from which on pruning by {arms} matches: {and_list(at)}."
    if (rest := len(grouped) - SPOKEN) > 0:
        yield f"Earliest matching moments of {plural(rest, 'more group')} of arms are not listed."


def _moment(moments: Moments) -> str:
    reach: Reach = moments.reach
    estimate, proved, limit = (
        _place(moments.moments, count, "{}") for count in (reach.estimate, reach.proved, reach.not_excluded)
    )
    return f"{estimate} ({proved} to {limit})"
